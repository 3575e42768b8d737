"""The store: every public move is one transaction."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, select

from pickwell.errors import StoreError
from pickwell.store import classes, holding, label_log, leases, opinions, undo
from pickwell.store import remarks as _remarks
from pickwell.store import results as _results
from pickwell.store import rounds as _rounds
from pickwell.store.database import Database
from pickwell.store.rows import CampaignRow, Entry, moment
from pickwell.store.tables import campaign, metadata

P = ParamSpec("P")
T = TypeVar("T")

_PAGE = 10_000


def now() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def _reading(statement: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate["Store", P], T]:
    """The move that makes a statement in a reading transaction."""

    @wraps(statement)
    def move(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        with store._database.reading() as connection:
            return statement(connection, *args, **kwargs)

    return move


def _timed(
    transaction: Callable[[Database], AbstractContextManager[Connection]],
    statement: Callable[Concatenate[Connection, int, P], T],
) -> Callable[Concatenate["Store", P], T]:
    """The move that makes a statement, which is told the time, in a transaction of that kind."""

    @wraps(statement)
    def move(store: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        with transaction(store._database) as connection:
            return statement(connection, store._clock(), *args, **kwargs)

    return move


class Store(AbstractContextManager["Store"]):
    """What a campaign must never lose. Any number of processes and threads may use one database at once.

    A method that changes something returns only after the change is on the disk; one that raises has changed nothing.
    Every method may raise StoreError: BusyError when another writer holds the database for longer than the patience,
    and otherwise a sentence that says what is wrong with the database.
    """

    def __init__(self, database: Database, clock: Callable[[], int] = now) -> None:
        self._database = database
        self._clock = clock

    @staticmethod
    def open(url: str, *, create: bool = False, clock: Callable[[], int] = now, patience: float = 10.0) -> "Store":
        """Opens the database at a URL or path, migrating it to this version; `create` makes one that is missing.

        `clock` gives microseconds since 1970; `patience` is how many seconds to wait for another writer.
        Raises VersionError when the database was made by a newer version, and StoreError when there is none.
        """
        database = Database(url, patience)
        try:
            database.prepare(create)
        except BaseException:
            database.close()
            raise
        return Store(database, clock)

    def close(self) -> None:
        """Gives the connections back."""
        self._database.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_campaign(
        self, *, name: str, seed: int, settings: Mapping[str, Any], versions: Mapping[str, Any]
    ) -> None:
        """Writes down what the campaign is; once, unless nothing was done yet in one that is the same in all of this.

        Such a one is left where a creation is killed before the campaign's directory is there.
        """
        columns = {"name": name, "seed": seed, "settings": settings, "versions": versions}
        same = [campaign.c[column] == value for column, value in columns.items()]
        idle = [~select(table).exists() for table in metadata.sorted_tables if table is not campaign]
        with self._database.writing() as connection:
            connection.execute(campaign.delete().where(*same, *idle))
            if found := connection.execute(select(campaign.c.name)).scalar():
                raise StoreError(f"{self._database.name} holds the campaign '{found}' already; make '{name}' elsewhere")
            connection.execute(campaign.insert().values(id=1, created=self._clock(), **columns))

    def campaign(self) -> CampaignRow:
        """What the campaign was made with."""
        with self._database.reading() as connection:
            row = connection.execute(select(campaign)).one_or_none()
        if row is None:
            raise StoreError(f"no campaign is in {self._database.name} yet; make one with 'pickwell init'")
        return CampaignRow(row.name, row.seed, row.settings, row.versions, moment(row.created))

    next_number = _reading(_rounds.next_number)
    current = _timed(Database.reading, _rounds.current)
    progress = _timed(Database.reading, _rounds.progress)
    round = _timed(Database.reading, _rounds.read_one)
    rounds = _timed(Database.reading, _rounds.every)
    details = _reading(_rounds.details)
    open_round = _timed(Database.writing, _rounds.open_round)
    close_round = _timed(Database.writing, _rounds.close)

    ignored = _reading(_rounds.ignored)
    taken = _reading(_rounds.taken)
    count_taken = _reading(_rounds.count_taken)

    change_classes = _timed(Database.writing, classes.change)

    tell = _timed(Database.writing, label_log.tell)
    undo = _timed(Database.writing, undo.undo)
    labels = _reading(label_log.truth)
    standing = _reading(label_log.standing)
    position = _reading(_rounds.position)
    changed = _reading(label_log.changed)
    disputes = _reading(opinions.disputes)

    lease = _timed(Database.leasing, leases.lease)
    hold = _timed(Database.leasing, leases.hold)
    heartbeat = _timed(Database.leasing, leases.heartbeat)
    release = _timed(Database.leasing, leases.release)
    holdings = _timed(Database.reading, holding.holdings)

    keep_remark = _timed(Database.writing, _remarks.keep)
    remarks = _reading(_remarks.newest)
    record = _timed(Database.writing, _results.record)
    results = _reading(_results.results)

    def log(self, *, after: int = 0) -> Iterator[Entry]:
        """The label log in order, from the entry that follows `after` to the last one of this moment."""
        last = self.position()
        while after < last:
            # A transaction a page: one for a slow reader would keep the write-ahead log from being folded in.
            # Entries are only ever appended, so the pages fit together.
            with self._database.reading() as connection:
                page = label_log.entries(connection, after, last, _PAGE)
            yield from page
            after = page[-1].id
