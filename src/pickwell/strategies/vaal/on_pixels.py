"""VAAL's networks on images: they learn beside the task model, and a fit keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from pickwell.learner.item_stream import Stream
from pickwell.strategies.strategy import RoundView
from pickwell.strategies.vaal.representations import Pools
from pickwell.strategies.vaal.vae_and_discriminator import Pair


@dataclass
class OnPixels:
    """A pair that takes the fit's batches; of images with masks it sees squares of `side` pixels."""

    pair: Pair
    side: int

    def pools(self, view: RoundView) -> Pools[Stream]:
        """The images as the pair knows them."""
        return Pools(*(stream.whole(self.side) for stream in (view.labelled, view.unlabelled, view.held_out)))

    def state(self) -> dict[str, Tensor]:
        """All that the fit keeps."""
        return self.pair.state()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned."""
        self.pair.load_state(state)
