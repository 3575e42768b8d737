"""Rounds know whether they were asked or imported; what nothing ever wrote is gone."""

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, Text, UniqueConstraint

revision = "0003"
down_revision = "0002"

Id = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Adds the kind of a round; drops the artifacts, and of the results the column `run`, which was always empty."""
    op.add_column("round", Column("kind", Text, nullable=False, server_default="asked"))
    op.execute("UPDATE round SET kind = 'imported' WHERE strategy = 'import'")
    op.drop_table("artifact")
    # A table made anew: SQLite drops no column that a constraint names.
    op.rename_table("result", "result_before")
    op.create_table(
        "result",
        Column("id", Id, primary_key=True),
        Column("round", Integer, nullable=False),
        Column("labels", BigInteger, nullable=False),
        Column("metric", Text, nullable=False),
        Column("value", Double),
        Column("time", BigInteger, nullable=False),
        UniqueConstraint("round", "labels", "metric"),
    )
    columns = "round, labels, metric, value, time"
    op.execute(f"INSERT INTO result ({columns}) SELECT {columns} FROM result_before WHERE run = '' ORDER BY id")  # noqa: S608
    op.drop_table("result_before")
