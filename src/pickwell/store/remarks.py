"""Remarks: flags and notes that people leave at images, beside the labels."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from pickwell.store.rows import Remark, moment
from pickwell.store.tables import chunks, remark


def keep(connection: Connection, now: int, made: Remark) -> Remark:
    """Adds a remark, and returns the one of that event: the same event again adds nothing."""
    found = connection.execute(select(remark).where(remark.c.event == made.event)).one_or_none()
    if found is None:
        values = {name: getattr(made, name) for name in ("event", "item", "annotator", "flag", "note")}
        connection.execute(remark.insert().values(**values, time=now))
        found = connection.execute(select(remark).where(remark.c.event == made.event)).one()
    return Remark(found.item, found.event, found.annotator, found.flag, found.note, moment(found.time))


def newest(connection: Connection, items: Sequence[int]) -> dict[int, Remark]:
    """What was remarked last about each of these items; those without a remark are left out."""
    found: dict[int, Remark] = {}
    for chunk in chunks(items, 10_000):
        last = select(func.max(remark.c.id)).where(remark.c.item.in_(chunk)).group_by(remark.c.item)
        for row in connection.execute(select(remark).where(remark.c.id.in_(last))):
            found[row.item] = Remark(row.item, row.event, row.annotator, row.flag, row.note, moment(row.time))
    return found
