"""Undo by tab, leases that know how long they are, and the picks that wait or are held found at once."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the tab that told a batch, the length of a lease, and indices of the picks that wait and of those held."""
    op.add_column("batch", Column("holder", Text))
    op.create_index("ix_batch_holder", "batch", ["holder"])
    op.add_column("pick", Column("leased_for", BigInteger))
    # The longest that could be set, a day: as far as is known the clock was right.
    op.execute("UPDATE pick SET leased_for = 86400000000 WHERE leased_until IS NOT NULL")
    waits = text("state = 'waiting'")
    op.create_index("pick_waiting", "pick", ["round", "rank"], sqlite_where=waits, postgresql_where=waits)
    held = text("leased_by IS NOT NULL")
    op.create_index("pick_held", "pick", ["leased_by"], sqlite_where=held, postgresql_where=held)
