"""The pool's images at their native size, and resized into a square: what segmentation learns and predicts from."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from pickwell.data.images import AHEAD, MEMORY_LIMIT, PIXELS_A_PASS, checked, images_a_pass
from pickwell.data.pool import Pool
from pickwell.data.tensor_cache import TensorCache
from pickwell.data.threads import in_order, workers
from pickwell.errors import SettingsError
from pickwell.progress import Progress

# So many scenes decoded at once that threads never wait, so few that they need little memory before they are kept.
FILL = 64
Decode = Callable[[int], Tensor]


class Scenes:
    """A pool's images as uint8 `(3, H, W)` in RGB, upright, each of its own size; the same in memory or not.

    In memory, if all of them fit `memory_limit_bytes`, each decoded when first asked for. Otherwise decoded by threads
    whenever they are asked for. Squares of one size are kept too while there is room within the same limit.
    What is handed out must not be written to. `progress` is told of decoding into memory.
    """

    def __init__(
        self,
        pool: Pool,
        memory_limit_bytes: int = MEMORY_LIMIT,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.pool = pool
        self.threads = threads
        self.progress = progress
        self.sizes = pool.manifest.sizes().astype(np.int64)
        """Widths and heights, int64 `(N, 2)`."""
        needed = 3 * int(self.sizes.prod(axis=1).sum())
        self.in_memory = needed <= memory_limit_bytes
        self._room = memory_limit_bytes - (needed if self.in_memory else 0)
        self._lock = Lock()
        self._kept = TensorCache[int]()
        self._squares: dict[int, TensorCache[int]] = {}

    def __len__(self) -> int:
        return len(self.sizes)

    def read(self, ids: Tensor) -> list[Tensor]:
        """The images of the ids, `(3, H, W)` each, on the CPU; PoolError names one that can be read no more."""
        wanted = checked(ids, len(self)).tolist()
        if self.in_memory:
            self._fill(wanted, self._kept, self._scene)
            return [self._kept[item] for item in wanted]
        with workers(self.threads) as pool:
            return [future.result() for future in _begun(pool, wanted, self._scene)]

    def batches(self, ids: Tensor, pixels: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and images `(B, 3, H, W)`: runs of equally large images in the order of `ids`, decoded ahead.

        A batch has at most `pixels` pixels in all, and at least one image.
        """
        ids = checked(ids, len(self))
        runs = self._runs(ids, pixels)
        if self.in_memory:
            self._fill(ids.tolist(), self._kept, self._scene)
            yield from ((run, torch.stack(self.read(run))) for run in runs)
            return
        with workers(self.threads) as pool:

            def begin(run: Tensor) -> tuple[Tensor, list[Future[Tensor]]]:
                return run, _begun(pool, run.tolist(), self._scene)

            for run, futures in in_order(begin, runs, AHEAD - 1):
                yield run, torch.stack([future.result() for future in futures])

    def chunks(self, ids: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and equally large images, as many as suit a forward pass."""
        return self.batches(ids, PIXELS_A_PASS)

    def whole(self, side: int) -> "Squares":
        """The images resized to squares of `side` pixels, whatever their aspect."""
        return Squares(self, side)

    def resized(self, ids: Tensor, size: int) -> Tensor:
        """The whole images, whatever their aspect, as squares `(B, 3, size, size)`, antialiased."""
        if size < 1:
            raise SettingsError(f"image size {size} is too small; it must be at least 1 pixel")
        wanted = checked(ids, len(self)).tolist()
        if not wanted:
            return torch.empty(0, 3, size, size, dtype=torch.uint8)

        def square(item: int) -> Tensor:
            return torch.from_numpy(self.pool.square(item, size))

        kept = self._squares_of(size)
        if kept is None:
            with workers(self.threads) as pool:
                return torch.stack([future.result() for future in _begun(pool, wanted, square)])
        self._fill(wanted, kept, square)
        return torch.stack([kept[item] for item in wanted])

    def _squares_of(self, size: int) -> TensorCache[int] | None:
        """Where the squares of that size are kept; None if there is no room for them."""
        with self._lock:
            needed = len(self) * 3 * size * size
            if size not in self._squares and needed <= self._room:
                self._squares[size] = TensorCache()
                self._room -= needed
            return self._squares.get(size)

    def _fill(self, wanted: list[int], kept: TensorCache[int], decode: Decode) -> None:
        with self._lock:
            missing = sorted({item for item in wanted if item not in kept})
            if not missing:
                return
            with workers(self.threads) as pool:
                parts = (missing[at : at + FILL] for at in range(0, len(missing), FILL))
                done = 0
                for part, futures in in_order(lambda part: (part, _begun(pool, part, decode)), parts, AHEAD):
                    for item, future in zip(part, futures, strict=True):
                        kept.put(item, future.result())
                    done += len(part)
                    if self.progress:
                        self.progress("decoding", done, len(missing))

    def _scene(self, item: int) -> Tensor:
        # A copy: of a single pixel the transposed array is the decoder's own, and cannot be written to.
        return torch.from_numpy(self.pool.scene(item).transpose(2, 0, 1).copy())

    def _runs(self, ids: Tensor, pixels: int) -> Iterator[Tensor]:
        """Ids cut where the size of the images changes, or a batch would have more than `pixels` pixels."""
        sizes = self.sizes[ids.numpy()]
        start = 0
        while start < len(ids):
            most = max(1, pixels // int(sizes[start].prod()))
            other = np.flatnonzero((sizes[start : start + most] != sizes[start]).any(axis=1))
            end = start + int(other[0]) if len(other) else min(start + most, len(ids))
            yield ids[start:end]
            start = end


class Squares:
    """A pool's scenes, each resized to a square of `side` pixels."""

    def __init__(self, scenes: Scenes, side: int) -> None:
        self.scenes, self.side = scenes, side

    def __len__(self) -> int:
        return len(self.scenes)

    def chunks(self, ids: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and squares `(B, 3, side, side)`, as many as suit a forward pass."""
        parts = torch.split(ids, images_a_pass(self.side))
        return ((some, self.scenes.resized(some, self.side)) for some in parts if len(some))

    def whole(self, side: int) -> "Squares":
        """The scenes resized to another side."""
        return Squares(self.scenes, side)


def _begun(pool: ThreadPoolExecutor, items: list[int], decode: Decode) -> list[Future[Tensor]]:
    return [pool.submit(decode, item) for item in items]
