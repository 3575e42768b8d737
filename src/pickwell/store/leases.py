"""Leases: who is looking at which pick, until when."""

import sqlalchemy as sa
from sqlalchemy import Connection, and_, literal, or_, select

from pickwell.items import Pick, PickState
from pickwell.store.opinions import has_given
from pickwell.store.rounds import SHOWN, in_open_round, leased, to_pick
from pickwell.store.tables import pick


def lease(connection: Connection, now: int, annotator: str, n: int, until: int, author: str | None) -> list[Pick]:
    """Gives an annotator up to n picks in one statement: those held already, renewed, then the best ones free."""
    mine = and_(leased(now), pick.c.leased_by == annotator)
    free = and_(pick.c.state == PickState.WAITING, ~pick.c.disputed, in_open_round, or_(~leased(now), mine))
    if author is not None:
        free = and_(free, ~has_given(author))
    chosen = select(pick.c.id).where(free).order_by(mine.desc(), pick.c.rank).limit(max(0, n))
    # A common table expression runs once; a plain subquery may run again, and then lock more than n rows.
    locked = chosen.with_for_update(skip_locked=True).cte("chosen")
    move = pick.update().where(pick.c.id.in_(select(locked.c.id))).values(leased_by=annotator, leased_until=until)
    state = literal(PickState.LEASED.value)
    rows = connection.execute(move.returning(*SHOWN, state))
    return sorted((to_pick(*row) for row in rows), key=lambda p: p.rank)


def renew(connection: Connection, now: int, annotator: str, until: int | None) -> int:
    """Moves the end of all leases that an annotator still holds, or ends them (None); returns how many."""
    held: sa.ColumnElement[bool] = and_(leased(now), pick.c.leased_by == annotator, in_open_round)
    values = {"leased_until": until} if until else {"leased_until": None, "leased_by": None}
    return int(connection.execute(pick.update().where(held).values(values)).rowcount)
