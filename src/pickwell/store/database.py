"""Connections and transactions: what SQLite and PostgreSQL do differently is settled here."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pickwell.errors import BusyError, StoreError
from pickwell.store import schema
from pickwell.store.failures import busy, translated
from pickwell.store.turns import Turns


class Database:
    """A pool of connections, and the three kinds of transaction: reading, leasing, writing.

    SQLite takes the write lock when a transaction that may write begins, never half-way through, and the threads of a
    process take turns at it; PostgreSQL takes an advisory lock, except for leases, which skip one another's rows.
    """

    def __init__(self, url: str, patience: float) -> None:
        self._url = _parse(url)
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self.path = _file(self._url) if self.sqlite else None
        self.name = str(self.path or self._url.render_as_string(hide_password=True))
        self._patience = patience
        # SQLite's own waiting is a lottery: of many writers some would wait for seconds while others go first.
        self._turns = Turns(patience, busy(self.name)) if self.sqlite else None
        self.engine = self._sqlite() if self.sqlite else self._postgresql()

    def _sqlite(self) -> sa.Engine:
        engine = sa.create_engine(self._url, connect_args={"timeout": self._patience})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        self._reader: sa.Engine = engine
        # A reader that turns into a writer after another has written is refused at once, whatever the patience.
        self._writer: sa.Engine = engine.execution_options(begin="BEGIN IMMEDIATE")
        return engine

    def _postgresql(self) -> sa.Engine:
        try:
            engine = sa.create_engine(self._url, pool_pre_ping=True)
        except ImportError as error:
            raise StoreError(
                f"the database {self.name} needs psycopg; install it with 'pip install pickwell[postgresql]'"
            ) from error
        # Several queries of one transaction see one moment; in SQLite they always do.
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = engine
        return engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with translated(self.name), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def leasing(self) -> Iterator[Connection]:
        """A transaction of one statement that picks its way around other people's locked rows."""
        turn = self._turns.turn() if self._turns else nullcontext()
        with translated(self.name), turn, self._writer.begin() as connection:
            if not self.sqlite:
                limit = f"{max(1, round(self._patience * 1000))}ms"
                # The last argument makes it hold for this transaction alone.
                connection.execute(sa.select(sa.func.set_config("lock_timeout", limit, True)))
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer shares: all of it is kept, durably, or nothing."""
        with self.leasing() as connection:
            if not self.sqlite:
                # Advisory locks are numbers: that of the schema, so that campaigns in other schemas do not wait.
                campaign = sa.func.hashtextextended(sa.func.concat("pickwell ", sa.func.current_schema()), 0)
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(campaign)))
            yield connection

    def prepare(self, create: bool) -> None:
        """Checks that the database is ours and of this version, migrating an older one, or making a new one."""
        # Before anything connects: SQLite would make the file.
        if self.path and not self.path.exists():
            self._make_file(create)
        with self.reading() as connection:
            found = schema.version(connection)
            if found:
                schema.refuse_newer(found, self.name)
            elif not create:
                schema.refuse_foreign(connection, self.name)
                raise StoreError(
                    f"the database {self.name} is empty, no campaign is in it; make one with 'pickwell init'"
                )
        if found is None and self.sqlite:
            self._use_write_ahead_log()
        if found is None or found < schema.HEAD:
            with self.writing() as connection:
                schema.upgrade(connection, self.name)

    def _make_file(self, create: bool) -> None:
        """Makes the file, for its owner alone; StoreError where it is not to be made, or cannot."""
        assert self.path
        if not create:
            raise StoreError(f"there is no campaign database at {self.name}; make the campaign with 'pickwell init'")
        if not self.path.parent.is_dir():
            raise StoreError(f"the directory of the campaign database {self.name} does not exist; make it first")
        with suppress(OSError):  # SQLite itself says what is wrong, in words
            self.path.touch(mode=0o600)

    def _use_write_ahead_log(self) -> None:
        """Turns the log on; where several processes do at once, SQLite refuses all but one without waiting."""
        until = time.monotonic() + self._patience
        while True:
            try:
                with translated(self.name), self.engine.connect() as connection:
                    schema.refuse_foreign(connection, self.name)
                    # The log cannot be turned on inside the transaction that looking at the tables began.
                    connection.rollback()
                    connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except BusyError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def close(self) -> None:
        """Gives every connection back; SQLite then folds its write-ahead log into the file."""
        self.engine.dispose()


def _parse(url: str) -> URL:
    """The URL with its driver named; a plain path is a SQLite file."""
    try:
        parsed = sa.make_url(url) if "://" in url else URL.create("sqlite", database=url)
        backend = parsed.get_backend_name()
        if backend in ("postgres", "postgresql"):
            return parsed.set(drivername="postgresql+psycopg")
        # In memory each connection would have a database of its own.
        if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
            return parsed
    except (ArgumentError, NoSuchModuleError):
        pass
    raise StoreError(
        f"cannot keep a campaign in '{url}'; give a file ('sqlite:///campaign.db') or a PostgreSQL database "
        "('postgresql+psycopg://user@host/name')"
    )


def _file(url: URL) -> Path:
    path = url.database or ""
    return Path(path.removeprefix("file:") if "uri" in url.query else path)


def _prepare(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    # FULL, because NORMAL may lose the last commits in a power cut, and a label once acknowledged must stay.
    # A negative cache size counts KiB.
    for pragma in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -32768"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
