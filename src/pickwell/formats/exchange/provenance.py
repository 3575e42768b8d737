"""Who said something of an image, how long it took, and when: as texts, in files that can carry it beside a label."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from pickwell.formats.exchange.found import Labelled
from pickwell.items import Kind

COLUMNS = ("annotator", "seconds", "time")
MODEL = "pickwell model"
"""Who said what a model predicted."""


def told(one: Labelled) -> dict[str, str]:
    """What is known of a label: `annotator`, `seconds`, `time`, `said` if it is no answer, a model's `confidence`."""
    known = {
        "said": "" if one.kind is Kind.ANSWER else one.kind.value,
        "annotator": one.annotator,
        "seconds": "" if one.seconds is None else repr(one.seconds),
        "time": "" if one.time is None else one.time.isoformat(),
        "confidence": "" if one.confidence is None else f"{one.confidence:.6f}",
    }
    return {name: text for name, text in known.items() if text}


def provenance(known: Mapping[str, Any]) -> dict[str, Any]:
    """Annotator, seconds and time as fields of a Found; what cannot be read is unknown: the label counts without it."""
    return {
        "annotator": str(known.get("annotator") or ""),
        "seconds": seconds_of(known.get("seconds")),
        "time": time_of(known.get("time")),
    }


def kind_of(known: Mapping[str, Any]) -> Kind:
    """Whether the image was skipped or ignored; else what is said of it is an answer."""
    said = known.get("said")
    return Kind(said) if said in (Kind.SKIP, Kind.IGNORE) else Kind.ANSWER


def seconds_of(value: Any) -> float | None:
    """A time that somebody took, as a number or its text; None if it is none."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if isfinite(seconds) and 0 <= seconds < 1e9 else None


def time_of(value: Any) -> datetime | None:
    """The moment that an ISO 8601 text means, in UTC unless it says otherwise; None if it means none.

    >>> time_of("2026-11-22T15:34:18.318794+01:00")
    datetime.datetime(2026, 11, 22, 14, 34, 18, 318794, tzinfo=datetime.timezone.utc)
    """
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
