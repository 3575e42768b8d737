"""Several opinions of one image, and remarks about images."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text

revision = "0002"
down_revision = "0001"

Id = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Adds columns whose defaults say what older campaigns did, and one table."""
    op.add_column("round", Column("overlap", Integer, nullable=False, server_default="1"))
    op.add_column("pick", Column("disputed", Boolean, nullable=False, server_default=sa.false()))
    op.add_column("label", Column("opinion", Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "remark",
        Column("id", Id, primary_key=True),
        Column("event", Text, nullable=False, unique=True),
        Column("item", BigInteger, nullable=False, index=True),
        Column("annotator", Text, nullable=False),
        Column("flag", Boolean, nullable=False),
        Column("note", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
    )
