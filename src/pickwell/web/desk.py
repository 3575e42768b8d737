"""One campaign as the page sees it: settings, pool and store. What people do here is checked here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from pickwell.campaign.directory import Directory
from pickwell.campaign.hints import Hints
from pickwell.campaign.maps import Maps
from pickwell.campaign.old_remarks import move_remarks
from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.errors import LabelError, RoundError
from pickwell.items import Kind, Label, Pick, PickState
from pickwell.labels import check_class
from pickwell.store import Store, Told, check_free
from pickwell.tasks.segmentation.label_maps import Mask, MaskFolder, check_mask
from pickwell.tasks.segmentation.predictions import Predictions
from pickwell.web.agreement import ADJUDICATED

SUGGESTION_SEEN = "suggestion seen"
"""What a label's source says when its annotator had looked at the model's suggestion."""
SUGGESTION_USED = "suggestion used"
"""What it says beside that of a mask that was drawn upon the model's prediction."""


@dataclass(frozen=True, slots=True)
class Who:
    """An annotator at one tab of a browser; each tab holds leases of its own, so no two show the same image."""

    name: str
    tab: str

    @property
    def holder(self) -> str:
        """The name under which leases are kept."""
        return f"{self.name}/{self.tab}"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of some items: by keyboard, grid or program; `seen` if the suggestion was looked at.

    An answer is a class's name as `value` or, of one item, its `mask`.
    """

    items: Sequence[int]
    kind: Kind
    value: str | None = None
    seconds: float | None = None
    via: str = "page"
    seen: bool = False
    used: bool = False
    mask: Mask | None = None

    @property
    def source(self) -> str:
        """What the label log keeps of how it was said."""
        marks = (SUGGESTION_SEEN, self.seen or self.used), (SUGGESTION_USED, self.used)
        return ", ".join([self.via, *(words for words, holds in marks if holds)])


class Desk:
    """An opened campaign; any number of threads may use it."""

    def __init__(self, root: Path) -> None:
        self.directory = Directory(root)
        self.directory.check()
        self.settings = Settings.read(self.directory.settings)
        self.pool = Pool.open(self.directory.pool)
        self.store = Store.open(self.directory.url(self.settings))
        self.made = str(int(self.store.campaign().created.timestamp() * 1_000_000))
        """When the campaign was made: tells it from others of its name, and from those served at the same address."""
        self.hints = Hints(self.directory.rounds)
        self.maps = Maps(self.directory.rounds)
        self.masks = MaskFolder(self.directory.masks)
        self.predictions = Predictions(self.directory.rounds)
        move_remarks(root, self.store)
        self._warm()

    def _warm(self) -> None:
        """Reads the manifest's columns now rather than for the first page: of a million images they are large."""
        if len(self.pool):
            self.pool.item(0)
            self.pool.manifest.where(0)
            self.pool.manifest.sizes([0])
            pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Lets go of the database."""
        self.store.close()

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the campaign's order."""
        return self.settings.task.classes

    @property
    def dense(self) -> bool:
        """Whether a label is a mask rather than a class."""
        return self.settings.task.kind == "segmentation"

    def next(self, who: Who, n: int) -> list[Pick]:
        """Up to n picks for this annotator alone, best first; those they hold already come first."""
        return self.store.lease(who.holder, n, self.settings.serve.lease_seconds, author=who.name)

    def tell(self, who: Who, said: Said, event: str) -> Told:
        """Keeps what somebody says; RoundError where an item is another's, LabelError for what cannot be."""
        self.check_items(said.items)
        if said.kind is Kind.ANSWER:
            self._check_answer(said)
        share = None if said.seconds is None else said.seconds / len(said.items)
        labels = [Label(item, said.value, said.kind, who.name, share) for item in said.items]
        if said.mask is not None:
            # No mask is kept whose label the store would refuse.
            check_free(found := self.store.holdings(said.items), labels, who.holder)
            labels = [replace(one, value=self.masks.put(said.mask)) for one in labels if one.item in found] or labels
        # Where a round asks one annotator, the store takes an opinion for a label.
        return self.store.tell(labels, source=said.source, event=event, opinion=True, holder=who.holder)

    def decide(self, who: Who, item: int, kind: Kind, value: str | None, event: str) -> Told:
        """Decides about a disputed item; RoundError where nothing is disputed any more."""
        if kind is Kind.ANSWER:
            self._check_answer(Said([item], kind, value))
        self.check_items([item])
        found = self.store.holdings([item]).get(item)
        own = found is not None and found.author == who.name  # the same event again, or a correction
        if found is None or (found.state is not PickState.DISPUTED and not own):
            raise RoundError(f"item {item} is not disputed any more; it was not changed, go on with the next image")
        answer = value if kind is Kind.ANSWER else None
        return self.store.tell([Label(item, answer, kind, who.name)], source=ADJUDICATED, event=event)

    def undo(self, who: Who, event: str) -> list[Label]:
        """Takes back what this annotator told last, and holds those items for them again."""
        labels = self.store.undo(annotator=who.name, event=event)
        if labels:
            self.store.hold(who.holder, [label.item for label in labels], self.settings.serve.lease_seconds)
        return labels

    def _check_answer(self, said: Said) -> None:
        """Raises LabelError for what is no answer to this campaign's question."""
        if not self.dense:
            if said.mask is not None:
                raise LabelError("a mask is no answer to classification; name one of its classes at /api/answer")
            check_class(str(said.value), self.classes)
        elif said.mask is None:
            raise LabelError(f"'{str(said.value)[:80]}' is no answer here: labels are masks; send one to /api/masks")
        else:
            (item,) = said.items
            width, height = self.pool.manifest.sizes([item])[0].tolist()
            check_mask(said.mask, (width, height), len(self.classes), f"item {item}: ")

    def check_items(self, items: Sequence[int]) -> None:
        """Raises LabelError for an item that the pool does not hold."""
        for item in items:
            if not 0 <= item < len(self.pool):
                raise LabelError(f"unknown item {item}; the pool holds items 0 to {len(self.pool) - 1}")
