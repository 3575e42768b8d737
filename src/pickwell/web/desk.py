"""What people do at the page of a campaign: leases, answers under a name, decisions, undo."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.errors import LabelError
from pickwell.items import Kind, Label, Pick
from pickwell.store import Told, check_free
from pickwell.tasks.task import Answer
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


def source(via: str, *, seen: bool = False, used: bool = False) -> str:
    """What the label log keeps of how something was said: by which page, and what was made of the suggestion."""
    marks = (SUGGESTION_SEEN, seen or used), (SUGGESTION_USED, used)
    return ", ".join([via, *(words for words, holds in marks if holds)])


class Desk:
    """A campaign at which people label; any number of threads may use it."""

    def __init__(self, root: Path) -> None:
        self.campaign = OpenCampaign(root)
        self.store = self.campaign.store
        self.made = str(int(self.store.campaign().created.timestamp() * 1_000_000))
        """When the campaign was made: tells it from others of its name, and from those served at the same address."""
        self._lease = self.campaign.settings.serve.lease_seconds
        self._warm()

    def _warm(self) -> None:
        """Reads the manifest's columns now rather than for the first page: of a million images they are large."""
        pool = self.campaign.pool
        if len(pool):
            pool.item(0)
            pool.manifest.where(0)
            pool.manifest.sizes([0])
            pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Lets go of the database."""
        self.campaign.close()

    def next(self, who: Who, n: int) -> list[Pick]:
        """Up to n picks for this annotator alone, best first; those held already come first, and others get a part."""
        return self.store.lease(who.holder, n, self._lease, author=who.name, shared=True)

    def renew(self, who: Who) -> int:
        """Renews the leases of this tab; returns how many."""
        return self.store.heartbeat(who.holder, self._lease)

    def tell(
        self,
        who: Who,
        items: Sequence[int],
        kind: Kind,
        value: Answer | None,
        event: str,
        *,
        seconds: float | None = None,
        source: str = "page",
    ) -> Told:
        """Keeps what somebody says of some items; RoundError where one is another's, LabelError for what cannot be.

        An answer's `value` is a class's name or, of one item, its mask as an array; `seconds` are those of all items.
        """
        self._check(items, kind, value)
        share = None if seconds is None else seconds / len(items)
        labels = [Label(item, value if isinstance(value, str) else None, kind, who.name, share) for item in items]
        if isinstance(value, np.ndarray):
            # No mask is kept whose label the store would refuse.
            check_free(found := self.store.holdings(items), labels, who.holder)
            keep = self.campaign.task.keep
            labels = [replace(one, value=keep(value)) for one in labels if one.item in found] or labels
        # Where a round asks one annotator, the store takes an opinion for a label.
        return self.store.tell(labels, source=source, event=event, opinion=True, holder=who.holder)

    def decide(self, who: Who, item: int, kind: Kind, value: str | None, event: str) -> Told:
        """Decides about a disputed item; RoundError where nothing is disputed any more."""
        self._check([item], kind, value)
        label = Label(item, value if kind is Kind.ANSWER else None, kind, who.name)
        return self.store.tell([label], source=ADJUDICATED, event=event, holder=who.holder, decides=True)

    def undo(self, who: Who, event: str, of: str | None = None) -> list[Label]:
        """Takes back what was told last at this tab, or this annotator's event `of`; the items are theirs again."""
        return self.store.undo(annotator=who.name, event=event, holder=who.holder, seconds=self._lease, of=of)

    def _check(self, items: Sequence[int], kind: Kind, value: Answer | None) -> None:
        """Raises LabelError for what is no answer to this campaign's question, or none that a page may give."""
        self.campaign.refresh()
        # The name of a mask that is kept is none: it might be another image's.
        if kind is Kind.ANSWER and not self.campaign.task.typed and not isinstance(value, np.ndarray):
            noun = self.campaign.task.noun
            raise LabelError(f"'{str(value)[:80]}' is no answer here: labels are {noun}s; send one to /api/{noun}s")
        self.campaign.answers.check(items, kind, value)
