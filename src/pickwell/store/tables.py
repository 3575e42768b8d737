"""The tables. Migrations bring those of older databases to the same; a test holds the two together."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Double, ForeignKey, Index, Integer, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from pickwell.items import Kind, PickState


class Json(sa.TypeDecorator[Any]):
    """JSON as text: the databases' own JSON types refuse the NaN of a diverged loss, or forget the order of keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str:
        return json.dumps(value, default=_plain)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return json.loads(value or "null")


def _plain(value: Any) -> Any:
    """The plain Python value of an array, a tensor, a mapping or a path."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return dict(value) if isinstance(value, Mapping) else str(value)


_T = TypeVar("_T")

# SQLite numbers rows by itself only under the exact type INTEGER, which has 64 bits there.
Id = BigInteger().with_variant(Integer, "sqlite")
STATES = {Kind.ANSWER: PickState.ANSWERED, Kind.SKIP: PickState.SKIPPED, Kind.IGNORE: PickState.IGNORED}
"""What a label makes of its pick."""
UNDO = "undo"
metadata = sa.MetaData()

campaign = Table(
    "campaign",
    metadata,
    # One row at most: a database is one campaign.
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("settings", Json, nullable=False),
    Column("versions", Json, nullable=False),
    Column("created", BigInteger, nullable=False),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event", Text, unique=True),
    Column("annotator", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("told", Json, nullable=False),
    Column("undoes", Id, ForeignKey("batch.id"), unique=True),
    # The tab of a browser that told it, as leases name it: undo at a tab takes back what was told there.
    Column("holder", Text, index=True),
)

round_ = Table(
    "round",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, CheckConstraint("state IN ('open', 'closed', 'abandoned')"), nullable=False),
    Column("strategy", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("settings", Json, nullable=False),
    Column("versions", Json, nullable=False),
    Column("timings", Json, nullable=False),
    Column("monitors", Json, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("position", BigInteger, nullable=False),
    Column("closed_by", Id, ForeignKey("batch.id")),
    Column("overlap", Integer, nullable=False, server_default="1"),
    Column("kind", Text, nullable=False, server_default="asked"),
)
# At most one round is open, even if a writer forgets our locks. Literals: partial indices take no parameters.
_open = round_.c.state == sa.literal_column("'open'")
Index("round_one_open", round_.c.state, unique=True, sqlite_where=_open, postgresql_where=_open)

pick = Table(
    "pick",
    metadata,
    Column("id", Id, primary_key=True),
    Column("round", Integer, ForeignKey("round.number"), nullable=False),
    Column("item", BigInteger, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("score", Double),
    Column("held_out", Boolean, nullable=False),
    Column("state", Text, CheckConstraint("state IN ('waiting', 'answered', 'skipped', 'ignored')"), nullable=False),
    # No foreign key: labels refer to picks already, and one table must come first.
    Column("label", BigInteger),
    Column("leased_by", Text),
    Column("leased_until", BigInteger),
    Column("leased_for", BigInteger),
    # No state of its own: a disputed pick waits, until somebody decides.
    Column("disputed", Boolean, nullable=False, server_default=sa.false()),
    Unique("round", "rank"),
    # In this order it is also the index by which items are looked up.
    Unique("item", "round"),
)
waits = pick.c.state == sa.literal_column("'waiting'")
"""Whether a pick waits; a literal in queries too, or SQLite would not use the index."""
Index("pick_waiting", pick.c.round, pick.c.rank, sqlite_where=waits, postgresql_where=waits)
_held = pick.c.leased_by.is_not(None)
Index("pick_held", pick.c.leased_by, sqlite_where=_held, postgresql_where=_held)
# An item is decided by one pick at most.
_decided = pick.c.state.in_([sa.literal_column("'answered'"), sa.literal_column("'ignored'")])
Index("pick_one_decided", pick.c.item, unique=True, sqlite_where=_decided, postgresql_where=_decided)

label = Table(
    "label",
    metadata,
    Column("id", Id, primary_key=True),
    Column("batch", Id, ForeignKey("batch.id"), nullable=False, index=True),
    Column("pick", Id, ForeignKey("pick.id"), nullable=False, index=True),
    Column("item", BigInteger, nullable=False),
    Column("kind", Text, CheckConstraint("kind IN ('answer', 'skip', 'ignore', 'undo')"), nullable=False),
    Column("value", Text),
    Column("annotator", Text, nullable=False),
    Column("seconds", Double),
    # Unique: nothing is taken back twice.
    Column("undoes", Id, ForeignKey("label.id"), unique=True),
    Column("opinion", Boolean, nullable=False, server_default=sa.false()),
    # Where a file tells what was said before: when that was. Else the time is its batch's.
    Column("said", BigInteger),
)

# No foreign key to `round`: what is measured before the first round closes belongs to round 0.
result = Table(
    "result",
    metadata,
    Column("id", Id, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("metric", Text, nullable=False),
    Column("value", Double),
    Column("time", BigInteger, nullable=False),
    Unique("round", "labels", "metric"),
)

remark = Table(
    "remark",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event", Text, nullable=False, unique=True),
    Column("item", BigInteger, nullable=False, index=True),
    Column("annotator", Text, nullable=False),
    Column("flag", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)


def insert_all(connection: sa.Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Inserts any number of rows in chunks, so that a million need little memory."""
    for chunk in chunks(rows, 10_000):
        connection.execute(table.insert(), chunk)


def chunks(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The values in lists of `size`, the last one shorter."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
