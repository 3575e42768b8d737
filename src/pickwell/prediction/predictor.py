"""The model of the newest labels, asked about whole pools: its answers with calibrated confidence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from pickwell.data.pool import Pool
from pickwell.errors import LabelError, SettingsError
from pickwell.learner.calibration import cooled, temperature
from pickwell.learner.item_stream import Stream
from pickwell.loop.campaign import Campaign
from pickwell.prediction.unlearnt import cross_validated, held_out
from pickwell.statistics.acceptance import Acceptance, acceptance

ENOUGH = 50
"""Labels that a temperature is found on, at least: on fewer it would be chance."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of an image: the likeliest class, and how likely it is, calibrated.

    `raw` is the same before calibration, which no label to measure on had a part in: answers are accepted by it.
    """

    item: int
    label: str
    confidence: float
    raw: float


class Predictor:
    """A campaign's model, fitted to the labels of this moment; LabelError where nothing is labelled.

    `temperature` is found on labels that the model did not learn from, `found_on` so many: by cross-validation where
    the head is solved, else on those held out; 1 where they are fewer than 50.
    """

    def __init__(self, campaign: Campaign) -> None:
        if not campaign.task.suggested:
            raise SettingsError(
                f"predict names one class an image, and {campaign.settings.task.kind} has none; masks of a round's "
                "picks are on the page (pickwell serve)"
            )
        self.campaign, self.labels = campaign, campaign.store.labels().only(campaign.seen(campaign.pool))
        self.learner = campaign.learnt().fit.learner
        unlearnt = cross_validated(campaign, self.learner, self.labels) or held_out(campaign, self.learner, self.labels)
        self.found_on = len(unlearnt.items) if len(unlearnt.items) >= ENOUGH else 0
        self.temperature = temperature(unlearnt.said, unlearnt.classes) if self.found_on else 1.0

    def answers(self, stream: Stream) -> Iterator[Answer]:
        """What the model says of each image, in order of id; in memory is one batch."""
        classes = self.campaign.task.suggested
        for ids, images in stream.batches():
            raw = self.learner.predict(images).cpu()
            before, best = raw.max(dim=1)
            sure = cooled(raw, self.temperature).gather(1, best[:, None])[:, 0]
            for item, place, *shares in zip(ids.tolist(), best.tolist(), sure.tolist(), before.tolist(), strict=True):
                yield Answer(item, classes[place], *shares)

    def unlabelled(self) -> Stream:
        """The pool's images that have no label and were not called unlabellable."""
        campaign = self.campaign
        decided = np.union1d(campaign.store.labels().items, campaign.store.ignored())
        free = np.intersect1d(campaign.all_but(decided), campaign.seen(campaign.pool), assume_unique=True)
        return campaign.stream(torch.from_numpy(free))

    @contextmanager
    def pool(self, images: str, **source: Any) -> Iterator[tuple[Pool, Stream]]:
        """Images from elsewhere, as a pool that is gone afterwards, and as the model sees them."""
        campaign = self.campaign
        with TemporaryDirectory(prefix="predict-", dir=campaign.directory.root) as folder:
            told = campaign.progress
            of = campaign.task.sources(images, None, "train", **source)
            pool = Pool.create(Path(folder) / "pool", **of, progress=told)
            yield pool, campaign.stream_of(pool, Path(folder) / "features")

    def threshold(self, error: float) -> float:
        """The confidence before calibration above which at most a share of `error` of the answers is wrong.

        LabelError where that cannot be promised: with the number of labels that is missing, if it is that.
        """
        found = self.acceptance(error)
        if found.threshold is not None:
            return found.threshold
        promise = f"that at most {error:.1%} of the accepted answers are wrong cannot be promised"
        if found.missing:
            raise LabelError(
                f"{promise}: it takes {found.measured + found.missing} labels that the model does not learn from, and "
                f"there are {found.measured}; label {found.missing} more of those drawn at random (validation.share), "
                "or name a labelled test set at init (--test)"
            )
        raise LabelError(
            f"{promise}: of {found.measured} images that it was measured on it has {found.wrong} wrong, too many even "
            "where it is surest; label more, or accept more errors"
        )

    def acceptance(self, error: float) -> Acceptance:
        """What can be promised of the answers; measured on the test set, else on the labels held out."""
        stream, true = self.campaign.judged(self.labels)
        answers, classes = list(self.answers(stream)), self.campaign.task.suggested
        truths = true[torch.arange(len(answers))]
        right = [classes.index(one.label) == int(truth) for one, truth in zip(answers, truths, strict=True)]
        return acceptance([one.raw for one in answers], right, error)
