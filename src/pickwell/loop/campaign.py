"""The loop: fit -> ask -> tell, and `run`, which is Algorithm 2 repeated."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell import strategies, tasks
from pickwell.acquisition.streaming import check_budget
from pickwell.campaign.answers import Answer, Answers
from pickwell.campaign.directory import Directory
from pickwell.campaign.status import Status, status_of
from pickwell.config import Settings
from pickwell.data.pool import Pool, Summary
from pickwell.errors import BudgetError, LabelError, PickwellError, PoolError, RoundError, SettingsError, unknown
from pickwell.items import Label, Metrics, Round
from pickwell.learner import Devices
from pickwell.learner.seeds import derive
from pickwell.learner.stream import Stream
from pickwell.learner.task_learning import Pixels, TaskLearning, learning_of
from pickwell.learner.training import Progress
from pickwell.loop.ability import check_ability
from pickwell.loop.creation import check_task
from pickwell.loop.fitting import Fit, Fitter, TrainingSet
from pickwell.loop.opening import open_round
from pickwell.loop.picking import same_question
from pickwell.loop.task_models_only import TaskModelsOnly
from pickwell.loop.view import PoolStream
from pickwell.oracle import Human, Noisy, Oracle, Simulated
from pickwell.store import Labels, Store, Told
from pickwell.strategies import Strategy
from pickwell.tasks.segmentation.label_maps import MaskFolder

logger = logging.getLogger("pickwell")

FIRST = "random"
"""The strategy before anything is labelled: there is nothing to learn from yet."""


class Learnt(NamedTuple):
    """The last fit, what it reached, the labels that it was measured on, and when any answer had changed."""

    fit: Fit
    metrics: Metrics
    truth: list[str]
    changed: datetime | None


class Campaign:
    """One labelling effort: a pool, a task, a strategy and a store, in one directory."""

    def __init__(self, root: str | Path, *, progress: Progress | None = None) -> None:
        """Opens the campaign in `root`; `progress` is told of everything that takes long."""
        self.directory = Directory(Path(root))
        self.directory.check()
        self.settings = Settings.read(self.directory.settings)
        self.task = tasks.of(self.settings, self.directory.root)
        self.pool = Pool.open(self.directory.pool)
        self.test = Pool.open(self.directory.test) if self.directory.test.exists() else None
        self.store = Store.open(self.directory.url(self.settings))
        try:
            # campaign.toml is for people to edit; the store knows what the campaign was made for.
            check_task(self.settings.task, self.store.campaign().settings)
        except PickwellError:
            self.store.close()
            raise
        self.progress = progress
        self._last: Learnt | None = None

    def close(self) -> None:
        """Lets go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def devices(self) -> Devices:
        """The accelerator, or the CPU."""
        return Devices(self.settings.training.precision)

    @cached_property
    def learning(self) -> TaskLearning:
        """What the task means to networks."""
        return learning_of(self.task)

    @cached_property
    def images(self) -> Pixels:
        """The pool's pixels."""
        return self.learning.pixels(self.pool, self.settings)

    @cached_property
    def test_images(self) -> Pixels | None:
        """The test set's pixels, if the user named one."""
        return self.learning.pixels(self.test, self.settings) if self.test else None

    def fit(self, strategy: str | None = None, **settings: Any) -> Metrics:
        """Trains on what is labelled; says how well the model does on images that it was not trained on."""
        with self.directory.exclusive("fit"):
            name, chosen = self._strategy(strategy, settings)
            return self.fitted(name, chosen, self.store.labels()).metrics

    def fit_alone(self) -> Metrics:
        """As `fit` does, for labels after which nothing is asked: a strategy's own networks are not trained."""
        with self.directory.exclusive("fit"):
            name, chosen = self._strategy(None, {})
            return self.fitted(name, chosen, self.store.labels(), asking=False).metrics

    def ask(self, budget: int, strategy: str | None = None, **settings: Any) -> Round:
        """The images to label next. Until they are told, asking again gives the same open round.

        Fits first if labels changed. Before anything is labelled it draws at random (`round.strategy` says so).
        Raises BudgetError if fewer than `budget` images are left, RoundError if another question is still open.
        """
        with self.directory.exclusive("ask"):
            while True:
                position = self.store.position()
                try:
                    # People label while this trains: a pick may be taken by now. Any other refusal comes again.
                    return self._ask(budget, strategy, settings)
                except RoundError:
                    if self.store.position() == position:
                        raise
                    logger.info("labels were told while picking, so the picks are made anew")

    def _ask(self, budget: int, strategy: str | None, settings: Mapping[str, Any]) -> Round:
        """The open round if there is one, else a new one; RoundError if the store does not take its picks."""
        if question := self.store.current():
            return same_question(question, budget, strategy, learnt=self.store.details(question.number).learnt)
        free = self.unlabelled()
        if not len(free):
            raise BudgetError(f"none of the {len(self.pool)} images is left to ask for; add more with pickwell add")
        check_budget(budget, len(free))
        name, chosen = self._strategy(strategy, settings)
        if not len(self.store.labels().part(held_out=False)[0]):
            name, chosen = FIRST, strategies.create(FIRST)
        return open_round(self, name, chosen, budget, free)

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
        answers = Answers(self.pool, self.settings.task, self.masks)
        labels = answers.of(labels) if isinstance(labels, Mapping) else labels
        if files is not None:
            labels = answers.from_files(labels, files)
        answers.check(labels)
        share = self.settings.validation.share if imported else 0.0
        # By the item alone, so that it is the same however the labels are spread over files.
        drawn = {label.item: derive(self.settings.seed, "held out", label.item) / 2**63 for label in labels}
        held_out = {item for item, draw in drawn.items() if draw < share}
        return self.store.tell(labels, source=source, imported=imported, held_out=held_out)

    def undo(self) -> list[Label]:
        """Takes back the last `tell`; what it had labelled waits again."""
        return self.store.undo()

    def run(self, oracle: Oracle, rounds: int, budget: int, strategy: str | None = None, **settings: Any) -> Metrics:
        """Algorithm 2, repeated: asks, lets the oracle answer, learns; returns the last fit's metrics."""
        if rounds < 1:
            raise BudgetError(f"rounds {rounds} is not a number of rounds; run at least 1")
        for _ in range(rounds):
            question = self.ask(budget, strategy, **settings)
            answers = oracle.answer([self.pool.item(pick.item) for pick in question.undecided])
            # A person's labels have gone to the store already.
            if answers:
                self.tell(answers, source=type(oracle).__name__.lower())
            metrics = self.fit(strategy, **settings)
        return metrics

    def add(self, images: str | Path, *, masks: str | Path | None = None, **source: Any) -> Summary:
        """Appends images, with their `masks` if they have any, that are not in the pool yet; ids already given stay."""
        with self.directory.exclusive("add"):
            summary = self.pool.add(**self.task.sources(images, masks, "train", **source))
            # What was cached is as long as the pool was.
            self.__dict__.pop("images", None)
            return summary

    @property
    def masks(self) -> MaskFolder:
        """The masks that labels name."""
        return MaskFolder(self.directory.masks)

    def unlabelled(self) -> Tensor:
        """The ids that can be asked for now, ascending."""
        return self._without(self.store.taken())

    def stream(self, ids: Tensor) -> Stream:
        """Some items of the pool, as networks see them."""
        return PoolStream(self.images, ids, self.devices)

    def _without(self, items: NDArray[np.int64]) -> Tensor:
        """The ids of the pool but for these ascending ones; PoolError if the pool is too small to hold them."""
        if len(items) and items[-1] >= len(self.pool):
            raise PoolError(
                f"the pool at {self.directory.pool} holds {len(self.pool)} images, but item {items[-1]} was asked for: "
                "its manifest is older than the labels; put the newer one back"
            )
        rest = torch.ones(len(self.pool), dtype=torch.bool)
        rest[torch.from_numpy(items)] = False
        return rest.nonzero().squeeze(1)

    def measured(self) -> Metrics:
        """What the newest fit for the labels of the moment reached; empty if there is none."""
        labels = len(self.store.labels())
        changed = self.store.changed()
        # As many labels need not be the same ones: they may have been corrected since, or taken back and told anew.
        rows = [row for row in self.store.results() if row.labels == labels and row.time == changed]
        values = {row.metric: row.value for row in rows}
        return Metrics(values, int(values.pop("measured", 0)), labels)

    def close_round(self) -> Round:
        """Closes the open round; its unanswered images go back to the pool."""
        question = self.store.current()
        if question is None:
            raise RoundError("no round is open, so there is none to close; ask opens one")
        self.store.close_round(question.number)
        return question

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

    def _strategy(self, name: str | None, settings: Mapping[str, Any]) -> tuple[str, Strategy]:
        """A strategy's name and the strategy, the campaign's own unless another is named."""
        kept = dict(self.settings.strategy)
        default = kept.pop("name")
        chosen = default if name is None else name
        # The settings of campaign.toml are those of its own strategy; another has its defaults.
        made = strategies.create(chosen, {**kept, **settings} if chosen == default else settings)
        check_ability(self.learning, self.settings, made)
        return chosen, made

    def fitted(self, name: str, strategy: Strategy, labels: Labels, *, asking: bool = True) -> Learnt:
        """The fit for these labels: at hand, on disk, or trained now; measured where labels to measure on changed.

        Without `asking`, or where nothing is left to ask, the strategy's own networks are left out.
        """
        question = self.store.current()
        items, values = labels.part(held_out=False)
        if not len(items):
            raise LabelError("nothing is labelled yet, so there is nothing to learn from; ask, and tell some labels")
        free = self._without(np.union1d(labels.items, self.store.ignored()))  # what is being asked is not labelled yet
        if not (asking and len(free)):
            name, strategy = "alone", TaskModelsOnly.like(strategy)
        number = question.number if question else self.store.next_number()
        training_set = TrainingSet(self.images, torch.from_numpy(items), self.learning.targets(values), free, number)
        fitter = Fitter(self.directory.fits, self.settings, self.learning, self.devices)
        key = fitter.key(training_set, strategy, name)
        last, truth, changed = self._last, labels.part(held_out=True)[1], self.store.changed()
        fit = last.fit if last and last.fit.key == key else fitter.fit(training_set, strategy, key, self.progress)
        # A label to measure on may be corrected: the fit stays what it is, its figures do not. They are kept with the
        # moment of the last change, so that they are also measured again where answers changed and changed back.
        if last is None or last.fit is not fit or (last.truth, last.changed) != (truth, changed):
            last = self._last = Learnt(fit, self._measure(fitter, fit, labels, number - 1, changed), truth, changed)
        return last

    def _measure(self, fitter: Fitter, fit: Fit, labels: Labels, number: int, changed: datetime | None) -> Metrics:
        """Measures the fit on the test set, else on the labels held out, and keeps the figures."""
        if self.test is not None and self.test_images is not None:
            judged: Stream = PoolStream(self.test_images, torch.arange(len(self.test)), self.devices, self.progress)
            truth = self.learning.known(self.test)
        else:
            items, values = labels.part(held_out=True)
            judged, truth = self.stream(torch.from_numpy(items)), self.learning.targets(values)
        metrics = fitter.measure(fit, judged, truth, len(labels))
        reached = {**metrics.values, "measured": metrics.measured}
        self.store.record(number, reached, labels=metrics.labels, known=changed)
        return metrics
