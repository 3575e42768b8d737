"""Statements about results: telling one again replaces it, as a killed run repeats it."""

import math
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from pickwell.store.rows import Result, microseconds, moment
from pickwell.store.tables import insert_all, result


def record(
    connection: Connection,
    now: int,
    round: int,  # noqa: A002
    values: Mapping[str, float],
    *,
    labels: int,
    known: datetime | None = None,
) -> None:
    """Keeps what was measured in a round by a model that had learnt from so many labels; again replaces it.

    `known` is when the last of these labels changed, as `changed` has it; now unless given.
    """
    same = (result.c.round == round, result.c.labels == labels, result.c.metric.in_(values))
    # Not updated in place: ids are to tell in which order things were measured.
    connection.execute(result.delete().where(*same))
    common = {"round": round, "labels": labels, "time": now if known is None else microseconds(known)}
    kept = {metric: None if math.isnan(value) else float(value) for metric, value in values.items()}
    insert_all(connection, result, ({**common, "metric": metric, "value": value} for metric, value in kept.items()))


def results(connection: Connection) -> list[Result]:
    """All that was measured, in order of time."""
    return [
        Result(r.round, r.labels, r.metric, math.nan if r.value is None else r.value, moment(r.time))
        for r in connection.execute(select(result).order_by(result.c.id))
    ]
