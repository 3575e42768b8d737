"""Core-set: the pool within reach of the labels."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.coverage import k_center
from pickwell.acquisition.features import gathered
from pickwell.acquisition.streaming import check_budget, in_even_chunks
from pickwell.items import Pick
from pickwell.learner import Learner
from pickwell.learner.item_stream import Stream
from pickwell.strategies.strategy import RoundView, Strategy


@dataclass(kw_only=True)
class CoreSet(Strategy):
    """Greedy k-center on penultimate features, starting from the labelled images.

    Use when: rounds are large and the task model's features are good already, as those of a pretrained network.
    Source: Sener and Savarese, ICLR 2018.

    A pick's score is its Euclidean distance to the nearest image labelled or picked before it. Differs from the
    source: greedy alone, without the mixed-integer search for outliers, as in VAAL's comparison. Images held out to
    measure on are no centres: nothing is learnt from them.
    """

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        known = _features(view.labelled, view.learner) if len(view.labelled) else None
        places, gaps = k_center(_features(view.unlabelled, view.learner), known, budget)
        chosen = zip(view.unlabelled.ids()[places].tolist(), gaps.tolist(), strict=True)
        return [Pick(item, rank, gap) for rank, (item, gap) in enumerate(chosen, start=1)]


def _features(stream: Stream, learner: Learner) -> Tensor:
    return gathered((learner.embed(images) for _, images in in_even_chunks(stream.batches())), stream.ids())
