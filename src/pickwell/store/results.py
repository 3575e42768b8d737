"""Statements about results: telling one again replaces it, as a killed run repeats it."""

import math
from collections.abc import Mapping

from sqlalchemy import Connection, select

from pickwell.store.rows import Result, moment
from pickwell.store.tables import result


def record(connection: Connection, now: int, number: int, values: Mapping[str, float], labels: int) -> None:
    """Keeps the numbers measured in a round with so many labels."""
    same = (result.c.round == number, result.c.labels == labels, result.c.metric.in_(values))
    # Not updated in place: ids are to tell in which order things were measured.
    connection.execute(result.delete().where(*same))
    common = {"round": number, "labels": labels, "time": now}
    rows = [{**common, "metric": metric, "value": _stored(float(value))} for metric, value in values.items()]
    if rows:
        connection.execute(result.insert(), rows)


def _stored(value: float) -> float | None:
    return None if math.isnan(value) else value


def results(connection: Connection) -> list[Result]:
    """All numbers, in the order in which they were measured."""
    return [
        Result(r.round, r.labels, r.metric, math.nan if r.value is None else r.value, moment(r.time))
        for r in connection.execute(select(result).order_by(result.c.id))
    ]
