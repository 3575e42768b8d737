"""A label that comes from a file knows when it was said."""

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the time at which a label was said, where that was before it was told."""
    op.add_column("label", Column("said", BigInteger))
