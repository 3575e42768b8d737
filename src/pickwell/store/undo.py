"""Taking back what was told last."""

from sqlalchemy import Connection, and_, exists, func, select

from pickwell.errors import RoundError
from pickwell.items import Kind, Label, PickState, RoundKind, RoundState
from pickwell.store.label_log import repeated, settle
from pickwell.store.leases import hold
from pickwell.store.tables import UNDO, batch, insert_all, label, pick, round_


def undo(
    connection: Connection,
    now: int,
    *,
    annotator: str | None = None,
    event: str | None = None,
    holder: str | None = None,
    seconds: float = 0,
    of: str | None = None,
) -> list[Label]:
    """Takes back the last batch told, any depth; returns its labels, none left: [].

    With an `annotator` the last one that they told with an event, as a page does: never a file that was imported. With
    a `holder`, which is one of their tabs, the last one told there, and its items are leased to it for so many seconds
    before anybody else sees them wait. `of` names the event of another one of theirs.

    Its picks wait again, or what they were told before stands again; a round that it had closed opens again.
    Raises RoundError when another round was opened since. The same `event` again undoes nothing more.
    """
    if before := repeated(connection, event, annotator or "", undone=True):
        made: int | None = before[0]
    else:
        made = _take_back(connection, now, _last(connection, annotator, holder, of), annotator, event)
    labels = [] if made is None else _undone(connection, made)
    if labels and holder is not None:
        hold(connection, now, holder, [one.item for one in labels], seconds)
    return labels


def _take_back(
    connection: Connection, now: int, last: int | None, annotator: str | None, event: str | None
) -> int | None:
    """The batch that takes back the batch `last`; None where there is none, and no event either."""
    # What nobody could undo is kept too, if it has an event: sent again later, it must not undo what was told since.
    if last is None and event is None:
        return None
    if last is not None:
        _refuse_used(connection, last)
    columns = {"annotator": annotator or "", "source": UNDO, "time": now, "told": {}, "undoes": last, "event": event}
    made = int(connection.execute(batch.insert().values(columns).returning(batch.c.id)).scalar_one())
    if last is not None:
        insert_all(connection, label, _rows(connection, last, made))
        settle(connection, made)
        _reopen(connection, made)
        _forget_import(connection, made)
    return made


def _last(connection: Connection, annotator: str | None, holder: str | None, of: str | None) -> int | None:
    """The newest batch of labels that no other batch has undone.

    An annotator's own are those with an event, which each click sends: files have none, whoever filled them in.
    """
    later = batch.alias()
    query = select(batch.c.id).where(batch.c.source != UNDO, ~exists().where(later.c.undoes == batch.c.id))
    if annotator is not None:
        query = query.where(batch.c.annotator == annotator, batch.c.event.is_not(None))
    if of is not None:
        query = query.where(batch.c.event == of)
    elif holder is not None:
        query = query.where(batch.c.holder == holder)
    return connection.execute(query.order_by(batch.c.id.desc()).limit(1)).scalar()


def _refuse_used(connection: Connection, number: int) -> None:
    """Raises RoundError when a round was opened later: its picks were chosen knowing these labels."""
    first = select(func.min(label.c.id)).where(label.c.batch == number).scalar_subquery()
    # A round's position is how long the log was when it opened: from `first` on it knew these labels.
    knew = round_.c.kind == RoundKind.ASKED, round_.c.position >= first
    later = connection.execute(select(func.max(round_.c.number)).where(*knew)).scalar()
    if later is not None:
        raise RoundError(
            f"the last labels cannot be undone: round {later} was opened since, knowing them; "
            "correct them by telling the right ones"
        )


def _rows(connection: Connection, last: int, made: int) -> list[dict[str, object]]:
    """The entries that take back those of the batch `last`."""
    found = connection.execute(select(label).where(label.c.batch == last).order_by(label.c.id))
    return [
        {"batch": made, "pick": r.pick, "item": r.item, "kind": UNDO, "annotator": r.annotator, "undoes": r.id}
        for r in found
    ]


def _reopen(connection: Connection, made: int) -> None:
    """Opens the round again that answers had closed, now that some of its picks wait again."""
    waits = select(pick.c.round).join(label, label.c.pick == pick.c.id)
    waits = waits.where(label.c.batch == made, pick.c.state == PickState.WAITING)
    other = round_.alias()
    free = ~exists().where(other.c.state == RoundState.OPEN)
    # A round that somebody closed by hand stays closed: no batch is noted as its closer.
    closed = and_(round_.c.state == RoundState.CLOSED, round_.c.closed_by.is_not(None), round_.c.number.in_(waits))
    values = {"state": RoundState.OPEN, "closed": None, "closed_by": None}
    connection.execute(round_.update().where(closed, free).values(values))


def _forget_import(connection: Connection, made: int) -> None:
    """Abandons a round of imported labels none of which is left."""
    touched = select(pick.c.round).join(label, label.c.pick == pick.c.id).where(label.c.batch == made)
    left = exists().where(pick.c.round == round_.c.number, pick.c.label.is_not(None))
    imported = and_(round_.c.kind == RoundKind.IMPORTED, round_.c.number.in_(touched))
    connection.execute(round_.update().where(imported, ~left).values(state=RoundState.ABANDONED))


def _undone(connection: Connection, made: int) -> list[Label]:
    """The labels that an undo took back."""
    back = label.alias()
    query = select(label).join(back, back.c.undoes == label.c.id).where(back.c.batch == made).order_by(label.c.id)
    return [Label(r.item, r.value, Kind(r.kind), r.annotator, r.seconds) for r in connection.execute(query)]
