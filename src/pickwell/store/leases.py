"""Leases: who is looking at which pick, until when."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from pickwell.items import Pick, PickState
from pickwell.store.opinions import has_given
from pickwell.store.rounds import NO_LEASE, SHOWN, in_open_round, leased, to_pick
from pickwell.store.tables import pick, waits

LEAST = 4
"""Picks that whoever comes may have, if there are so many: with fewer ahead a quick hand would wait."""


def lease(
    connection: Connection,
    now: int,
    annotator: str,
    n: int,
    seconds: float,
    *,
    author: str | None = None,
    shared: bool = False,
) -> list[Pick]:
    """Up to n picks of the open round for one annotator alone, in rank order: those still held come first.

    Asking again therefore returns the same picks, renewed. They wait again when the seconds are over. Left out are
    disputed picks, and those of which the `author` has an opinion already. `shared` leaves their part to others.
    """
    free = _free(now, annotator)
    if author is not None:
        free = and_(free, ~has_given(author))
    held = _held(now, annotator)
    n = min(n, 10_000)  # SQLite takes 32,766 parameters a statement
    taken = _locked(connection, and_(free, held), n)
    if shared:
        n = min(n, max(len(taken), LEAST, _part(connection, now, annotator, free, n)))
    # Two queries, which stop at n picks in the index; one that sorts those held to the front would look at them all.
    taken += _locked(connection, and_(free, ~held), n - len(taken))
    return _take(connection, pick.c.id.in_(taken), _lease(now, annotator, seconds))


def _locked(connection: Connection, where: ColumnElement[bool], n: int) -> list[int]:
    """The ids of the first n picks by rank, as far as no other lease is just taking them."""
    query = select(pick.c.id).where(where).order_by(pick.c.rank).limit(max(0, n))
    return list(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _part(connection: Connection, now: int, annotator: str, free: ColumnElement[bool], n: int) -> int:
    """An equal part, n at most, of the picks that are free: for each who holds some, and for one who may yet come."""
    others = select(func.count(pick.c.leased_by.distinct())).where(
        pick.c.leased_by != annotator, leased(now), in_open_round
    )
    people = 2 + connection.execute(others).scalar_one()
    some = select(pick.c.id).where(free).limit(n * people).subquery()
    return math.ceil(connection.execute(select(func.count()).select_from(some)).scalar_one() / people)


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
    return and_(waits, ~pick.c.disputed, in_open_round, nobody_else)


def _take(connection: Connection, chosen: ColumnElement[bool], lease: Mapping[str, Any]) -> list[Pick]:
    move = pick.update().where(chosen).values(lease)
    rows = connection.execute(move.returning(*SHOWN, literal(PickState.LEASED.value)))
    return sorted((to_pick(*row) for row in rows), key=lambda p: p.rank)
