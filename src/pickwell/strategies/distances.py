"""The rows between which strategies measure distances."""

from torch import Tensor
from torch.nn.functional import normalize

from pickwell.acquisition.features import gathered
from pickwell.acquisition.streaming import in_even_chunks
from pickwell.errors import SettingsError
from pickwell.learner import Stream
from pickwell.strategies.strategy import RoundView


def rows_of_stream(view: RoundView, stream: Stream) -> Tensor:
    """What the model makes of a stream's images, `(N, D)` in a table of `gathered`'s.

    Before anything is labelled there is no model: then the vectors themselves, of length 1. Raises SettingsError where
    these are images.
    """
    embed = view.learner.embed if len(view.labelled) else _vectors
    return gathered((embed(images) for _, images in in_even_chunks(stream.batches())), stream.ids())


def _vectors(images: Tensor) -> Tensor:
    if images.dim() != 2:
        raise SettingsError(
            "nothing is labelled yet, and images have no features to compare before a network has learnt some; draw "
            'the first round at random (--strategy random), or choose an encoder (encoder = "lite0")'
        )
    return normalize(images.float())
