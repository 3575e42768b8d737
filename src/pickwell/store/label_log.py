"""Statements about labels: the log, and the truth that the log makes."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Integer, and_, case, false, func, null, select, type_coerce

from pickwell.errors import LabelError, few
from pickwell.items import Kind, Label, Pick, PickState, RoundKind, RoundState
from pickwell.store import opinions, rounds
from pickwell.store.holding import check_disputed, check_free, holdings
from pickwell.store.rows import Entry, Labels, Told, microseconds, moment
from pickwell.store.tables import STATES, UNDO, batch, chunks, insert_all, label, pick, round_
from pickwell.store.texts import check_text, used

Asked = tuple[int, str, int]
"""A pick's id, its state, and its round's overlap."""


def check(labels: Sequence[Label]) -> None:
    """Raises LabelError unless each item has one label, and each label what its kind needs."""
    seen: set[int] = set()
    for one in labels:
        if one.item in seen:
            raise LabelError(f"item {one.item} has two labels in one batch; give one for each item")
        if not 0 <= one.item < 2**63:
            raise LabelError(f"item {one.item} does not exist; ids count from 0")
        if (one.kind is Kind.ANSWER) is (not one.value):
            raise LabelError(
                f"item {one.item} has the {one.kind} {one.value!r}; an answer needs a label, skip and ignore have none"
            )
        seen.add(one.item)
    for text in {one.value or "" for one in labels} | {one.annotator for one in labels}:
        check_text("label", text)


def repeated(
    connection: Connection, event: str | None, annotator: str, *, undone: bool = False
) -> tuple[int, Mapping[str, Any]] | None:
    """The batch that a client's event made earlier, and what it told; None for a new event.

    Raises LabelError where that was somebody else's, or no undo where one is told: acknowledged, this would be lost.
    """
    if event is None:
        return None
    row = connection.execute(select(batch).where(batch.c.event == event)).one_or_none()
    if row is not None and (row.annotator, row.source == UNDO) != (annotator, undone):
        raise LabelError(used(event))
    return (row.id, row.told) if row else None


def tell(
    connection: Connection,
    now: int,
    labels: Sequence[Label],
    *,
    source: str,
    imported: bool = False,
    held_out: Collection[int] = (),
    event: str | None = None,
    opinion: bool = False,
    holder: str | None = None,
    decides: bool = False,
) -> Told:
    """Keeps labels, all or none: answers of picks, corrections of labelled items, or with `imported` of any item.

    Imported items that were never asked become picks of a closed round, `held_out` those among them never to be
    trained on. The same `event` again is acknowledged, and nothing is stored. Raises LabelError.

    As an `opinion` a label decides nothing alone where its round asks several annotators: once so many have said
    the same, the pick is decided; if they have not, it is disputed until a label that is no opinion decides.
    Told by a `holder`, whose leases bear that name, nothing overwrites what others hold or decided: RoundError. One
    that `decides` may tell of disputed items alone.
    """
    if not labels:
        return Told(batch=0)
    # In the transaction that would store it: of two same events at once, one finds the other.
    if before := repeated(connection, event, _author(labels)):
        _check_same(connection, before[0], labels, str(event))
        return replace(Told(**{"batch": before[0], **before[1]}), repeated=True)
    if holder is not None:
        # Serial, so that of two people who both believe an item to be theirs the second one hears of it.
        found = holdings(connection, now, [one.item for one in labels])
        if decides:
            check_disputed(found, labels)
        else:
            check_free(found, labels, holder)
    check(labels)
    picks = _picks(connection, now, labels, imported, held_out)
    corrected = sum(picks[one.item][1] in rounds.DECIDED for one in labels)
    number = _batch(connection, now, labels, source, event, holder)
    insert_all(connection, label, (_row(number, picks[one.item], one, opinion) for one in labels))
    settle(connection, number, holder)
    # Kept with the batch: a client that sends the same event again is told the same again.
    kinds = Counter(one.kind for one in labels)
    counts: dict[str, Any] = {state.value: kinds[kind] for kind, state in STATES.items()}
    told = Told(number, **counts, corrected=corrected, closed=_close(connection, now, number))
    connection.execute(batch.update().where(batch.c.id == number).values(told=asdict(told)))
    return told


def _picks(
    connection: Connection, now: int, labels: Sequence[Label], imported: bool, held_out: Collection[int]
) -> dict[int, Asked]:
    """The picks that labels are of; imported labels of items without one make them."""
    picks = _asked(connection, [int(one.item) for one in labels])
    unasked = sorted({one.item for one in labels} - picks.keys())
    if unasked and not imported:
        raise LabelError(_never_asked(unasked))
    if unasked:
        _import(connection, now, unasked, held_out)
        # Looked for again: what was imported has picks now.
        picks |= _asked(connection, unasked)
    return picks


def _asked(connection: Connection, items: Sequence[int]) -> dict[int, Asked]:
    """The last pick of each item that has one."""
    found: dict[int, Asked] = {}
    # SQLite takes 32,766 parameters a statement. By id, so that the last pick of an item stays.
    for chunk in chunks(items, 10_000):
        columns = (pick.c.item, pick.c.id, pick.c.state, round_.c.overlap)
        query = select(*columns).join(round_).where(pick.c.item.in_(chunk))
        for item, number, state, overlap in connection.execute(query.where(rounds.was_asked).order_by(pick.c.id)):
            found[item] = (number, state, overlap)
    return found


def _never_asked(items: Sequence[int]) -> str:
    """The sentence about items that no round has picked."""
    subject = f"item {items[0]} was" if len(items) == 1 else f"items {few(items)} were"
    return f"{subject} never asked for; label what a round has picked, or import the labels; nothing was kept"


def _import(connection: Connection, now: int, items: Sequence[int], held_out: Collection[int]) -> None:
    """Gives items that were never asked a pick in a closed round, so that every label belongs to a pick."""
    kept_back = frozenset(held_out)
    picks = [Pick(item, rank, 0.0, item in kept_back) for rank, item in enumerate(items, 1)]
    columns: dict[str, Any] = {key: {} for key in ("settings", "versions", "timings", "monitors")}
    columns |= {"kind": RoundKind.IMPORTED, "strategy": "import", "seed": 0}
    number = rounds.next_number(connection)
    rounds.insert(connection, now, picks, number=number, state=RoundState.CLOSED, closed=now, **columns)


def _author(labels: Sequence[Label]) -> str:
    """Who told the labels, where it was one person."""
    names = {one.annotator for one in labels}
    return names.pop() if len(names) == 1 else ""


def _check_same(connection: Connection, number: int, labels: Sequence[Label], event: str) -> None:
    """Raises LabelError unless a batch told these labels."""
    kept = select(label.c.item, label.c.kind, label.c.value).where(label.c.batch == number).order_by(label.c.id)
    if [tuple(row) for row in connection.execute(kept)] != [(one.item, one.kind, one.value) for one in labels]:
        raise LabelError(used(event))


def _batch(
    connection: Connection, now: int, labels: Sequence[Label], source: str, event: str | None, holder: str | None
) -> int:
    """Adds a batch."""
    source = source.encode("utf-8", "backslashreplace").decode()  # names of files need not be Unicode
    columns = {"event": event, "annotator": _author(labels), "source": source, "holder": holder}
    made = connection.execute(batch.insert().values(**columns, time=now, told={}).returning(batch.c.id))
    return int(made.scalar_one())


def _row(number: int, picked: Asked, one: Label, opinion: bool) -> dict[str, Any]:
    said = None if one.time is None else microseconds(one.time)
    told = {"item": int(one.item), "kind": one.kind.value, "value": one.value, "seconds": one.seconds, "said": said}
    by = {"annotator": one.annotator, "opinion": opinion and picked[2] > 1}
    return {"batch": number, "pick": picked[0], **told, **by}


def settle(connection: Connection, number: int, holder: str | None = None) -> None:
    """Makes each pick that a batch touched what the newest label that stands says: one rule for tell and undo.

    Where only opinions stand, they decide together. Leases end, but those of others than the `holder` who told it.
    """
    told, own, winner = label.alias("told"), label.alias("own"), label.alias("winner")
    newest = select(func.max(own.c.id)).where(own.c.pick == told.c.pick, ~own.c.opinion, opinions.stands(own))
    truth = select(told.c.pick, newest.scalar_subquery().label("label")).where(told.c.batch == number).subquery("truth")
    states = case({kind.value: state.value for kind, state in STATES.items()}, value=winner.c.kind)
    state = select(states).where(winner.c.id == truth.c.label).scalar_subquery()
    values = {"label": truth.c.label, "state": func.coalesce(state, PickState.WAITING.value), "disputed": False}
    # An opinion that is changed takes the image from nobody who looks at it now.
    others = and_(pick.c.leased_by != holder, truth.c.label.is_(None)) if holder else false()
    leases = {name: case((others, pick.c[name]), else_=null()) for name in rounds.NO_LEASE}
    connection.execute(pick.update().where(pick.c.id == truth.c.pick).values({**values, **leases}))
    opinions.settle(connection, number)


def _close(connection: Connection, now: int, number: int) -> int | None:
    """The round that this batch closes, having left none of its picks waiting."""
    current = rounds.open_number(connection)
    waiting = select(pick.c.id).where(pick.c.round == current, pick.c.state == PickState.WAITING).limit(1)
    if current is None or connection.execute(waiting).first():
        return None
    rounds.mark(connection, current, RoundState.OPEN, state=RoundState.CLOSED, closed=now, closed_by=number)
    return current


def truth(connection: Connection, items: Collection[int] | None = None) -> Labels:
    """The answers that stand, by item: of all, or of these `items`."""
    held_out = type_coerce(pick.c.held_out, Integer)  # turning 100,000 rows into bool one by one takes longer
    query = select(pick.c.item, label.c.value, held_out, pick.c.round).join(label, label.c.id == pick.c.label)
    query = query.where(pick.c.state == PickState.ANSWERED).order_by(pick.c.item)
    parts = [query] if items is None else [query.where(pick.c.item.in_(c)) for c in chunks(sorted(items), 10_000)]
    rows = [row for part in parts for row in connection.execute(part)]
    places, values, kept_back, numbers = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Labels(np.array(places, np.int64), list(values), np.array(kept_back, np.bool_), np.array(numbers, np.int64))


def standing(connection: Connection) -> list[Label]:
    """What was last said of each item, and when: answers, skips and ignores; of none that waits. By item."""
    newest = select(func.max(pick.c.id)).where(rounds.was_asked).group_by(pick.c.item)
    time = func.coalesce(label.c.said, batch.c.time)
    columns: list[Any] = [*label.c["item", "value", "kind", "annotator", "seconds"], time]
    query = select(*columns)
    query = query.join(pick, pick.c.label == label.c.id).join(batch, batch.c.id == label.c.batch)
    query = query.where(pick.c.id.in_(newest), pick.c.state.in_(STATES.values())).order_by(label.c.item)
    return [
        Label(item, value, Kind(kind), annotator, seconds, moment(said))
        for item, value, kind, annotator, seconds, said in connection.execute(query)
    ]


def changed(connection: Connection) -> datetime | None:
    """When an answer last became valid or was taken back; None before. An opinion that decides nothing changes none."""
    back = label.alias()
    valid = select(func.max(pick.c.label)).where(pick.c.state == PickState.ANSWERED)
    taken_back = select(func.max(label.c.id)).join(back, back.c.id == label.c.undoes)
    taken_back = taken_back.where(back.c.kind == Kind.ANSWER, ~back.c.opinion)
    last = max(connection.execute(query).scalar() or 0 for query in (valid, taken_back))
    time = connection.execute(select(batch.c.time).join(label).where(label.c.id == last)).scalar()
    return None if time is None else moment(time)


def entries(connection: Connection, after: int, last: int, limit: int) -> list[Entry]:
    """The first entries of the log whose ids are in (after, last]."""
    own = label.c["id", "item", "value", "kind", "annotator"]
    columns: list[Any] = [*own, *batch.c["source", "time", "event"], pick.c.round]
    columns += label.c["seconds", "undoes", "opinion"]
    query = select(*columns)
    query = query.join(batch, batch.c.id == label.c.batch).join(pick, pick.c.id == label.c.pick)
    query = query.where(label.c.id > after, label.c.id <= last).order_by(label.c.id).limit(limit)
    return [Entry(**{**row, "time": moment(row["time"])}) for row in connection.execute(query).mappings()]
