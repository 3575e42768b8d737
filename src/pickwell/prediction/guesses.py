"""What a model says, as the formats write it."""

from collections.abc import Sequence
from functools import partial

from pickwell.data.pool import Pool
from pickwell.formats.exchange.found import Labelled
from pickwell.formats.exchange.provenance import MODEL
from pickwell.formats.exporting import file_of
from pickwell.prediction.predictor import Answer
from pickwell.tasks.segmentation.label_maps import Mask


def guesses(answers: Sequence[Answer], pool: Pool) -> list[Labelled]:
    """The answers about images of `pool`, each under all its names and marked as the model's; half a kB each."""
    sizes = pool.manifest.sizes([one.item for one in answers]).tolist()
    return [
        Labelled(
            one.item,
            place.name,
            (width, height),
            one.label,
            mask=_no_mask,
            image=partial(pool.bytes, one.item),
            file=file_of(pool, place),
            annotator=MODEL,
            confidence=one.confidence,
        )
        for one, (width, height) in zip(answers, sizes, strict=True)
        for place in pool.manifest.places(one.item)
    ]


def _no_mask() -> Mask:
    raise AssertionError("classes are predicted, and no masks")
