"""A campaign opened: its directory, settings, pool and store, what it was told and what its rounds left behind."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pickwell import tasks
from pickwell.campaign.answers import Answers
from pickwell.campaign.directory import Directory
from pickwell.campaign.hints import Hints
from pickwell.campaign.latent_maps import Maps
from pickwell.campaign.legacy_remarks import move_remarks
from pickwell.campaign.sides import Sides, joined
from pickwell.config import Settings, TaskSettings
from pickwell.data.pool import Pool
from pickwell.data.renewal import overwritten
from pickwell.data.sources.source import place
from pickwell.errors import LabelError, PickwellError, PoolError, RoundError, SettingsError, StoreError, few
from pickwell.items import Kind, Label, Metrics, Round
from pickwell.seeds import derive
from pickwell.store import Store, Told
from pickwell.tasks.task import Answer, Task


class OpenCampaign:
    """One labelling effort as everybody opens it: commands, the page, reports and the loop. Needs no torch.

    Any number of threads and processes may have it open. `hints` and `maps` are what rounds left
    behind.
    """

    def __init__(self, root: str | Path) -> None:
        """Opens the campaign in `root`; SettingsError where campaign.toml no longer fits what it was made for."""
        self.directory = Directory(Path(root))
        self.directory.check()
        self._changed = self.directory.settings.stat().st_mtime_ns
        self.settings = Settings.read(self.directory.settings)
        self.task = tasks.of(self.settings, self.directory.root)
        self.pool = Pool.open(self.directory.pool)
        self.test = Pool.open(self.directory.test) if self.directory.test.exists() else None
        rounds = self.directory.rounds
        self.hints, self.maps = Hints(rounds), Maps(rounds)
        self.answers = Answers(self.pool, self.task)
        self.store = Store.open(self.directory.url(self.settings))
        try:
            # campaign.toml is for people to edit; the store knows what the campaign was made for.
            _check_task(self.task, self.store.campaign().settings)
            move_remarks(self.directory.root, self.store)
        except PickwellError:
            self.store.close()
            raise

    def refresh(self) -> None:
        """Takes over a class list that was changed since; one that does not fit the campaign is left where it is."""
        changed = self.directory.settings.stat().st_mtime_ns
        if changed == self._changed:
            return
        with suppress(SettingsError):
            task = tasks.of(Settings.read(self.directory.settings), self.directory.root)
            _check_task(task, self.store.campaign().settings)
            self.settings = self.settings.model_copy(update={"task": task.settings})
            self.task, self.answers = task, Answers(self.pool, task)
            self._changed = changed

    def close(self) -> None:
        """Lets go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(
        self,
        labels: Mapping[int, Answer] | Sequence[Label],
        *,
        imported: bool = False,
        source: str = "api",
        files: Path | None = None,
    ) -> Told:
        """Keeps labels, all or none, durably before it returns.

        A label for an item never asked is refused unless `imported`; a label for a labelled item corrects it. Masks are
        arrays, names in `masks` or, with `files`, paths of mask files relative to that folder.
        """
        kept = self.answers.labels(labels, files)
        held_out = self._held_out([label.item for label in kept]) if imported else ()
        return self.store.tell(kept, source=source, imported=imported, held_out=held_out)

    def _held_out(self, items: Sequence[int]) -> set[int]:
        """Those of imported items that are to measure on."""
        sides, share = self.sides(), self.settings.validation.share
        # By the group alone, so that it is the same however the labels are spread over files.
        drawn = {item: derive(self.settings.seed, "held out", int(sides.first[item])) / 2**63 for item in items}
        return {item for item, draw in drawn.items() if sides.is_held(item, draw, share)}

    def relocate(self, old: str | Path, new: str | Path) -> int:
        """Looks in the folder `new` for what was in `old`, from now on; returns how many of the images are there."""
        before, now = place(str(old)), place(str(new))
        with self.directory.exclusive("relocate"):
            pools = [pool for pool in (self.pool, self.test) if pool is not None]
            places = sorted({one.source.place for pool in pools for one in pool.sources})
            found = sum(pool.relocate(before, now) for pool in pools)
        if not found:
            raise PoolError(f"no images of this campaign are in {before}; they are in {', '.join(places)}: name one")
        return found

    def tell_known(self) -> Told:
        """Keeps the labels that images came with, of those that have none yet, as `tell` does imported ones."""
        free = self.all_but(np.union1d(self.store.labels().items, self.store.ignored()))
        given = zip(free.tolist(), self.pool.manifest.known(free), strict=True)
        items = [self.pool.item(item) for item, known in given if known is not None]
        answers = ((item.id, self.task.known(self.pool, item)) for item in items)
        labels = [Label(item, self.task.keep(answer)) for item, answer in answers if answer is not None]
        return self.tell(labels, imported=True, source="known labels")

    def remove(self, items: Sequence[int]) -> list[int]:
        """Retires images, labelled ones too: they are never asked for nor learnt from again. Returns those it did."""
        new: list[int] = np.setdiff1d(items, self.store.ignored()).tolist()
        self.tell([Label(item, None, Kind.IGNORE) for item in new], imported=True, source="remove")
        return new

    def sides(self) -> Sides:
        """What belongs together, and on which side of the measurement it is."""
        return Sides(self.groups(), self.store.labels())

    def groups(self) -> NDArray[np.int64]:
        """For each image the first one that it belongs with: as people say and, if that is asked for, by its looks."""
        groups = self.pool.manifest.groups()
        near = next(self.directory.near.glob("*.npy"), None) if self.settings.validation.near else None
        if near is None:
            return groups
        pairs = np.load(near, allow_pickle=False)
        return joined(groups, pairs[pairs[:, 1] < len(groups)])

    def undo(self) -> list[Label]:
        """Takes back the last `tell`; what it had labelled waits again."""
        return self.store.undo()

    def close_round(self) -> Round:
        """Closes the open round; its unanswered images go back to the pool."""
        question = self.store.current()
        if question is None:
            raise RoundError("no round is open, so there is none to close; ask opens one")
        self.store.close_round(question.number)
        return question

    def shown(self, value: str) -> Collection[str] | None:
        """The classes that a label shows; None where its mask can be read no more."""
        try:
            return tuple(self.task.shown(value))
        except (StoreError, LabelError):
            return None

    def measured(self) -> Metrics:
        """What the newest fit for the labels of the moment reached; empty if there is none."""
        labels = len(self.store.labels())
        changed = self.store.changed()
        # As many labels need not be the same ones: they may have been corrected since, or taken back and told anew.
        rows = [row for row in self.store.results() if row.labels == labels and row.time == changed]
        values = {row.metric: row.value for row in rows}
        return Metrics(values, int(values.pop("measured", 0)), labels)

    def unlabelled(self) -> NDArray[np.int64]:
        """The ids that can be asked for now, ascending: images that are missing cannot."""
        free = self.all_but(self.store.taken())
        return np.setdiff1d(free, self.pool.missing(free), assume_unique=True)

    def missing(self) -> NDArray[np.int64]:
        """The ids of images that are not where they were, ascending; not of those that are never to be labelled."""
        return self.pool.missing(self.all_but(self.store.ignored()))

    def told_missing(self, items: NDArray[np.int64]) -> str:
        """What people are told of missing images; "" of none."""
        others = overwritten(self.pool, items)
        return "; ".join(filter(None, (self._told_gone(np.setdiff1d(items, others)), self._told_overwritten(others))))

    def _told_overwritten(self, items: NDArray[np.int64]) -> str:
        if not len(items):
            return ""
        subject = "1 file is not what it was" if len(items) == 1 else f"{len(items):,} files are not what they were"
        return (
            f"{subject} when added, and left out, labelled or not ({few(self.pool.manifest.names(items))}); put back "
            f"what was there, or take other pictures as they are now: pickwell renew {self.directory.root}"
        )

    def _told_gone(self, items: NDArray[np.int64]) -> str:
        if not len(items):
            return ""
        names = few(self.pool.manifest.names(items))
        be, root = "image is" if len(items) == 1 else "images are", self.directory.root
        return (
            f"{len(items):,} {be} missing and left out ({names}); put back what is wanted, say where it is now: "
            f"pickwell relocate {root} OLD NEW, or retire what is missing: pickwell remove {root} --missing"
        )

    def all_but(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """The ids of the pool but for these ascending ones; PoolError if the pool is too small to hold them."""
        if len(items) and items[-1] >= len(self.pool):
            raise PoolError(
                f"the pool at {self.directory.pool} holds {len(self.pool)} images, but item {items[-1]} was asked for: "
                "its manifest is older than the labels; put the newer one back"
            )
        rest = np.ones(len(self.pool), dtype=bool)
        rest[items] = False
        return np.flatnonzero(rest)


def _check_task(task: Task, made: Mapping[str, Any]) -> None:
    """Refuses a task that has become another since the campaign was made with the settings `made`."""
    now, was = task.settings, TaskSettings.model_validate(made["task"])
    if now.kind != was.kind:
        raise SettingsError(
            f"task.kind of campaign.toml is {now.kind}, but the campaign was made for {was.kind}; put it back, or "
            "make another campaign"
        )
    if task.fixed_classes and now != was:
        raise SettingsError(
            f"the class list of campaign.toml is {_said(now)}, but the campaign's {task.noun}s were made with "
            f"{_said(was)}, and hold numbers that mean places in it; put it back, or make another campaign"
        )


def _said(task: TaskSettings) -> str:
    """A class list in words."""
    said = ", ".join(task.classes) + (f" and void {', '.join(map(str, task.void))}" if task.void else "")
    return said + "".join(f", {value} is {name}" for value, name in task.mask_values.items())
