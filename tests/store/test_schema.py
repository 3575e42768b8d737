from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pickwell.errors import StoreError, VersionError
from pickwell.store import Store, schema
from pickwell.store.tables import metadata


def engine_of(store: Store) -> sa.Engine:
    return store._database.engine


def test_migrations_make_the_tables_that_the_statements_use(store: Store) -> None:
    with engine_of(store).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.TABLE})
        assert compare_metadata(context, metadata) == []
        assert schema.version(connection) == schema.HEAD


def test_the_known_head_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(files("pickwell.store") / "migrations"))
    assert script.get_current_head() == schema.HEAD


def test_opening_again_keeps_what_was_there(make: Callable[[str], Store], url: str) -> None:
    make(url).create_campaign(name="one", seed=1, settings={}, versions={})
    with Store.open(url) as store:
        assert store.campaign().name == "one"


def test_a_newer_database_is_refused_and_left_alone(make: Callable[[str], Store], url: str) -> None:
    store = make(url)
    with engine_of(store).begin() as connection:
        connection.execute(sa.text(f"UPDATE {schema.TABLE} SET version_num = '0999'"))
    for create in (False, True):
        with pytest.raises(VersionError, match=r"newer Pickwell \(schema 0999; this one knows up to 0001\).*upgrade"):
            Store.open(url, create=create)


def test_a_migration_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stamp(*_: object) -> None:
        raise RuntimeError("the power fails")

    with monkeypatch.context() as patch:
        patch.setattr(MigrationContext, "stamp", stamp)
        with pytest.raises(RuntimeError, match="the power fails"):
            Store.open(url, create=True)
    with pytest.raises(StoreError, match="is empty, no campaign is in it; make one with 'pickwell init'"):
        Store.open(url)
    with Store.open(url, create=True) as store:
        assert store.rounds() == []


def test_a_database_of_something_else_is_refused(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE recipes (id INTEGER)"))
    engine.dispose()
    for create in (False, True):
        with pytest.raises(StoreError, match=r"belongs to something else \(its tables: recipes\); give the campaign"):
            Store.open(url, create=create)


def test_sqlite_is_durable(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "odd ?#%41 name.db"), create=True) as store:
        with engine_of(store).connect() as connection:
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            found = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]
        assert found == ["wal", 2, 1, 10_000]
    assert (tmp_path / "odd ?#%41 name.db").stat().st_size > 0
