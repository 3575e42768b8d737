"""Opinions: labels that decide a pick only once as many annotators as its round asks for agree."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, exists, select

from pickwell.items import Kind
from pickwell.store.rows import Dispute, Opinion, moment
from pickwell.store.tables import STATES, UNDO, batch, chunks, label, pick, round_

Given = Mapping[str, Opinion]
"""The newest opinion of each annotator that stands, in order of time."""


def stands(one: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a label has not been taken back."""
    undo = label.alias("undo")
    return sa.and_(one.c.kind != UNDO, ~exists().where(undo.c.undoes == one.c.id))


def has_given(author: str) -> sa.ColumnElement[bool]:
    """Whether an annotator has an opinion of the pick already."""
    own = label.alias("own")
    return exists().where(own.c.pick == pick.c.id, own.c.opinion, own.c.annotator == author, stands(own))


def given(connection: Connection, picks: Iterable[int]) -> dict[int, dict[str, Opinion]]:
    """The opinions of each of these picks that has any."""
    columns: list[Any] = [*label.c["pick", "id", "annotator", "kind", "value"], batch.c.time]
    query = select(*columns).join(batch, batch.c.id == label.c.batch)
    query = query.where(label.c.opinion, stands(label)).order_by(label.c.id)
    found: dict[int, dict[str, Opinion]] = defaultdict(dict)
    for chunk in chunks(picks, 10_000):
        for number, id_, annotator, kind, value, time in connection.execute(query.where(label.c.pick.in_(chunk))):
            found[number].pop(annotator, None)  # a newer one comes after those of others
            found[number][annotator] = Opinion(id_, annotator, Kind(kind), value, moment(time))
    return found


def settle(connection: Connection, number: int) -> None:
    """Decides the picks that a batch touched by their opinions, where no label alone has decided them."""
    # Most campaigns ask one annotator an image: they pay for one small query.
    if connection.execute(select(round_.c.number).where(round_.c.overlap > 1).limit(1)).first() is None:
        return
    query = select(pick.c.id, round_.c.overlap).join(round_).join(label, label.c.pick == pick.c.id)
    rows = connection.execute(query.where(label.c.batch == number, pick.c.label.is_(None))).all()
    asked = {row.id: row.overlap for row in rows}
    for picked, opinions in given(connection, asked).items():
        if len(opinions) >= asked[picked]:
            connection.execute(pick.update().where(pick.c.id == picked).values(**verdict(opinions)))


def verdict(opinions: Given) -> dict[str, object]:
    """What enough opinions make of a pick: decided by the newest where all say the same, else disputed."""
    *_, newest = opinions.values()
    if len({(one.kind, one.value) for one in opinions.values()}) > 1:
        return {"disputed": True}
    return {"state": STATES[newest.kind].value, "label": newest.id}


def disputes(connection: Connection, limit: int = 200) -> list[Dispute]:
    """The first images, by round and rank, of which the opinions differ, and which nobody has decided.

    Those asked again since are left out.
    """
    later = pick.alias("later")
    query = select(*pick.c["id", "item", "round", "rank"]).where(pick.c.disputed)
    query = query.where(~exists().where(later.c.item == pick.c.item, later.c.id > pick.c.id))
    rows = connection.execute(query.order_by(pick.c.round, pick.c.rank).limit(limit)).all()
    opinions = given(connection, [row.id for row in rows])
    return [Dispute(row.item, row.round, row.rank, tuple(opinions[row.id].values())) for row in rows]
