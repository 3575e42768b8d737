"""Databases to test on: a SQLite file, and a schema of its own on a PostgreSQL server started for the tests."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from pwd import getpwall

import pytest
import sqlalchemy as sa
from tests.store.stores import Clock

from pickwell.store import Store

_numbers = count()


def _binaries() -> Path:
    """The folder of a PostgreSQL server: the system's, or the one inside the package pgserver."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (packaged[-1] if packaged else None)
    if found:
        return Path(found).resolve().parent
    package = find_spec("pgserver")
    if package is None or package.origin is None:
        pytest.skip("no PostgreSQL: install its server, or the package pgserver")
    return Path(package.origin).parent / "pginstall" / "bin"


def _user() -> str | None:
    """Who runs the server when the tests run as root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(entry.pw_name == "postgres" for entry in getpwall()) else "nobody"


def _run(*command: object) -> None:
    user = _user()
    other = ["runuser", "-u", user, "--"] if user else []
    subprocess.run([*other, *map(str, command)], check=True, capture_output=True, timeout=60, cwd="/")


def _start(binaries: Path, folder: Path) -> None:
    if user := _user():
        shutil.chown(folder, user)
    _run(binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    _run(binaries / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", options, "start")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server; skips where none can be had."""
    pytest.importorskip("psycopg", reason="no PostgreSQL: psycopg is not installed")
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # pytest's own paths are too long for a socket
    try:
        _start(binaries, folder)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"no PostgreSQL: its server does not start here ({error})")
    yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    _run(binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql(server: str) -> Iterator[str]:
    """The URL of an empty schema."""
    schema = f"test{next(_numbers)}"
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    yield f"{server}&options=-csearch_path%3D{schema}"
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
