"""Short words for tests of stores: a clock that is moved by hand, asking, telling, and reading the truth."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pickwell.items import Kind, Label, Pick, Round
from pickwell.store import Store, Told

START = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
"""When the clock starts; with microseconds, because none of them may be lost."""


class Clock:
    """A clock that stands still until it is moved; calling it gives microseconds since 1970."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return (self.time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def forward(self, seconds: float) -> None:
        """Moves the clock."""
        self.time += timedelta(seconds=seconds)


def ask(
    store: Store, items: Iterable[int], *, number: int = 1, held_out: Iterable[int] = (), overlap: int = 1
) -> Round:
    """Opens a round with these items, in this order, their scores falling."""
    picks = [Pick(item, rank, 1 / rank, item in set(held_out)) for rank, item in enumerate(items, 1)]
    return store.open_round(number=number, strategy="vaal", seed=7, picks=picks, overlap=overlap)


def tell(store: Store, answers: dict[int, str], annotator: str = "", event: str | None = None) -> Told:
    """Tells class names, all of one annotator; with a name as a page does, whose every click has an event."""
    labels = [Label(item, value, annotator=annotator) for item, value in answers.items()]
    return store.tell(labels, source="test", event=event or (uuid4().hex if annotator else None))


def opine(store: Store, annotator: str, said: Mapping[int, str | Kind], event: str | None = None) -> Told:
    """Tells opinions: class names, or that an item is skipped or ignored."""
    labels = [
        Label(item, None, one, annotator) if isinstance(one, Kind) else Label(item, one, annotator=annotator)
        for item, one in said.items()
    ]
    return store.tell(labels, source="test", event=event or uuid4().hex, opinion=True)


def truth(store: Store) -> dict[int, str]:
    """The answers that stand, by item."""
    labels = store.labels()
    return dict(zip(labels.items.tolist(), labels.values, strict=True))


def states(store: Store, number: int) -> dict[int, str]:
    """The states of a round's picks as words, by item."""
    return {pick.item: pick.state.value for pick in store.round(number).picks}
