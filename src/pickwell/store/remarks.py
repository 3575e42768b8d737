"""Remarks: flags and notes that people leave at images, beside the labels."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, select

from pickwell.errors import LabelError
from pickwell.store.rows import Remark, moment
from pickwell.store.tables import chunks, remark
from pickwell.store.texts import check_text, used


def keep(connection: Connection, now: int, made: Remark) -> Remark:
    """Keeps a flag and a note beside an item; the newest stands. The same event again keeps nothing.

    Raises LabelError for an event that was another's, or a text that cannot be stored.
    """
    check_text("remark", made.note)
    check_text("remark", made.annotator)
    same = select(remark).where(remark.c.event == made.event)
    if not connection.execute(same).first():
        values = {name: getattr(made, name) for name in ("event", "item", "annotator", "flag", "note")}
        connection.execute(remark.insert().values(**values, time=now))
    kept = _remark(connection.execute(same).one())
    if replace(kept, time=None) != made:
        raise LabelError(used(made.event))
    return kept


def newest(connection: Connection, items: Sequence[int]) -> dict[int, Remark]:
    """What was remarked last about each of these items, as far as there is something."""
    found: dict[int, Remark] = {}
    for chunk in chunks(items, 10_000):
        last = select(func.max(remark.c.id)).where(remark.c.item.in_(chunk)).group_by(remark.c.item)
        found |= {row.item: _remark(row) for row in connection.execute(select(remark).where(remark.c.id.in_(last)))}
    return found


def _remark(row: Row[Any]) -> Remark:
    return Remark(row.item, row.event, row.annotator, row.flag, row.note, moment(row.time))
