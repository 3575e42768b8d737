"""Who holds an item, and who has answered it."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from pickwell.errors import RoundError
from pickwell.items import Label, PickState
from pickwell.store.opinions import given
from pickwell.store.rounds import state_at, was_asked
from pickwell.store.rows import Holding
from pickwell.store.tables import STATES, chunks, label, pick, round_


def holdings(connection: Connection, now: int, items: Sequence[int]) -> dict[int, Holding]:
    """Where each item's last pick stands; items that were never asked are left out."""
    found: dict[int, Holding] = {}
    own = (pick.c.id, pick.c.item, pick.c.round, state_at(now), pick.c.leased_by)
    columns = (*own, label.c.annotator, label.c.value, round_.c.overlap)
    for chunk in chunks(items, 10_000):
        query = select(*columns).join(round_).outerjoin(label, label.c.id == pick.c.label)
        query = query.where(pick.c.item.in_(chunk), was_asked).order_by(pick.c.id)
        # By id, so that of several picks of an item the last one stays.
        rows = connection.execute(query).all()
        said = given(connection, [row.id for row in rows if row.overlap > 1])
        for id_, item, number, state, holder, author, value, overlap in rows:
            shown, opinions = PickState(state), frozenset(said.get(id_, ()))
            leased_by = holder if shown is PickState.LEASED else None
            found[item] = Holding(number, shown, leased_by, author, value, overlap, opinions)
    return found


def check_free(found: Mapping[int, Holding], labels: Iterable[Label], holder: str) -> None:
    """Raises RoundError where somebody else holds an item, or has decided it: a stale page must not overwrite."""
    for one in labels:
        holding = found.get(one.item)
        # Whoever has an opinion of it may change it, whoever looks at it now.
        if holding is None or one.annotator in holding.opinions:
            continue
        if holding.holder not in (None, holder):
            name = str(holding.holder).rpartition("/")[0] or "a program"
            raise RoundError(
                f"item {one.item} is with {name} at the moment; it was not changed, go on with the next image"
            )
        if holding.state is PickState.DISPUTED:
            raise RoundError(f"item {one.item} has {holding.overlap} answers that differ; somebody decides at /decide")
        if holding.state in (PickState.ANSWERED, PickState.IGNORED) and holding.author != one.annotator:
            author = holding.author or "somebody else"
            raise RoundError(f"item {one.item} was decided by {author}; it was not changed, go on")


def check_disputed(found: Mapping[int, Holding], labels: Iterable[Label]) -> None:
    """Raises RoundError where an item is not disputed, unless it was decided in the same way already."""
    for one in labels:
        holding, decided = found.get(one.item), (STATES[one.kind], one.value)
        if holding is None or (holding.state is not PickState.DISPUTED and (holding.state, holding.value) != decided):
            raise RoundError(f"item {one.item} is not disputed any more; it was not changed, go on with the next image")
