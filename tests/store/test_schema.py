from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from tests.store import first_tables
from tests.store.stores import states, tell, truth

from pickwell.errors import StoreError, VersionError
from pickwell.items import RoundKind
from pickwell.store import Store, schema
from pickwell.store.database import Database
from pickwell.store.tables import metadata


def engine_of(store: Store) -> sa.Engine:
    return store._database.engine


def test_a_new_database_has_the_tables_that_the_statements_use(store: Store) -> None:
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
        with pytest.raises(VersionError, match=r"newer Pickwell \(schema 0999; this one knows up to 0005\).*upgrade"):
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


FIRST = (
    "INSERT INTO round VALUES (1, 'open', 'vaal', 7, '{}', '{}', '{}', '{}', 5, NULL, 0, NULL)",
    "INSERT INTO pick (id, round, item, rank, score, held_out, state) VALUES (1, 1, 4, 1, 0.5, FALSE, 'answered')",
    "INSERT INTO pick (id, round, item, rank, score, held_out, state) VALUES (2, 1, 6, 2, 0.5, FALSE, 'waiting')",
    "INSERT INTO batch (event, annotator, source, time, told) VALUES ('e', 'ann', 'page', 6, '{}')",
    "INSERT INTO label (batch, pick, item, kind, value, annotator) VALUES (1, 1, 4, 'answer', 'cat', 'ann')",
    "UPDATE pick SET label = 1 WHERE id = 1",
)


SECOND = (
    "INSERT INTO round VALUES (1, 'closed', 'import', 0, '{}', '{}', '{}', '{}', 5, 5, 0, NULL, 1)",
    "INSERT INTO round VALUES (2, 'open', 'vaal', 7, '{}', '{}', '{}', '{}', 5, NULL, 0, NULL, 3)",
    "INSERT INTO result (round, run, labels, metric, value, time) VALUES (1, '', 9, 'accuracy', 0.5, 8)",
    "INSERT INTO result (round, run, labels, metric, value, time) VALUES (0, '', 4, 'accuracy', 0.25, 7)",
    "INSERT INTO artifact (round, kind, path, sha256, time) VALUES (1, 'checkpoint', 'a', 'b', 7)",
)


def make_older(url: str, revisions: Sequence[str], statements: Sequence[str]) -> None:
    """Makes a database by the first migrations alone, with what the statements put into it."""
    script = ScriptDirectory(str(files("pickwell.store") / "migrations"))
    database = Database(url, 10)
    with database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.TABLE})
        with Operations.context(context):
            first_tables.upgrade()
            for revision in revisions[1:]:
                script.get_revision(revision).module.upgrade()
        context.stamp(script, revisions[-1])
        for statement in statements:
            connection.execute(sa.text(statement))
    database.close()


def test_rounds_of_older_versions_know_their_kind_and_results_stay(url: str) -> None:
    make_older(url, ("0001", "0002"), SECOND)
    with Store.open(url) as store:
        with engine_of(store).connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": schema.TABLE})
            assert compare_metadata(context, metadata) == []
        found = [(r.number, r.kind, r.strategy, r.overlap) for r in store.rounds()]
        assert found == [(1, RoundKind.IMPORTED, "import", 1), (2, RoundKind.ASKED, "vaal", 3)]
        store.record(2, {"accuracy": 0.75}, labels=20)
        store.record(0, {"accuracy": 0.125}, labels=4)
        assert [(r.round, r.labels, r.value) for r in store.results()] == [(1, 9, 0.5), (2, 20, 0.75), (0, 4, 0.125)]


def test_a_database_of_the_first_version_is_brought_to_this_one(url: str) -> None:
    """With a round half answered: nothing of it changes, and all goes on."""
    make_older(url, ("0001",), FIRST)
    with Store.open(url) as store:
        with engine_of(store).connect() as connection:
            assert schema.version(connection) == schema.HEAD
            context = MigrationContext.configure(connection, opts={"version_table": schema.TABLE})
            assert compare_metadata(context, metadata) == []
        assert (store.round(1).kind, store.results()) == (RoundKind.ASKED, [])
        assert (truth(store), states(store, 1)) == ({4: "cat"}, {4: "answered", 6: "waiting"})
        assert (store.round(1).overlap, store.remarks([4]), store.disputes()) == (1, {}, [])
        assert tell(store, {6: "dog"}).closed == 1
        assert [len(store.undo()), len(store.undo()), len(store.undo())] == [1, 1, 0]
        assert states(store, 1) == {4: "waiting", 6: "waiting"}


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "a.db"), create=True) as store:
        store.create_campaign(name="one", seed=1, settings={}, versions={})
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)


def test_sqlite_is_durable(tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "odd ?#%41 name.db"), create=True) as store:
        with engine_of(store).connect() as connection:
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            found = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]
        assert found == ["wal", 2, 1, 10_000]
    assert (tmp_path / "odd ?#%41 name.db").stat().st_size > 0
