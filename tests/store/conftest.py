"""Databases to test on: a SQLite file, and a schema of its own on a PostgreSQL server started for the tests."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from pickwell.store import Store
from pickwell.testing.store_contract import Clock

_numbers = count()


def _binaries() -> Path | None:
    """The folder of an installed PostgreSQL server."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(packaged[-1]) if packaged else None)
    return Path(found).resolve().parent if found else None


def _run(*command: object) -> None:
    # PostgreSQL refuses to run as root.
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*other, *map(str, command)], check=True, capture_output=True, timeout=60, cwd="/")


def _installed(binaries: Path) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # pytest's own paths are too long for a socket
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _run(binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        _run(binaries / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            _run(binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bundled() -> Iterator[str]:
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: install its server, or the package pgserver")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server; skips where none can be had."""
    pytest.importorskip("psycopg", reason="no PostgreSQL: psycopg is not installed")
    binaries = _binaries()
    try:
        yield from _installed(binaries) if binaries else _bundled()
    except (OSError, LookupError, subprocess.SubprocessError) as error:
        pytest.skip(f"no PostgreSQL: its server does not start here ({error})")


@pytest.fixture
def postgresql(server: str) -> Iterator[str]:
    """The URL of an empty schema."""
    schema = f"test{next(_numbers)}"
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'campaign.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Callable[[str], Store]]:
    """Opens stores that are closed after the test, making the database and its campaign where they are missing."""
    stores = []

    def make(url: str, *, patience: float = 10.0) -> Store:
        store = Store.open(url, create=True, clock=clock, patience=patience)
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(make: Callable[[str], Store], url: str) -> Store:
    return make(url)
