from pickwell.testing.store_contract import StoreContract


class TestStore(StoreContract):
    """On SQLite and on PostgreSQL: the fixtures `store` and `clock` are in conftest.py."""
