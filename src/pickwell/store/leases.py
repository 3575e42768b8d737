"""Leases: who is looking at which pick, until when."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, literal, or_, select

from pickwell.items import Pick, PickState
from pickwell.store.opinions import has_given
from pickwell.store.rounds import NO_LEASE, SHOWN, in_open_round, leased, to_pick
from pickwell.store.tables import pick


def lease(
    connection: Connection, now: int, annotator: str, n: int, seconds: float, *, author: str | None = None
) -> list[Pick]:
    """Up to n picks of the open round for one annotator alone, in rank order: those still held come first.

    Asking again therefore returns the same picks, renewed. They wait again when the seconds are over. Left out are
    disputed picks, and those of which the `author` has an opinion already.
    """
    free = _free(now, annotator)
    if author is not None:
        free = and_(free, ~has_given(author))
    chosen = select(pick.c.id).where(free).order_by(_held(now, annotator).desc(), pick.c.rank).limit(max(0, n))
    # A common table expression runs once; a plain subquery may run again, and then lock more than n rows.
    locked = chosen.with_for_update(skip_locked=True).cte("chosen")
    return _take(connection, pick.c.id.in_(select(locked.c.id)), _lease(now, annotator, seconds))


def hold(connection: Connection, now: int, annotator: str, items: Sequence[int], seconds: float) -> list[Pick]:
    """Leases these very items, as far as they wait for nobody else; returns those it got, in rank order."""
    return _take(connection, and_(pick.c.item.in_(items), _free(now, annotator)), _lease(now, annotator, seconds))


def heartbeat(connection: Connection, now: int, annotator: str, seconds: float) -> int:
    """Renews the leases that an annotator still holds; returns how many."""
    renewed = pick.update().where(_held(now, annotator), in_open_round).values(_lease(now, annotator, seconds))
    return connection.execute(renewed).rowcount


def release(connection: Connection, now: int, annotator: str) -> int:
    """Ends all leases of an annotator; returns how many."""
    return connection.execute(pick.update().where(_held(now, annotator), in_open_round).values(NO_LEASE)).rowcount


def _lease(now: int, annotator: str, seconds: float) -> dict[str, Any]:
    """The columns of a lease that begins now."""
    length = round(seconds * 1_000_000)
    return {"leased_by": annotator, "leased_until": now + length, "leased_for": length}


def _held(now: int, annotator: str) -> ColumnElement[bool]:
    return and_(leased(now), pick.c.leased_by == annotator)


def _free(now: int, annotator: str) -> ColumnElement[bool]:
    """Whether a pick of the open round waits for nobody else."""
    nobody_else = or_(~leased(now), pick.c.leased_by == annotator)
    return and_(pick.c.state == PickState.WAITING, ~pick.c.disputed, in_open_round, nobody_else)


def _take(connection: Connection, chosen: ColumnElement[bool], lease: Mapping[str, Any]) -> list[Pick]:
    move = pick.update().where(chosen).values(lease)
    rows = connection.execute(move.returning(*SHOWN, literal(PickState.LEASED.value)))
    return sorted((to_pick(*row) for row in rows), key=lambda p: p.rank)
