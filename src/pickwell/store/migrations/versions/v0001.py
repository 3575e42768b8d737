"""The first tables: a new database gets those of `tables` at once, an older one has them."""

revision = "0001"
down_revision = None
