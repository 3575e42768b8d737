"""Statements about rounds and their picks."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, case, func, literal, select
from sqlalchemy.exc import IntegrityError

from pickwell.errors import RoundError
from pickwell.items import Pick, PickState, Round, RoundKind, RoundState
from pickwell.store.rows import Details, Progress, moment
from pickwell.store.tables import insert_all, label, pick, round_, waits

SHOWN = (pick.c.item, pick.c.rank, pick.c.score, pick.c.held_out)
"""The columns of a pick that people see, beside its state."""
NO_LEASE: Mapping[str, None] = dict.fromkeys(("leased_by", "leased_until", "leased_for"))
"""The columns of a lease when nobody has one."""
DECIDED = (PickState.ANSWERED, PickState.IGNORED)
"""The states in which an item is not asked again."""


def position(connection: Connection) -> int:
    """The label log's last id, 0 when it is empty: it grows with every tell and undo, and with nothing else."""
    return int(connection.execute(select(func.coalesce(func.max(label.c.id), 0))).scalar_one())


def next_number(connection: Connection) -> int:
    """The number that the next round should have: imports take numbers too."""
    return int(connection.execute(select(func.coalesce(func.max(round_.c.number), 0) + 1)).scalar_one())


def open_number(connection: Connection) -> int | None:
    """The number of the open round, if there is one."""
    return connection.execute(select(round_.c.number).where(round_.c.state == RoundState.OPEN)).scalar()


def insert(connection: Connection, now: int, picks: Sequence[Pick], **columns: Any) -> None:
    """Adds a round and its picks."""
    common = {"state": RoundState.OPEN, "opened": now, "position": position(connection)}
    connection.execute(round_.insert().values({**common, **columns}))
    insert_all(connection, pick, _rows(columns["number"], picks))


def _rows(number: int, picks: Sequence[Pick]) -> Iterator[dict[str, Any]]:
    common = {"round": number, "state": PickState.WAITING}
    for p in picks:
        score = None if math.isnan(p.score) else float(p.score)  # SQLite keeps no NaN
        yield {**common, "item": int(p.item), "rank": int(p.rank), "score": score, "held_out": bool(p.held_out)}


def open_round(
    connection: Connection,
    now: int,
    *,
    number: int,
    strategy: str,
    seed: int,
    picks: Sequence[Pick],
    settings: Mapping[str, Any] | None = None,
    versions: Mapping[str, Any] | None = None,
    timings: Mapping[str, Any] | None = None,
    monitors: Mapping[str, Any] | None = None,
    overlap: int = 1,
) -> Round:
    """Opens a round; `overlap` annotators give an opinion of each pick before it is decided.

    RoundError when its number is taken, another is open, or an item is labelled or ignored.
    """
    _check_picks(number, picks)
    _check_free(connection, number)
    columns: dict[str, Any] = {"number": number, "strategy": strategy, "seed": seed, "overlap": overlap}
    columns |= {"settings": settings or {}, "versions": versions or {}}
    columns |= {"timings": timings or {}, "monitors": monitors or {}}
    try:
        insert(connection, now, picks, **columns)
    except IntegrityError as error:  # only a writer that does not take our locks could cause it
        raise RoundError(f"round {number} cannot open: another process has just opened one; look again") from error
    # Once the picks are in the table, one join finds those taken; the error then rolls everything back.
    _check_askable(connection, number)
    return read_one(connection, now, number)


def _check_picks(number: int, picks: Sequence[Pick]) -> None:
    """Refuses picks that no store can keep, whatever is in it."""
    if not picks:
        raise RoundError(f"round {number} cannot open: it has no picks; ask for at least one")
    for what, values in (("item", [p.item for p in picks]), ("rank", [p.rank for p in picks])):
        value, times = Counter(values).most_common(1)[0]
        if times > 1:
            raise RoundError(f"round {number} cannot open: {what} {value} is picked {times} times; pick each once")
        if min(values) < 0:
            raise RoundError(f"round {number} cannot open: {what} {min(values)} is negative; count from 0")


def _check_free(connection: Connection, number: int) -> None:
    """Refuses a number that is taken, and a second open round."""
    if connection.execute(select(round_.c.number).where(round_.c.number == number)).scalar() is not None:
        free = next_number(connection)
        raise RoundError(f"round {number} cannot open: there is one of that number already; the next is {free}")
    other = open_number(connection)
    if other is not None:
        waiting = func.count(case((pick.c.state == PickState.WAITING, 1)))
        left, total = connection.execute(select(waiting, func.count()).where(pick.c.round == other)).one()
        raise RoundError(
            f"round {number} cannot open: round {other} is still open, with {left} of {total} picks waiting; "
            "answer them, or close it first"
        )


def _check_askable(connection: Connection, number: int) -> None:
    """Refuses a round that asks for what is labelled or ignored."""
    asked = pick.alias()
    query = select(pick.c.item, pick.c.state).join(asked, asked.c.item == pick.c.item)
    query = query.where(asked.c.round == number, pick.c.state.in_(DECIDED)).order_by(pick.c.item)
    if found := connection.execute(query).all():
        item, state = found[0]
        what = "labelled" if state == PickState.ANSWERED else "ignored"
        raise RoundError(
            f"round {number} cannot open: item {item} is {what} already ({len(found)} of its picks are taken); "
            "pick among items that are neither labelled nor ignored"
        )


def close(connection: Connection, now: int, number: int) -> None:
    """Closes the open round; what nobody answered may be picked again. RoundError when not open."""
    if not mark(connection, number, RoundState.OPEN, state=RoundState.CLOSED, closed=now):
        found = connection.execute(select(round_.c.state).where(round_.c.number == number)).scalar()
        raise RoundError(
            f"round {number} cannot be closed: it is {found} already" if found else _absent(connection, number)
        )
    connection.execute(pick.update().where(pick.c.round == number).values(NO_LEASE))


