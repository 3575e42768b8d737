"""The frozen values that the rooms hand to one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

ItemId = int
"""An item's place in the pool's manifest; it never changes and is never used again."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of the pool. `known` is the label its folder or table gives, if any."""

    id: ItemId
    name: str
    known: str | None = None


class PickState(StrEnum):
    """What has become of a pick: a lease that expires makes it `waiting` again.

    `disputed`: as many people as were asked have answered, and do not agree.
    """

    WAITING = "waiting"
    LEASED = "leased"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Pick:
    """An item chosen for labelling. Rank 1 and the highest score come first.

    A `held_out` pick was drawn at random, to measure on; it has no score of its own (0).
    """

    item: ItemId
    rank: int
    score: float
    held_out: bool = False
    state: PickState = PickState.WAITING


class RoundKind(StrEnum):
    """Whether a strategy picked a round's items, or the round holds imported labels of items that were never picked."""

    ASKED = "asked"
    IMPORTED = "imported"


class RoundState(StrEnum):
    """open -> closed; an import that was undone is abandoned."""

    OPEN = "open"
    CLOSED = "closed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Round:
    """One question to the oracle: the picks of one `ask`, in rank order."""

    number: int
    state: RoundState
    strategy: str
    seed: int
    picks: tuple[Pick, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    overlap: int = 1
    """How many people answer each pick before it is decided."""
    kind: RoundKind = RoundKind.ASKED

    @property
    def waiting(self) -> tuple[Pick, ...]:
        """The picks that nobody has answered yet."""
        return tuple(p for p in self.picks if p.state in (PickState.WAITING, PickState.LEASED))

    @property
    def undecided(self) -> tuple[Pick, ...]:
        """The picks that keep the round open: those that wait, and those that people disagree about."""
        return tuple(p for p in self.picks if p.state in (PickState.WAITING, PickState.LEASED, PickState.DISPUTED))


class Kind(StrEnum):
    """What a person says of an item: its label, `skip` (ask another time) or `ignore` (never label it)."""

    ANSWER = "answer"
    SKIP = "skip"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody said of an item. `value` is a class name, or the name of a mask's file; None unless an answer.

    `time` is when it was said, in UTC; None for the moment in which it is told.
    """

    item: ItemId
    value: str | None
    kind: Kind = Kind.ANSWER
    annotator: str = ""
    seconds: float | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a fit reached: `accuracy` (or another metric) on `measured` images it was not trained on."""

    values: Mapping[str, float]
    measured: int
    labels: int

    @property
    def accuracy(self) -> float | None:
        """The share of the measured images classified right; None when there was none to measure."""
        return self.values.get("accuracy")
