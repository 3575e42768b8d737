"""The values that the store hands out beside those of `pickwell.items`."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickwell.items import Kind, PickState
from pickwell.store.tables import UNDO


def moment(microseconds: int) -> datetime:
    """The UTC time that the database keeps as microseconds since 1970."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(microsecond=microseconds % 1_000_000)


def microseconds(time: datetime) -> int:
    """The number that `moment` makes the time of."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """What a campaign was made with."""

    name: str
    seed: int
    settings: Mapping[str, Any]
    versions: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True)
class Details:
    """All that is kept of a round beside its picks. `position` is the label log's when it was opened."""

    number: int
    versions: Mapping[str, Any]
    timings: Mapping[str, Any]
    monitors: Mapping[str, Any]
    opened: datetime
    closed: datetime | None
    position: int

    @property
    def learnt(self) -> bool:
        """Whether a model had learnt something when it was opened; if not, its picks are random."""
        return bool(self.timings.get("fit"))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is: how many of its picks are in each state."""

    number: int
    strategy: str
    overlap: int
    states: Counter[PickState]


@dataclass(frozen=True, slots=True)
class Told:
    """What one `tell` did. `corrected` of its labels replaced an answer or an ignore; `closed` is the round it closed.

    `repeated` says that the event had been told before, and that nothing was stored now.
    """

    batch: int
    answered: int = 0
    skipped: int = 0
    ignored: int = 0
    corrected: int = 0
    closed: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """Where an item's last pick stands: who holds it now, whose label stands with what `value`, who has an opinion."""

    round: int
    state: PickState
    holder: str | None
    author: str | None
    value: str | None = None
    overlap: int = 1
    opinions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one of several annotators says of an item; `id` is its place in the label log."""

    id: int
    annotator: str
    kind: Kind
    value: str | None
    time: datetime


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item about which as many people as were asked do not agree; the opinions in order of time."""

    item: int
    round: int
    rank: int
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody remarked about an item; `event` is the client's."""

    item: int
    event: str
    annotator: str = ""
    flag: bool = False
    note: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The answers that stand, as columns of one length, in ascending order of item."""

    items: NDArray[np.int64]
    values: list[str]
    held_out: NDArray[np.bool_]
    rounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)

    def only(self, items: NDArray[np.int64]) -> "Labels":
        """The labels of these items alone."""
        kept = np.isin(self.items, items)
        values = [value for value, is_kept in zip(self.values, kept, strict=True) if is_kept]
        return Labels(self.items[kept], values, self.held_out[kept], self.rounds[kept])

    def part(self, *, held_out: bool) -> tuple[NDArray[np.int64], list[str]]:
        """Items and values of the labels to measure on (`held_out`), or of those to train on."""
        wanted = self.held_out == held_out
        values = [value for value, is_wanted in zip(self.values, wanted, strict=True) if is_wanted]
        return self.items[wanted], values


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the label log. `kind` is answer, skip, ignore or undo; an undo names the entry that it takes back.

    An `opinion` is one of several that decide together; `event` is the client's.
    """

    id: int
    item: int
    value: str | None
    kind: str
    annotator: str
    source: str
    round: int
    time: datetime
    seconds: float | None
    undoes: int | None
    opinion: bool = False
    event: str | None = None

    @property
    def is_undo(self) -> bool:
        """Whether it takes another entry back, and says nothing of an item itself."""
        return self.kind == UNDO


@dataclass(frozen=True, slots=True)
class Result:
    """One number measured in a round by a model that had learnt from `labels` labels."""

    round: int
    labels: int
    metric: str
    value: float
    time: datetime
