"""A campaign opened: its directory, settings, pool and store, what it was told and what its rounds left behind."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pickwell.campaign.answers import Answer, Answers, check_task
from pickwell.campaign.directory import Directory
from pickwell.campaign.hints import Hints
from pickwell.campaign.maps import Maps
from pickwell.campaign.old_remarks import move_remarks
from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.errors import PickwellError, PoolError, RoundError
from pickwell.items import Label, Metrics, Round
from pickwell.seeds import derive
from pickwell.store import Store, Told
from pickwell.tasks.segmentation.label_maps import MaskFolder
from pickwell.tasks.segmentation.predictions import Predictions


class OpenCampaign:
    """One labelling effort as everybody opens it: commands, the page, reports and the loop. Needs no torch.

    Any number of threads and processes may have it open. `hints`, `maps` and `predictions` are what rounds left
    behind, `masks` those that labels name.
    """

    def __init__(self, root: str | Path) -> None:
        """Opens the campaign in `root`; SettingsError where campaign.toml no longer fits what it was made for."""
        self.directory = Directory(Path(root))
        self.directory.check()
        self.settings = Settings.read(self.directory.settings)
        self.pool = Pool.open(self.directory.pool)
        self.test = Pool.open(self.directory.test) if self.directory.test.exists() else None
        rounds = self.directory.rounds
        self.hints, self.maps, self.predictions = Hints(rounds), Maps(rounds), Predictions(rounds)
        self.masks = MaskFolder(self.directory.masks)
        self.answers = Answers(self.pool, self.settings.task, self.masks)
        self.store = Store.open(self.directory.url(self.settings))
        try:
            # campaign.toml is for people to edit; the store knows what the campaign was made for.
            check_task(self.settings.task, self.store.campaign().settings)
            move_remarks(self.directory.root, self.store)
        except PickwellError:
            self.store.close()
            raise

    def close(self) -> None:
        """Lets go of the database."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the campaign's order."""
        return self.settings.task.classes

    @property
    def dense(self) -> bool:
        """Whether a label is a mask rather than a class."""
        return self.answers.dense

    @property
    def metric(self) -> str:
        """The name of the figure shown first, a key of what `measured` returns."""
        return "mean_iou" if self.dense else "accuracy"

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
        share = self.settings.validation.share if imported else 0.0
        # By the item alone, so that it is the same however the labels are spread over files.
        drawn = {label.item: derive(self.settings.seed, "held out", label.item) / 2**63 for label in kept}
        held_out = {item for item, draw in drawn.items() if draw < share}
        return self.store.tell(kept, source=source, imported=imported, held_out=held_out)

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

    def measured(self) -> Metrics:
        """What the newest fit for the labels of the moment reached; empty if there is none."""
        labels = len(self.store.labels())
        changed = self.store.changed()
        # As many labels need not be the same ones: they may have been corrected since, or taken back and told anew.
        rows = [row for row in self.store.results() if row.labels == labels and row.time == changed]
        values = {row.metric: row.value for row in rows}
        return Metrics(values, int(values.pop("measured", 0)), labels)

    def unlabelled(self) -> NDArray[np.int64]:
        """The ids that can be asked for now, ascending."""
        return self.all_but(self.store.taken())

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
