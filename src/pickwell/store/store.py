"""The store: every public move is one transaction."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select, true

from pickwell.errors import StoreError
from pickwell.items import Label, Pick, PickState, Round, RoundKind, RoundState
from pickwell.store import holding, leases, opinions, remarks, results, rounds
from pickwell.store import label_log as _labels
from pickwell.store import undo as _undo
from pickwell.store.database import Database
from pickwell.store.rows import (
    CampaignRow,
    Details,
    Dispute,
    Entry,
    Holding,
    Labels,
    Remark,
    Result,
    Told,
    microseconds,
    moment,
)
from pickwell.store.tables import campaign, metadata, pick, round_

_PAGE = 10_000
_TAKEN = (pick.c.state.in_(rounds.DECIDED), rounds.in_open_round)


def now() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1000


class Store:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    def open_round(
        self,
        *,
        number: int,
        strategy: str,
        seed: int,
        picks: Sequence[Pick],
        settings: Mapping[str, Any] | None = None,
        versions: Mapping[str, Any] | None = None,
        timings: Mapping[str, Any] | None = None,
        monitors: Mapping[str, Any] | None = None,
        overlap: int = 1,
    ) -> Round:
        """Opens a round; `overlap` annotators give an opinion of each pick before it is decided.

        RoundError when its number is taken, another is open, or an item is labelled or ignored.
        """
        kept: dict[str, Any] = {"settings": settings or {}, "versions": versions or {}}
        kept |= {"timings": timings or {}, "monitors": monitors or {}, "overlap": overlap}
        with self._database.writing() as connection:
            rounds.open_round(connection, self._clock(), picks, number=number, strategy=strategy, seed=seed, **kept)
            return rounds.read_one(connection, self._clock(), number)

    def next_number(self) -> int:
        """The number that the next round should have: imports take numbers too."""
        with self._database.reading() as connection:
            return rounds.next_number(connection)

    def current(self) -> Round | None:
        """The open round, if there is one."""
        with self._database.reading() as connection:
            found = rounds.read(connection, self._clock(), where=round_.c.state == RoundState.OPEN)
        return found[0] if found else None

    def round(self, number: int) -> Round:
        """The round of that number; RoundError when there is none."""
        with self._database.reading() as connection:
            return rounds.read_one(connection, self._clock(), number)

    def rounds(self, kind: RoundKind | None = None, *, picks: bool = True) -> list[Round]:
        """The rounds by number: those of a kind, or all, imports among them."""
        where = true() if kind is None else round_.c.kind == kind
        with self._database.reading() as connection:
            return rounds.read(connection, self._clock(), picks=picks, where=where)

    def details(self, number: int) -> Details:
        """What else is kept of a round: versions, timings, monitors, times."""
        with self._database.reading() as connection:
            return rounds.details(connection, number)

    def close_round(self, number: int) -> None:
        """Closes the open round; what nobody answered may be picked again. RoundError when not open."""
        with self._database.writing() as connection:
            rounds.close(connection, self._clock(), number)

    def tell(
        self,
        labels: Sequence[Label],
        *,
        source: str,
        imported: bool = False,
        held_out: Collection[int] = (),
        event: str | None = None,
        opinion: bool = False,
        holder: str | None = None,
    ) -> Told:
        """Keeps labels, all or none: answers of picks, corrections of labelled items, or with `imported` of any item.

        Imported items that were never asked become picks of a closed round, `held_out` those among them never to be
        trained on. The same `event` again is acknowledged, and nothing is stored. Raises LabelError.

        As an `opinion` a label decides nothing alone where its round asks several annotators: once so many have said
        the same, the pick is decided; if they have not, it is disputed until a label that is no opinion decides.
        Told by a `holder`, whose leases bear that name, nothing overwrites what others hold or decided: RoundError.
        """
        if not labels:
            return Told(batch=0)
        with self._database.writing() as connection:
            # In the transaction that would store it: of two same events at once, one finds the other.
            if before := _labels.repeated(connection, event):
                return replace(Told(**{"batch": before[0], **before[1]}), repeated=True)
            now = self._clock()
            if holder is not None:
                # Serial, so that of two people who both believe an item to be theirs the second one hears of it.
                holding.check_free(holding.holdings(connection, now, [one.item for one in labels]), labels, holder)
            return _labels.tell(
                connection,
                now,
                labels,
                source=source,
                imported=imported,
                held_out=held_out,
                event=event,
                opinion=opinion,
                holder=holder,
            )

    def undo(self, *, annotator: str | None = None, event: str | None = None) -> list[Label]:
        """Takes back the last batch told, any depth; returns its labels, none left: [].

        With an `annotator` the last one that they told with an event, as a page does: never a file that was imported.

        Its picks wait again, or what they were told before stands again; a round that it had closed opens again.
        Raises RoundError when another round was opened since. The same `event` again undoes nothing more.
        """
        with self._database.writing() as connection:
            if before := _labels.repeated(connection, event):
                return _undo.undone(connection, before[0])
            return _undo.undo(connection, self._clock(), annotator, event)

    def labels(self, items: Collection[int] | None = None) -> Labels:
        """The answers that stand, by item: of all, or of these `items`."""
        with self._database.reading() as connection:
            return _labels.truth(connection, items)

    def ignored(self) -> NDArray[np.int64]:
        """The items never to be labelled, ascending."""
        return self._items(pick.c.state == PickState.IGNORED)

    def taken(self) -> NDArray[np.int64]:
        """The items that cannot be asked now, ascending: answered, ignored, or in the open round."""
        return self._items(*_TAKEN)

    def count_taken(self) -> int:
        """How many items `taken` has, without fetching them."""
        with self._database.reading() as connection:
            return rounds.count(connection, *_TAKEN)

    def asked(self) -> NDArray[np.int64]:
        """The items that `tell` takes without `imported`, ascending: all that were ever picked or imported."""
        return self._items(rounds.was_asked)

    def _items(self, *where: ColumnElement[bool]) -> NDArray[np.int64]:
        with self._database.reading() as connection:
            return rounds.items(connection, *where)

    def position(self) -> int:
        """The label log's last id, 0 when it is empty: it grows with every tell and undo, and with nothing else."""
        with self._database.reading() as connection:
            return rounds.position(connection)

    def changed(self) -> datetime | None:
        """When an answer last became valid or was taken back; None before any was."""
        with self._database.reading() as connection:
            return _labels.changed(connection)

    def log(self, *, after: int = 0) -> Iterator[Entry]:
        """The label log in order, from the entry that follows `after` to the last one of this moment."""
        last = self.position()
        while after < last:
            # A transaction a page: one for a slow reader would keep the write-ahead log from being folded in.
            # Entries are only ever appended, so the pages fit together.
            with self._database.reading() as connection:
                page = _labels.entries(connection, after, last, _PAGE)
            yield from page
            after = page[-1].id

    def disputes(self, limit: int = 200) -> list[Dispute]:
        """The first images, by round and rank, of which the opinions differ, and which nobody has decided."""
        with self._database.reading() as connection:
            return opinions.disputes(connection, limit)

    def lease(self, annotator: str, n: int, seconds: float, *, author: str | None = None) -> list[Pick]:
        """Up to n picks of the open round for one annotator alone, in rank order: those still held come first.

        Asking again therefore returns the same picks, renewed. They wait again when the seconds are over. Left out are
        disputed picks, and those of which the `author` has an opinion already.
        """
        clock = self._clock()
        with self._database.leasing() as connection:
            return leases.lease(connection, clock, annotator, n, _after(clock, seconds), author)

    def hold(self, annotator: str, items: Sequence[int], seconds: float) -> list[Pick]:
        """Leases these very items, as far as they wait for nobody else; returns those it got, in rank order."""
        clock = self._clock()
        with self._database.leasing() as connection:
            return holding.hold(connection, clock, annotator, items, _after(clock, seconds))

    def holdings(self, items: Sequence[int]) -> dict[int, Holding]:
        """Where each item's last pick stands; items that were never asked are left out."""
        with self._database.reading() as connection:
            return holding.holdings(connection, self._clock(), items)

    def heartbeat(self, annotator: str, seconds: float) -> int:
        """Renews the leases that an annotator still holds; returns how many."""
        clock = self._clock()
        with self._database.leasing() as connection:
            return leases.renew(connection, clock, annotator, _after(clock, seconds))

    def release(self, annotator: str) -> int:
        """Ends all leases of an annotator; returns how many."""
        with self._database.leasing() as connection:
            return leases.renew(connection, self._clock(), annotator, None)

    def keep_remark(self, made: Remark) -> Remark:
        """Keeps a flag and a note beside an item; the newest stands. The same event again keeps nothing."""
        with self._database.writing() as connection:
            return remarks.keep(connection, self._clock(), made)

    def remarks(self, items: Sequence[int]) -> dict[int, Remark]:
        """What was remarked last about each of these items, as far as there is something."""
        with self._database.reading() as connection:
            return remarks.newest(connection, items)

    def record(
        self,
        round: int,  # noqa: A002
        values: Mapping[str, float],
        *,
        labels: int,
        known: datetime | None = None,
    ) -> None:
        """Keeps what was measured in a round by a model that had learnt from so many labels; again replaces it.

        `known` is when the last of these labels changed, as `changed` has it; now unless given.
        """
        with self._database.writing() as connection:
            at = self._clock() if known is None else microseconds(known)
            results.record(connection, at, round, values, labels)

    def results(self) -> list[Result]:
        """All that was measured, in order of time."""
        with self._database.reading() as connection:
            return results.results(connection)


def _after(clock: int, seconds: float) -> int:
    return clock + round(seconds * 1_000_000)
