"""The best `b` of a stream of scores, exactly, without ever holding the stream."""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby

import torch
from torch import Tensor
from torch.nn.functional import pad

from pickwell.errors import BudgetError, TrainingError
from pickwell.items import Pick

PIXELS_A_CHUNK = 2**20
"""A few masks of probabilities fit into memory, and a network is kept busy."""
IMAGES_A_CHUNK = 256


def check_budget(budget: int, available: int) -> None:
    """Refuses a budget that is not between 1 and the number of items that could be picked."""
    if budget < 1:
        raise BudgetError(f"budget {budget} is not a number of images; ask for at least 1")
    if budget > available:
        raise BudgetError(
            f"budget {budget} is larger than the {available} unlabelled images left; ask for at most {available}"
        )


def in_chunks(batches: Iterable[tuple[Tensor, Tensor]], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The same items in chunks of exactly `size`, the last one of a shape smaller, however they were batched.

    A network's rounding depends on how many images are in a batch; with equal chunks its scores, and so the picks, do
    not depend on the reader's batch size.

    >>> batches = [(torch.arange(3), torch.zeros(3)), (torch.arange(3, 7), torch.zeros(4))]
    >>> [ids.tolist() for ids, _ in in_chunks(batches, 2)]
    [[0, 1], [2, 3], [4, 5], [6]]
    """
    rest: tuple[Tensor, Tensor] | None = None
    for ids, values in batches:
        if rest is not None and rest[1].shape[1:] != values.shape[1:]:
            yield rest
            rest = None
        if rest is not None:
            ids, values = torch.cat((rest[0], ids)), torch.cat((rest[1], values))
        whole = len(ids) - len(ids) % size
        for start in range(0, whole, size):
            yield ids[start : start + size], values[start : start + size]
        rest = (ids[whole:], values[whole:]) if whole < len(ids) else None
    if rest is not None:
        yield rest


def in_blocks(inputs: Tensor, size: int) -> list[Tensor]:
    """Inputs `(N, ...)` in blocks of exactly `size` rows, the last filled up with zeros, in the same memory layout.

    A kernel is chosen by the shape of a batch, and each rounds in its own way. In blocks of one shape what is worked
    out of a row hangs on that row alone, bit by bit.

    >>> [block.tolist() for block in in_blocks(torch.arange(3), 2)]
    [[0, 1], [2, 0]]
    """
    *whole, last = inputs.split(size)
    return [*whole, pad(last, (0, 0) * (last.dim() - 1) + (0, size - len(last)))]


def images_a_chunk(pixels: int) -> int:
    """How many images of that many pixels are worked on at once; the number of other inputs is that of one pixel."""
    return max(1, min(IMAGES_A_CHUNK, PIXELS_A_CHUNK // pixels))


def in_even_chunks(batches: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """The same images `(B, 3, H, W)` in chunks of about a million pixels and at most 256 images, the last one smaller.

    What is worked out of a chunk, and by which chance, is then the same however the images were batched. A chunk's
    images are of one size: where the size changes, a new chunk begins.
    """
    for _, alike in groupby(batches, lambda batch: batch[1].shape[2:]):
        first = next(alike)
        size = images_a_chunk(first[1].shape[2:].numel())
        yield from in_chunks(chain((first,), alike), size)  # noqa: B031 - each batch is read once: the first, the others


def refuse_nan(ids: Tensor, values: Tensor, what: str = "the score") -> None:
    """Raises TrainingError for the first of the items `(N,)` that has a value with which nothing can be compared.

    Of scores `(N,)` that is NaN, of vectors `(N, D)` infinity as well: a distance to it would be NaN.
    """
    if values.dim() == 2 and values.sum().isfinite():  # whatever is no number makes none of the sum
        return
    wrong = values.isnan() if values.dim() == 1 else ~values.isfinite()
    if wrong.any():
        first = wrong.nonzero()[0].tolist()
        raise TrainingError(
            f"{what} of item {int(ids[first[0]])} is {float(values[tuple(first)])}, not a number: the networks that "
            "made it have probably diverged; train them again with a lower learning rate"
        )


class TopB:
    """Keeps the `b` highest scores seen; ties go to the lower id.

    The result equals a full sort of the stream for any chunking or order. Memory is O(b + chunk).

    >>> best = TopB(2)
    >>> best.update(torch.tensor([7, 3]), torch.tensor([0.5, 0.5]))
    >>> best.update(torch.tensor([1]), torch.tensor([0.1]))
    >>> [(pick.item, pick.rank) for pick in best.picks()]
    [(3, 1), (7, 2)]
    """

    def __init__(self, b: int) -> None:
        if b < 1:
            raise BudgetError(f"budget {b} is not a number of images; ask for at least 1")
        self.b = b
        self._ids = torch.empty(0, dtype=torch.int64)
        self._scores = torch.empty(0, dtype=torch.float64)
        self._sorted = True
        self._floor: float | None = None

    def update(self, ids: Tensor, scores: Tensor) -> None:
        """Takes in one chunk: ids int64 `(N,)`, each seen once in the whole stream, and their scores `(N,)`."""
        assert ids.ndim == 1, f"ids {tuple(ids.shape)}"
        assert ids.shape == scores.shape, f"ids {tuple(ids.shape)} but scores {tuple(scores.shape)}"
        ids, scores = ids.detach().cpu(), scores.detach().cpu()
        refuse_nan(ids, scores)
        scores = scores.double()
        if self._floor is not None:
            # Equal scores stay in: only the sort can tell whose id is lower.
            hopeful = scores >= self._floor
            ids, scores = ids[hopeful], scores[hopeful]
        if not len(ids):
            return
        self._ids, self._scores = torch.cat((self._ids, ids.long())), torch.cat((self._scores, scores))
        self._sorted = False
        # Sorting only when the surplus reaches b makes the cost of a long stream one comparison an item.
        if len(self._ids) >= 2 * self.b:
            self._settle()

    def ids(self) -> Tensor:
        """The kept ids, int64, in rank order."""
        self._settle()
        return self._ids

    def scores(self) -> Tensor:
        """The kept scores, float64, in rank order."""
        self._settle()
        return self._scores

    def picks(self) -> list[Pick]:
        """The kept items in rank order: at most `b`, fewer when the stream was shorter."""
        pairs = zip(self.ids().tolist(), self.scores().tolist(), strict=True)
        return [Pick(item, rank, score) for rank, (item, score) in enumerate(pairs, start=1)]

    def _settle(self) -> None:
        if self._sorted:
            return
        by_id = self._ids.argsort()
        order = by_id[self._scores[by_id].argsort(descending=True, stable=True)][: self.b]
        self._ids, self._scores, self._sorted = self._ids[order], self._scores[order], True
        self._floor = float(self._scores[-1]) if len(order) == self.b else None
