"""Statements about single picks: who holds an item, who has answered it, and holding it on purpose."""

from collections.abc import Sequence

from sqlalchemy import Connection, literal, or_, select

from pickwell.items import Pick, PickState
from pickwell.store.rounds import SHOWN, in_open_round, leased, state_at, to_pick, was_asked
from pickwell.store.rows import Holding
from pickwell.store.tables import chunks, label, pick, round_


def holdings(connection: Connection, now: int, items: Sequence[int]) -> dict[int, Holding]:
    """What the last pick of each item says of it; items that were never asked are left out."""
    found: dict[int, Holding] = {}
    columns = (pick.c.item, pick.c.round, state_at(now), pick.c.leased_by, label.c.annotator)
    for chunk in chunks(items, 10_000):
        query = (
            select(*columns).join(round_, round_.c.number == pick.c.round).outerjoin(label, label.c.id == pick.c.label)
        )
        query = query.where(pick.c.item.in_(chunk), was_asked).order_by(pick.c.id)
        for item, number, state, holder, author in connection.execute(query):
            shown = PickState(state)
            found[item] = Holding(number, shown, holder if shown is PickState.LEASED else None, author)
    return found


def hold(connection: Connection, now: int, annotator: str, items: Sequence[int], until: int) -> list[Pick]:
    """Gives an annotator those of the open round's items that wait for nobody else; returns them in rank order."""
    free = or_(~leased(now), pick.c.leased_by == annotator)
    chosen = pick.c.item.in_(items), in_open_round, pick.c.state == PickState.WAITING, free
    move = pick.update().where(*chosen).values(leased_by=annotator, leased_until=until)
    rows = connection.execute(move.returning(*SHOWN, literal(PickState.LEASED.value)))
    return sorted((to_pick(*row) for row in rows), key=lambda p: p.rank)
