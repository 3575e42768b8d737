"""Sixteen people label for a minute while the server and its database are killed again and again: `make test-load`.

LOAD_SECONDS sets how long, the outages not counted. Nothing acknowledged may be lost, doubled or altered, and no image
may be two people's.
"""

import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from tests.load.annotator import Acked, Annotator
from tests.load.databases import Mortal, PostgreSQL, SQLite
from tests.web.conftest import make_campaign

from pickwell.campaign.directory import Directory
from pickwell.config import Settings
from pickwell.errors import StoreError
from pickwell.items import Pick
from pickwell.store import Entry, Store

pytestmark = [pytest.mark.load, pytest.mark.timeout(900)]
SECONDS = float(os.environ.get("LOAD_SECONDS", "60"))
PEOPLE, SERVER_KILLS, DATABASE_KILLS = 16, 20, 5
IMAGES, ROUND = 8000, 200


class Site:
    """A served campaign whose server is killed and comes back, and whose rounds follow one another."""

    def __init__(self, root: Path, database: Mortal) -> None:
        settings = {"store.url": database.url} if database.url else {}
        self.root = make_campaign(root, IMAGES, **{"serve.lease_seconds": 10.0, **settings})
        self.database, self.port, self.outages = database, 0, 0
        self.up = self.ended = False

    def store(self) -> Store:
        directory = Directory(self.root)
        return Store.open(directory.url(Settings.read(directory.settings)))

    def steady(self) -> int | None:
        """The number of outages so far; None during one."""
        return self.outages if self.up else None

    def over(self) -> bool:
        return self.ended

    def start(self) -> None:
        order = [sys.executable, "-m", "pickwell", "serve", str(self.root), "--port", str(self.port), "--json"]
        self.process = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(json.loads(self.process.stdout.readline())["url"].rpartition(":")[2])
        self._settle()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def trouble(self, rng: random.Random) -> None:
        """Kills the server and its database at equal times, and ends the work when so many seconds of it are over."""
        kills = ["server"] * SERVER_KILLS + ["database"] * DATABASE_KILLS
        rng.shuffle(kills)
        for what in kills:
            time.sleep(SECONDS / (len(kills) + 1))
            self.up, self.outages = False, self.outages + 1
            if what == "server":
                self.stop()
                self.start()
            else:
                self.database.kill(self.root)
                self._settle()
        time.sleep(SECONDS / (len(kills) + 1))
        self.ended = True

    def _settle(self) -> None:
        """Waits until the page answers."""
        while not self.up:
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
                    connection.request("GET", "/api/status")
                    self.up = connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)

    def ask(self) -> None:
        """Opens the next round when one is done, as `pickwell ask` does in a process of its own."""
        for number in count(1):
            picks = [Pick(item, item, 0.5) for item in range((number - 1) * ROUND, number * ROUND)]
            while not self.over():
                try:
                    with self.store() as store:
                        if store.current() is None:
                            store.open_round(number=number, strategy="random", seed=0, picks=picks)
                            break
                except StoreError:
                    pass
                time.sleep(0.05)
            if self.over() or (number + 1) * ROUND > IMAGES:
                return


@pytest.fixture(params=[SQLite, PostgreSQL])
def database(request: pytest.FixtureRequest) -> Iterator[Mortal]:
    found = request.param()
    yield found
    found.close()


def test_nothing_that_was_acknowledged_is_lost_doubled_or_altered(tmp_path: Path, database: Mortal) -> None:
    seed = random.SystemRandom().randrange(10**6)
    site = Site(tmp_path, database)
    site.start()
    people = [
        Annotator(f"annotator {n}", site.port, site.over, site.steady, random.Random(seed + n)) for n in range(PEOPLE)
    ]
    threads = [Thread(target=act) for act in (site.ask, *(one.work for one in people))]
    for thread in threads:
        thread.start()
    site.trouble(random.Random(seed))
    for thread in threads:
        thread.join()
    site.stop()
    acked = [one for person in people for one in person.acked]
    with site.store() as store:
        log, labels = list(store.log()), store.labels()
    took = sorted(1000 * one for person in people for one in person.took)
    median, late = statistics.median(took), took[int(len(took) * 0.99)]
    print(
        f"\n{type(database).__name__}, seed {seed}: {len(acked)} changes acknowledged, "
        f"{sum(len(person.refused) for person in people)} refused; an answer takes {median:.0f} ms at the median, "
        f"{late:.0f} ms at the 99th percentile of {len(took)}"
    )
    check_kept(acked, log)
    stand = standing(log)
    assert {item: entry.value for item, entry in stand.items() if entry.kind == "answer"} == dict(
        zip(labels.items.tolist(), labels.values, strict=True)
    )
    assert len(acked) > 10 * PEOPLE
    assert median <= 40, "on two quiet cores"
    assert late <= 400, "on two quiet cores"


def check_kept(acked: list[Acked], log: list[Entry]) -> None:
    """Every acknowledged change is in the log, once and as it was told."""
    kept: dict[str | None, list[Entry]] = defaultdict(list)
    for entry in log:
        kept[entry.event].append(entry)
    by_id = {entry.id: entry for entry in log}
    for one in acked:
        entries = kept[one.body["event"]]
        if one.path == "undo":
            assert [entry.item for entry in entries] == one.answer["items"]
            assert all(by_id[entry.undoes or 0].annotator == one.body["annotator"] for entry in entries)
        else:
            found = [(entry.item, entry.kind, entry.value, entry.annotator) for entry in entries]
            assert found == [(one.body["items"][0], one.path, one.body.get("label"), one.body["annotator"])]
    # What somebody was not told of may be there, from a server that died before it answered; never more than they sent.
    assert max(Counter((e.event, e.item) for e in log if e.event is not None).values()) == 1
    assert len({entry.undoes for entry in log if entry.undoes}) == sum(entry.is_undo for entry in log)


def standing(log: list[Entry]) -> dict[int, Entry]:
    """The newest entry of each item that was not taken back; at no moment have two people decided about one item.

    A skip decides nothing: whoever's lease ended before they answered may still answer what another has skipped since.
    """
    stand: dict[int, list[Entry]] = defaultdict(list)
    for entry in log:
        said = stand[entry.item]
        if entry.is_undo:
            said[:] = [one for one in said if one.id != entry.undoes]
        else:
            said.append(entry)
        assert len({one.annotator for one in said if one.kind != "skip"}) <= 1, f"item {entry.item} has two people"
    return {item: said[-1] for item, said in stand.items() if said}
