"""The loop: fit -> ask -> tell, and `run`, which is Algorithm 2 repeated."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell import strategies
from pickwell.acquisition.streaming import check_budget
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.campaign.sides import NONE, Sides
from pickwell.campaign.status import Status, status_of
from pickwell.data.pool import Pool
from pickwell.data.renewal import overwritten, renew, renewable
from pickwell.data.summary import Summary
from pickwell.encoders import Encoder
from pickwell.encoders.features import FeatureFile
from pickwell.errors import BudgetError, LabelError, RoundError, SettingsError, few, unknown
from pickwell.features.encoding import encoded, named, table_of
from pickwell.features.matching import matching
from pickwell.features.near_copies import keep_near_copies
from pickwell.features.table import FeatureTable
from pickwell.features.vectors import vectors_of
from pickwell.items import Kind, Label, Metrics, Round
from pickwell.learner import Devices
from pickwell.learner.batches import Targets
from pickwell.learner.item_stream import Stream
from pickwell.learner.task_learning import Pixels, TaskLearning, learning_of
from pickwell.loop.feasibility import check_ability, check_vectors
from pickwell.loop.fitting import Fit, Fitter, TrainingSet
from pickwell.loop.held_out import same_question
from pickwell.loop.open_round import open_round
from pickwell.loop.pool_view import PoolStream
from pickwell.loop.readable import Readable
from pickwell.loop.round_loop import Callback, run
from pickwell.loop.task_models_only import TaskModelsOnly
from pickwell.oracle import Human, Noisy, Oracle, Simulated
from pickwell.progress import Progress
from pickwell.seeds import derive
from pickwell.store import Labels
from pickwell.strategies import Strategy

logger = logging.getLogger("pickwell")

FIRST = "random"
"""The strategy before anything is labelled: there is nothing to learn from yet."""


FIRST_OF_VECTORS = "maxherding"
"""The same where an encoder has looked at the images: its vectors can be covered without a label."""


class Learnt(NamedTuple):
    """The last fit, what it reached, the labels that it was measured on, and when any answer had changed."""

    fit: Fit
    metrics: Metrics
    truth: list[str]
    changed: datetime | None


class Campaign(OpenCampaign):
    """One labelling effort in one directory, with what trains on its labels and picks what to label next."""

    def __init__(self, root: str | Path, *, progress: Progress | None = None) -> None:
        """Opens the campaign in `root`; `progress` is told of everything that takes long.

        SettingsError also where its strategy cannot be made of what campaign.toml says of it.
        """
        super().__init__(root)
        kept = dict(self.settings.strategy)
        try:
            strategies.create(kept.pop("name"), kept)
        except SettingsError:
            self.close()
            raise
        self.progress = progress
        self._last: Learnt | None = None
        self._readable = Readable()

    @cached_property
    def devices(self) -> Devices:
        """The accelerator, or the CPU."""
        return Devices(self.settings.training.precision)

    @cached_property
    def learning(self) -> TaskLearning:
        """What the task means to networks."""
        return learning_of(self.task)

    @cached_property
    def encoder(self) -> Encoder | FeatureFile | None:
        """What looks at the images once; None where models look at the images themselves."""
        return named(self.settings.encoder) if self.settings.on_vectors else None

    @cached_property
    def images(self) -> Pixels:
        """The pool's pixels, or the encoder's vectors in their place: what is not encoded yet is now."""
        if self.encoder is None:
            self.learning.check_network(self.settings.model.name)
            return self.learning.pixels(self.pool, self.settings)
        table = self._table(self.pool, self.directory.features)
        if self.settings.validation.near:
            keep_near_copies(table, self.settings.validation.near, self.directory.near)
        return vectors_of(table)

    @cached_property
    def test_images(self) -> Pixels | None:
        """The same of the test set, if the user named one."""
        if self.test is None or self.encoder is None:
            return self.learning.pixels(self.test, self.settings) if self.test else None
        like = self._table(self.pool, self.directory.features)
        return vectors_of(self._table(self.test, self.directory.features / "test"), like)

    def _table(self, pool: Pool, folder: Path) -> FeatureTable:
        assert self.encoder
        return encoded(pool, self.encoder, folder, progress=self.progress)

    def _is_encoded(self) -> bool:
        """Whether the whole pool is encoded."""
        return not self.encoder or len(table_of(self.encoder, self.directory.features)) == len(self.pool)

    def encode(self) -> int:
        """Encodes what is not encoded yet, of the pool and the test set; returns how many images are encoded."""
        # Not exclusive: a first round may be asked meanwhile, and a table has a lock of its own.
        if self.encoder is None:
            return 0
        return sum(len(images) for images in (self.images, self.test_images) if images)

    def features(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The pool's ids `(N,)`, and what the encoder made of the images, `(N, D)`, as it made it; encodes what lacks.

        Memory-mapped where one file holds all. Raises SettingsError where the campaign has no encoder.
        """
        if self.encoder is None:
            raise SettingsError(
                'encoder is "none", so there are no features; name one in campaign.toml (pickwell encoders)'
            )
        shards = self._table(self.pool, self.directory.features).shards()
        return np.arange(len(self.pool)), shards[0] if len(shards) == 1 else np.concatenate(shards)

    def fit(self, strategy: str | Strategy | None = None, *, asking: bool = True, **settings: Any) -> Metrics:
        """Trains on what is labelled; says how well the model does on images that it was not trained on.

        Without `asking`, for labels after which nothing is asked, a strategy's own networks are not trained.
        """
        with self.directory.exclusive("fit"):
            name, chosen = self._strategy(strategy, settings)
            return self._readable.without_damaged(
                lambda: self.fitted(name, chosen, self.store.labels(), asking=asking).metrics
            )

    def ask(self, budget: int, strategy: str | Strategy | None = None, *, now: bool = False, **settings: Any) -> Round:
        """The images to label next. Until they are told, asking again gives the same open round.

        Fits first if labels changed. Before anything is labelled it draws at random, or covers an encoder's features
        (`round.strategy` says which); `now` does not wait for these, and draws where images are not encoded yet. The
        strategy is the campaign's own, one by name with `settings`, or an instance of one's own class.
        Raises BudgetError if fewer than `budget` images are left, RoundError if another question is still open.
        """
        with self.directory.exclusive("ask"):
            while True:
                position = self.store.position()
                try:
                    # People label while this trains: a pick may be taken by now. Any other refusal comes again.
                    return self._readable.without_damaged(lambda: self._ask(budget, strategy, settings, now))
                except RoundError:
                    if self.store.position() == position:
                        raise
                    logger.info("labels were told while picking, so the picks are made anew")

    def _ask(self, budget: int, strategy: str | Strategy | None, settings: Mapping[str, Any], now: bool) -> Round:
        """The open round if there is one, else a new one; RoundError if the store does not take its picks."""
        if question := self.store.current():
            name = strategies.name_of(strategy) if isinstance(strategy, Strategy) else strategy
            return same_question(question, budget, name, learnt=self.store.details(question.number).learnt)
        self._readable.warn(missing := self.told_missing(self.missing()))
        free = self.unlabelled()
        if not len(free):
            step = missing or "add more with pickwell add"
            raise BudgetError(f"none of the {len(self.pool)} images is left to ask for; {step}")
        check_budget(budget, len(free))
        name, chosen = self._strategy(strategy, settings)
        first = not len(self.store.labels().only(self.seen(self.pool)).part(held_out=False)[0])
        drawn = first and now and not self._is_encoded()
        if first:
            name, chosen = self._first(name, chosen, drawn)
        # A draw looks at no image.
        images = self.learning.pixels(self.pool, self.settings) if drawn else self.images
        seen = self.seen(self.pool)
        free = np.intersect1d(free, seen, assume_unique=True)
        check_budget(budget, len(free))
        whole = PoolStream(images, torch.from_numpy(seen), self.devices, self.progress)
        fitted = partial(self.fitted, name, chosen)
        return open_round(self, whole, lambda labels: fitted(labels).fit, name, chosen, budget, torch.from_numpy(free))

    def run(
        self,
        oracle: Oracle,
        rounds: int,
        budget: int,
        strategy: str | Strategy | None = None,
        *,
        callbacks: Sequence[Callback] = (),
        **settings: Any,
    ) -> Metrics:
        """Algorithm 2, repeated: asks, lets the oracle answer, learns; returns the last fit's metrics.

        Where fewer than `budget` images are left a round takes these. A callback that returns True ends the run.
        """
        if rounds < 1:
            raise BudgetError(f"rounds {rounds} is not a number of rounds; run at least 1")
        return run(self, oracle, budget, rounds=rounds, strategy=strategy, settings=settings, callbacks=callbacks)

    def add(self, images: str | Path, *, masks: str | Path | None = None, **source: Any) -> Summary:
        """Appends images, with their `masks` if they have any, that are not in the pool yet; ids already given stay."""
        with self.directory.exclusive("add"):
            matched = matching(self.settings)
            lacking = matched.lacking if matched else None
            given = self.task.sources(images, masks, "train", **source)
            summary = self.pool.add(**given, lacking=lacking, test=self.test, group=self.settings.validation.group)
            # What was cached is as long as the pool was.
            self.__dict__.pop("images", None)
            self.__dict__.pop("test_images", None)  # an encoder's vectors of these are standardised by the pool's
            return summary

    def learnt(self) -> Learnt:
        """The task model of the newest labels, fitted now where it is not at hand; LabelError before any label."""
        with self.directory.exclusive("fit"):
            name, chosen = self._strategy(None, {})
            # Networks of a strategy's own say nothing of classes.
            return self.fitted(name, chosen, self.store.labels(), asking=not chosen.joint_steps)

    def seen(self, pool: Pool) -> NDArray[np.int64]:
        """The ids of the images of the pool, or of the test set, that networks can see now, ascending."""
        folder = self.directory.features / ("" if pool is self.pool else "test")
        return self._readable.of(pool, table_of(self.encoder, folder) if self.encoder else None)

    def stream_of(self, pool: Pool, folder: Path) -> Stream:
        """Another pool's images as the models see them; with an encoder a table is made in `folder` now."""
        if self.encoder is None:
            pixels = self.learning.pixels(pool, self.settings)
        else:
            pixels = vectors_of(self._table(pool, folder), self._table(self.pool, self.directory.features))
        return PoolStream(pixels, torch.arange(len(pool)), self.devices, self.progress)

    def renew(self, *, keep_labels: bool = False) -> tuple[list[int], list[int]]:
        """Takes overwritten files for the images of their names: returns these, and which of them lose their label.

        Labels are said of a picture, and are taken back unless `keep_labels`; masks stay on pictures of their size.
        What was learnt from pictures before, or encoded of them, is forgotten.
        """
        with self.directory.exclusive("renew"):
            pictures = renewable(self.pool, overwritten(self.pool, self.missing()), self.test)
            items = np.asarray(pictures["id"])
            sizes = np.array([pictures["width"], pictures["height"]]).T
            unfit = (sizes != self.pool.manifest.sizes(items)).any(axis=1) & self.task.masked
            unsaid = np.intersect1d(items[unfit | (not keep_labels)], self.store.labels().items).tolist()
            # First: whatever stops this, no label is left on another picture.
            self.tell([Label(item, None, Kind.SKIP) for item in unsaid], imported=True, source="renew")
            self._forget(items)
            renew(self.pool, pictures)
        return items.tolist(), unsaid

    def _forget(self, items: NDArray[np.int64]) -> None:
        """Forgets what was encoded of these items, and what was learnt."""
        own = table_of(self.encoder, self.directory.features) if self.encoder else None
        if own and len(own):
            own.mark(np.union1d(own.holes(), items))
        for folder in self.directory.features.glob("*"):
            if folder.name != "test" and (own is None or folder != own.folder):
                shutil.rmtree(folder)
        shutil.rmtree(self.directory.fits, ignore_errors=True)
        self._last = None
        self.__dict__.pop("images", None)
        self.__dict__.pop("test_images", None)

    def stream(self, ids: Tensor) -> Stream:
        """Some items of the pool, as networks see them."""
        return PoolStream(self.images, ids, self.devices)

    def oracle(self, name: str, *, rate: float = 0.1) -> Oracle:
        """An oracle by name: simulated, noisy or human."""
        truth = Simulated(self.task, self.pool)
        if name == "simulated":
            return truth
        if name == "noisy":
            return Noisy(truth, rate, seed=derive(self.settings.seed, "oracle"))
        if name == "human":
            return Human(self.store.current)
        raise SettingsError(unknown("oracle", name, ("simulated", "noisy", "human")))

    @property
    def fit_seconds(self) -> float:
        """The seconds that the fit at hand took to train, also if it was found on disk; 0 before any."""
        return self._last.fit.seconds if self._last else 0.0

    def status(self) -> Status:
        """Where the campaign stands, and what to do next."""
        return status_of(self)

    def _first(self, name: str, chosen: Strategy, drawn: bool) -> tuple[str, Strategy]:
        """What picks before there is anything to learn from: of vectors a cover, where the strategy cannot begin."""
        if drawn or self.encoder is None:
            return FIRST, strategies.create(FIRST)
        return (FIRST_OF_VECTORS, strategies.create(FIRST_OF_VECTORS)) if chosen.needs_labels else (name, chosen)

    def _strategy(self, named: str | Strategy | None, settings: Mapping[str, Any]) -> tuple[str, Strategy]:
        """A strategy's name and the strategy, the campaign's own unless another is named or given."""
        if isinstance(named, Strategy):
            chosen, made = strategies.given(named, settings)
        else:
            kept = dict(self.settings.strategy)
            default = kept.pop("name")
            chosen = default if named is None else named
            # The settings of campaign.toml are those of its own strategy; another has its defaults.
            made = strategies.create(chosen, {**kept, **settings} if chosen == default else settings)
        if self.settings.on_vectors:
            made = made.on_vectors()
            check_vectors(self.learning, self.settings, made)
        check_ability(self.learning, self.settings, made)
        return chosen, made

    def fitted(self, name: str, strategy: Strategy, labels: Labels, *, asking: bool = True) -> Learnt:
        """The fit for these labels: at hand, on disk, or trained now; measured where labels to measure on changed.

        Without `asking`, or where nothing is left to ask, the strategy's own networks are left out.
        """
        question = self.store.current()
        seen = self.seen(self.pool)
        if len(lost := np.setdiff1d(labels.items, seen)):
            said = f"{len(lost):,} ({few(self.pool.manifest.names(lost))})"
            self._readable.warn(f"labelled images that cannot be read, and without which the fit goes on: {said}")
        sides = Sides(self.groups(), labels)
        if both := len(labels.items[~labels.held_out]) - len(sides.may_be_learnt(labels.items, NONE)):
            self._readable.warn(f"{both:,} labelled images belong to what is measured on, and are not learnt from")
        items, values = labels.only(sides.may_be_learnt(seen, NONE)).part(held_out=False)
        if not len(items):
            raise LabelError("nothing is labelled yet, so there is nothing to learn from; ask, and tell some labels")
        # What is being asked is not labelled yet.
        taken = np.union1d(labels.items, self.store.ignored())
        free = torch.from_numpy(np.intersect1d(self.all_but(taken), seen, assume_unique=True))
        if not (asking and len(free)):
            name, strategy = "alone", TaskModelsOnly.like(strategy)
        number = question.number if question else self.store.next_number()
        training_set = TrainingSet(self.images, torch.from_numpy(items), self.learning.targets(values), free, number)
        fitter = Fitter(
            self.directory.fits,
            self.settings,
            self.learning,
            self.devices,
            self.encoder.identity if self.encoder else "",
        )
        key = fitter.key(training_set, strategy, name)
        last, truth, changed = self._last, labels.part(held_out=True)[1], self.store.changed()
        fit = last.fit if last and last.fit.key == key else fitter.fit(training_set, strategy, key, self.progress)
        # A label to measure on may be corrected: the fit stays what it is, its figures do not. They are kept with the
        # moment of the last change, so that they are also measured again where answers changed and changed back.
        if last is None or last.fit is not fit or (last.truth, last.changed) != (truth, changed):
            last = self._last = Learnt(fit, self._measure(fitter, fit, labels, number - 1, changed), truth, changed)
        return last

    def judged(self, labels: Labels) -> tuple[Stream, Targets]:
        """What models are measured on, and what is true of it: the test set, else the labels held out."""
        if self.test is not None and self.test_images is not None:
            seen = self.seen(self.test)
            stream = PoolStream(self.test_images, torch.from_numpy(seen), self.devices, self.progress)
            return stream, self.learning.known(self.test, seen.tolist())
        items, values = labels.only(self.seen(self.pool)).part(held_out=True)
        return self.stream(torch.from_numpy(items)), self.learning.targets(values)

    def _measure(self, fitter: Fitter, fit: Fit, labels: Labels, number: int, changed: datetime | None) -> Metrics:
        """Measures the fit on what it is `judged` by, and keeps the figures."""
        metrics = fitter.measure(fit, *self.judged(labels), len(labels))
        reached = {**metrics.values, "measured": metrics.measured}
        self.store.record(number, reached, labels=metrics.labels, known=changed)
        return metrics
