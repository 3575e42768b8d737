"""Recorded values: how they are written, and when what is found is the same."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HARDWARE = HERE / "hardware.json"
DIGITS = 6
"""Significant digits that are recorded."""
RTOL, ATOL = 1e-4, 1e-6
"""How far a number may be off on the kind of CPU that the values were recorded on; picks and counts may not."""
LOOSE = 0.1
"""The same, relative or absolute, on another kind."""
SWAYED = re.compile(r"(accuracy|iou)/.*|(AUBC|at_the_end|difference)_.*|pixel.*|classes|p|corrected_p|suggestion|order")
"""The names of what a single image, or a close probability, moves by more than that."""
OVERLAP = 0.5
"""The share of a round's picks that must be the recorded ones on another kind."""


def rounded(value: Any) -> Any:
    """The value with all its numbers to six digits, as JSON takes it."""
    if isinstance(value, dict):
        return {str(name): rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    number = float(value)
    return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else str(number)


def text(value: Any, indent: int = 0) -> str:
    """JSON with a line an entry, and lists of plain values each in one line."""
    if isinstance(value, dict) and value:
        inside = " " * (indent + 1)
        lines = ",\n".join(f"{inside}{json.dumps(name)}: {text(one, indent + 1)}" for name, one in value.items())
        return f"{{\n{lines}\n{' ' * indent}}}"
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return f"[{', '.join(text(one, indent) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def recorded(group: str) -> dict[str, Any]:
    """The recorded values of a group of runs."""
    found: dict[str, Any] = json.loads((HERE / f"{group}.json").read_text(encoding="utf-8"))
    return found


def differences(was: Any, now: Any, *, same_kind: bool) -> list[str]:
    """What is not as recorded, a sentence each.

    On the same kind of CPU strings, counts and orders are to be equal, and numbers equal to `RTOL`.

    Another kind makes its sums in another order, so that close scores change places. There, all that no sum decides
    (counts, shapes, what is reported, the strategy that asked) is to be equal, of a round's picks at least half are to
    be the recorded ones, in any order, and numbers are to be within a tenth, those of single classes excepted. From
    the first round of a run on that has other picks, or these in another order, only what there is is compared.
    """
    return list(_strict(was, now, "") if same_kind else _Loose().compare(was, now, ""))


def _strict(was: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        if [*was] != [*now]:
            yield f"{where or '/'}: has {', '.join(now)}; recorded are {', '.join(was)}"
        for name in [name for name in was if name in now]:
            yield from _strict(was[name], now[name], f"{where}/{name}")
    elif _are_numbers(was, now):
        for place, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _strict(one, other, f"{where}/{place}")
    elif not _equal(was, now, RTOL, ATOL):
        yield f"{where}: {now}; recorded is {was}"


def _are_numbers(was: Any, now: Any) -> bool:
    """Whether both are lists of numbers, or of lists of them, and as long."""
    lists = isinstance(was, list) and isinstance(now, list) and len(was) == len(now)
    return lists and not any(isinstance(one, str) for one in was)


def _equal(was: Any, now: Any, rtol: float, atol: float) -> bool:
    if _is_number(was) and _is_number(now) and (isinstance(was, float) or isinstance(now, float)):
        return math.isclose(was, now, rel_tol=rtol, abs_tol=atol)
    return bool(was == now) and isinstance(was, bool) == isinstance(now, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Loose:
    """The rule for other kinds of CPU; knows whether the run has had other picks by now."""

    def __init__(self) -> None:
        self.apart = False

    def compare(self, was: Any, now: Any, where: str) -> Iterator[str]:
        if type(was) is not type(now) and not (_is_number(was) and _is_number(now)):
            yield f"{where}: {now!r}; recorded is {was!r}"
        elif isinstance(was, dict):
            yield from self._tables(was, now, where)
        elif isinstance(was, list):
            yield from self._lists(was, now, where)
        elif not self.apart and not _equal(was, now, LOOSE, LOOSE):
            yield f"{where}: {now}; recorded is {was}"

    def _tables(self, was: dict[str, Any], now: dict[str, Any], where: str) -> Iterator[str]:
        # Of other picks other classes may be known, and some tables' names are picks.
        if not self.apart and [*was] != [*now]:
            yield f"{where or '/'}: has {', '.join(now)}; recorded are {', '.join(was)}"
        before, ever = self.apart, self.apart
        for name in [name for name in was if name in now and not SWAYED.fullmatch(name)]:
            # The cells of an experiment do not hang on each other.
            self.apart = before if where == "/cells" else self.apart
            yield from self.compare(was[name], now[name], f"{where}/{name}")
            ever |= self.apart
        self.apart = ever

    def _lists(self, was: list[Any], now: list[Any], where: str) -> Iterator[str]:
        if len(was) != len(now):
            if not self.apart or where.endswith("/picks"):
                yield f"{where}: {len(now)} entries; recorded are {len(was)}"
        elif where.endswith("/picks") and was != now:
            if not self.apart and len({*was} & {*now}) < OVERLAP * len(was):
                yield f"{where}: {now}; recorded is {was}"
            self.apart = True
        elif not any(isinstance(one, str) for one in was):  # names are of neighbours here, among which some are close
            for place, (one, other) in enumerate(zip(was, now, strict=True)):
                yield from self.compare(one, other, f"{where}/{place}")
