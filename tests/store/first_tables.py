"""The tables that the first version made, as older databases still have them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Double, ForeignKey, Integer, Text, UniqueConstraint

Id = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables of an empty database."""
    _campaign()
    _rounds()
    _labels()
    _results()


def _campaign() -> None:
    op.create_table(
        "campaign",
        Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        Column("name", Text, nullable=False),
        Column("seed", BigInteger, nullable=False),
        Column("settings", Text, nullable=False),
        Column("versions", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
    )


def _rounds() -> None:
    op.create_table(
        "batch",
        Column("id", Id, primary_key=True),
        Column("event", Text, unique=True),
        Column("annotator", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("told", Text, nullable=False),
        Column("undoes", Id, ForeignKey("batch.id"), unique=True),
    )
    op.create_table(
        "round",
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("state", Text, CheckConstraint("state IN ('open', 'closed', 'abandoned')"), nullable=False),
        Column("strategy", Text, nullable=False),
        Column("seed", BigInteger, nullable=False),
        Column("settings", Text, nullable=False),
        Column("versions", Text, nullable=False),
        Column("timings", Text, nullable=False),
        Column("monitors", Text, nullable=False),
        Column("opened", BigInteger, nullable=False),
        Column("closed", BigInteger),
        Column("position", BigInteger, nullable=False),
        Column("closed_by", Id, ForeignKey("batch.id")),
    )
    is_open = sa.text("state = 'open'")
    op.create_index("round_one_open", "round", ["state"], unique=True, sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "pick",
        Column("id", Id, primary_key=True),
        Column("round", Integer, ForeignKey("round.number"), nullable=False),
        Column("item", BigInteger, nullable=False),
        Column("rank", Integer, nullable=False),
        Column("score", Double),
        Column("held_out", Boolean, nullable=False),
        Column(
            "state", Text, CheckConstraint("state IN ('waiting', 'answered', 'skipped', 'ignored')"), nullable=False
        ),
        Column("label", BigInteger),
        Column("leased_by", Text),
        Column("leased_until", BigInteger),
        UniqueConstraint("round", "rank"),
        UniqueConstraint("item", "round"),
    )
    decided = sa.text("state IN ('answered', 'ignored')")
    op.create_index("pick_one_decided", "pick", ["item"], unique=True, sqlite_where=decided, postgresql_where=decided)


def _labels() -> None:
    op.create_table(
        "label",
        Column("id", Id, primary_key=True),
        Column("batch", Id, ForeignKey("batch.id"), nullable=False, index=True),
        Column("pick", Id, ForeignKey("pick.id"), nullable=False, index=True),
        Column("item", BigInteger, nullable=False),
        Column("kind", Text, CheckConstraint("kind IN ('answer', 'skip', 'ignore', 'undo')"), nullable=False),
        Column("value", Text),
        Column("annotator", Text, nullable=False),
        Column("seconds", Double),
        Column("undoes", Id, ForeignKey("label.id"), unique=True),
    )


def _results() -> None:
    op.create_table(
        "result",
        Column("id", Id, primary_key=True),
        Column("round", Integer, nullable=False),
        Column("run", Text, nullable=False),
        Column("labels", BigInteger, nullable=False),
        Column("metric", Text, nullable=False),
        Column("value", Double),
        Column("time", BigInteger, nullable=False),
        UniqueConstraint("run", "round", "labels", "metric"),
    )
    op.create_table(
        "artifact",
        Column("id", Id, primary_key=True),
        Column("round", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("path", Text, nullable=False, unique=True),
        Column("sha256", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
    )
