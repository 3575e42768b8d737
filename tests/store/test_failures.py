"""Each way in which a database can fail has its sentence, and leaves what was there."""

import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.stores import ask, tell, truth

from pickwell.errors import BusyError, StoreError
from pickwell.store import Store
from pickwell.store.failures import translated

Make = Callable[..., Store]


def damaged(path: Path, start: int, length: int) -> None:
    content = bytearray(path.read_bytes())
    content[start : start + length] = b"\xa5" * length
    path.write_bytes(content)


def filled(make: Make, url: str) -> None:
    with make(url) as store:
        ask(store, range(2000))
        tell(store, dict.fromkeys(range(1000), "cat"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no campaign database at .*a\.db; make the campaign with 'pickwell"):
        Store.open(f"sqlite:///{tmp_path}/a.db")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the directory of the campaign database .*b/a\.db does not exist"):
        Store.open(f"sqlite:///{tmp_path}/b/a.db", create=True)


def test_a_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(str(tmp_path), create=True)


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "nonsense://", ""])
def test_a_url_of_something_else(url: str) -> None:
    with pytest.raises(StoreError, match=f"cannot keep a campaign in '{url}'; give a file"):
        Store.open(url, create=True)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("item,label\n" * 500)
    with pytest.raises(StoreError, match=r"a\.db is not a database \(file is not a database\); check the path"):
        Store.open(str(path))
    assert path.read_text() == "item,label\n" * 500


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    with pytest.raises(StoreError, match=r"a\.db is empty, no campaign is in it"):
        Store.open(str(tmp_path / "a.db"))


def test_a_damaged_file(make: Make, sqlite: str, tmp_path: Path) -> None:
    filled(make, sqlite)
    path = tmp_path / "campaign.db"
    damaged(path, 4096, path.stat().st_size - 4096)
    with pytest.raises(StoreError, match=r"is damaged \(database disk image is malformed\); put back a copy"):
        Store.open(sqlite)


def test_damage_that_shows_only_later(make: Make, sqlite: str, tmp_path: Path) -> None:
    filled(make, sqlite)
    path = tmp_path / "campaign.db"
    damaged(path, path.stat().st_size // 2, path.stat().st_size // 2)
    with Store.open(sqlite) as store, pytest.raises(StoreError, match="is damaged"):
        store.labels()


def test_a_locked_file(make: Make, sqlite: str, tmp_path: Path) -> None:
    store = make(sqlite, patience=0.05)
    ask(store, [1, 2])
    other = sqlite3.connect(tmp_path / "campaign.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="is in use by another process that did not finish in time; nothing was chang"):
        tell(store, {1: "cat"})
    assert (truth(store), store.position()) == ({}, 0)  # readers do not wait
    other.close()
    tell(store, {1: "cat"})
    assert truth(store) == {1: "cat"}


def test_a_writer_waits_for_another_one(make: Make, postgresql: str) -> None:
    first, second = make(postgresql), make(postgresql, patience=0.05)
    ask(first, [1])
    with first._database.writing():
        with pytest.raises(BusyError, match="in use by another process"):
            tell(second, {1: "cat"})
        assert [p.item for p in second.lease("ann", 1, 60)] == [1]  # leases pass
    assert tell(second, {1: "cat"}).closed == 1


def test_a_read_only_file_can_be_read(make: Make, sqlite: str, tmp_path: Path) -> None:
    with make(sqlite) as store:
        ask(store, [1])
    with Store.open(f"sqlite:///file:{tmp_path}/campaign.db?mode=ro&uri=true") as store:
        assert [r.number for r in store.rounds()] == [1]
        with pytest.raises(StoreError, match=r"campaign\.db cannot be written: it is read-only; nothing was changed"):
            tell(store, {1: "cat"})
        assert truth(store) == {}


def test_a_read_only_server(make: Make, postgresql: str) -> None:
    ask(make(postgresql), [1])
    url = postgresql + "%20-cdefault_transaction_read_only%3Don"
    with Store.open(url) as store, pytest.raises(StoreError, match="it is read-only"):
        tell(store, {1: "cat"})


def test_a_full_disk_keeps_nothing_of_the_batch(make: Make, sqlite: str) -> None:
    store = make(sqlite)
    ask(store, range(5000))
    tell(store, {0: "cat"})
    with store._database.engine.connect() as connection:  # the only one of the pool
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match=r"campaign\.db has no room left on its disk; nothing of this was kept: free"):
        tell(store, dict.fromkeys(range(1, 5000), "a long name of a class"))
    assert (truth(store), store.position()) == ({0: "cat"}, 1)
    assert {p.state for p in store.round(1).picks if p.item} == {"waiting"}


def test_a_server_that_does_not_answer() -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"postgresql://ann:secret@127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(
            StoreError, match=r"ann:\*\*\*@127.* cannot be reached \(connection .*check that the server"
        ):
            Store.open(url)


def test_a_database_that_the_server_does_not_have(server: str) -> None:
    with pytest.raises(StoreError, match=r'cannot be reached \(.*"nowhere" does not exist\)'):
        Store.open(sa.make_url(server).set(database="nowhere").render_as_string())


def test_psycopg_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"needs psycopg; install it with 'pip install pickwell\[postgresql\]'"):
        Store.open("postgresql://host/name")


def test_a_fault_in_the_middle_undoes_the_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(store, [1])

    def settle(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pickwell.store.label_log.settle", settle)
    with pytest.raises(ZeroDivisionError):
        tell(store, {1: "cat"}, event="a")
    monkeypatch.undo()
    assert (store.position(), [p.item for p in store.round(1).waiting]) == (0, [1])
    assert not tell(store, {1: "cat"}, event="a").repeated


def test_a_disk_that_fails_may_be_full() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    with pytest.raises(StoreError, match=r"\(disk I/O error\); check that its disk has room left"), translated("a.db"):
        raise error