def mark(connection: Connection, number: int, expected: RoundState, **values: Any) -> bool:
    """Whether the round was in the expected state, and so has taken the new values."""
    move = round_.update().where(round_.c.number == number, round_.c.state == expected).values(values)
    return bool(connection.execute(move).rowcount == 1)


def _absent(connection: Connection, number: int) -> str:
    known = next_number(connection) - 1
    return f"there is no round {number}; " + (f"the last one is {known}" if known else "none was opened yet")


def current(connection: Connection, now: int) -> Round | None:
    """The open round, if there is one."""
    found = _read(connection, now, round_.c.state == RoundState.OPEN)
    return found[0] if found else None


def read_one(connection: Connection, now: int, number: int) -> Round:
    """The round of that number; RoundError when there is none."""
    found = _read(connection, now, round_.c.number == number)
    if not found:
        raise RoundError(_absent(connection, number))
    return found[0]


def every(connection: Connection, now: int, kind: RoundKind | None = None, *, picks: bool = True) -> list[Round]:
    """The rounds by number: those of a kind, or all, imports among them."""
    return _read(connection, now, sa.true() if kind is None else round_.c.kind == kind, picks=picks)


def _read(connection: Connection, now: int, where: sa.ColumnElement[bool], *, picks: bool = True) -> list[Round]:
    """The rounds that the condition finds, their picks in rank order."""
    asked = _picks(connection, now, where) if picks else defaultdict(list)
    own = round_.c["number", "state", "strategy", "seed", "settings", "overlap", "kind"]
    found = []
    for row in connection.execute(select(*own).where(where).order_by(round_.c.number)).mappings():
        typed = {"state": RoundState(row["state"]), "kind": RoundKind(row["kind"])}
        found.append(Round(**{**row, **typed}, picks=tuple(asked[row["number"]])))
    return found


def _picks(connection: Connection, now: int, where: sa.ColumnElement[bool]) -> defaultdict[int, list[Pick]]:
    query = select(pick.c.round, *SHOWN, state_at(now)).join(round_)
    asked = defaultdict(list)
    for number, *values in connection.execute(query.where(where).order_by(pick.c.round, pick.c.rank)):
        asked[number].append(to_pick(*values))
    return asked


def progress(connection: Connection, now: int) -> Progress | None:
    """How far the open round is, if there is one: its picks are counted where they are."""
    state = state_at(now)
    query = select(*round_.c["number", "strategy", "overlap"], state, func.count()).join(pick)
    rows = connection.execute(query.where(round_.c.state == RoundState.OPEN).group_by(round_.c.number, state)).all()
    if not rows:
        return None
    number, strategy, overlap, *_ = rows[0]
    return Progress(number, strategy, overlap, Counter({PickState(row[3]): row[4] for row in rows}))


def to_pick(item: int, rank: int, score: float | None, held_out: bool, state: str) -> Pick:
    """A pick from its columns."""
    return Pick(item, rank, math.nan if score is None else score, held_out, PickState(state))


def leased(now: int) -> sa.ColumnElement[bool]:
    """Whether somebody holds the pick: a lease is no state of its own, so that it ends by itself.

    One that would last over twice its length from now has ended: the clock was set back since.
    """
    left = func.coalesce(pick.c.leased_until, 0) - now
    return and_(waits, left > 0, left <= 2 * func.coalesce(pick.c.leased_for, 0))


def state_at(now: int) -> sa.ColumnElement[str]:
    """The pick's state as people see it at a moment."""
    disputed = (pick.c.disputed, literal(PickState.DISPUTED.value))
    return case(disputed, (leased(now), literal(PickState.LEASED.value)), else_=pick.c.state)


def details(connection: Connection, number: int) -> Details:
    """What else is kept of a round: versions, timings, monitors, times. RoundError when there is none."""
    row = connection.execute(select(round_).where(round_.c.number == number)).one_or_none()
    if row is None:
        raise RoundError(_absent(connection, number))
    closed = None if row.closed is None else moment(row.closed)
    return Details(number, row.versions, row.timings, row.monitors, moment(row.opened), closed, row.position)


# An import that was undone leaves a round of picks behind that nobody was ever asked.
was_asked = pick.c.round.not_in(
    select(round_.c.number).where(round_.c.kind == RoundKind.IMPORTED, round_.c.state == RoundState.ABANDONED)
)
in_open_round = pick.c.round == select(round_.c.number).where(round_.c.state == RoundState.OPEN).scalar_subquery()
_TAKEN = (pick.c.state.in_(DECIDED), in_open_round)


def ignored(connection: Connection) -> NDArray[np.int64]:
    """The items never to be labelled, ascending."""
    return _items(connection, pick.c.state == PickState.IGNORED)


def taken(connection: Connection) -> NDArray[np.int64]:
    """The items that cannot be asked now, ascending: answered, ignored, or in the open round."""
    return _items(connection, *_TAKEN)


def _items(connection: Connection, *where: sa.ColumnElement[bool]) -> NDArray[np.int64]:
    """The items, each once, of the picks that any of the conditions finds."""
    found = connection.execute(sa.union_all(*(select(pick.c.item).where(one) for one in where))).scalars().all()
    return np.unique(np.array(found, dtype=np.int64))


def count_taken(connection: Connection) -> int:
    """How many items `taken` has, without fetching them."""
    found = sa.union(*(select(pick.c.item).where(one) for one in _TAKEN)).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())
