"""The pool's images as tensors: all in memory where they fit, else decoded as they are needed."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Self

import torch
from torch import Tensor

from pickwell.data.pool import Pool
from pickwell.data.threads import all_done, in_order, workers
from pickwell.errors import PoolError, SettingsError, unknown_item
from pickwell.progress import Progress

MEMORY_LIMIT = 2 << 30
AHEAD = 2
# So few images that the threads share even a small batch, so many that handing them over costs little.
CHUNK = 16
PIXELS_A_PASS = 1 << 19
"""So many pixels suit a forward pass, unless one image has more."""
Part = tuple[Tensor, Tensor, list[Future[None]]]


class Images:
    """A pool's images at one size, `(3, size, size)` uint8 in RGB, the same in both modes.

    In memory, if all N fit `memory_limit_bytes`: N * 3 * size^2 bytes, each image decoded when first asked for.
    Streaming otherwise: at most AHEAD + 1 batches, and one image at full size a thread.
    `progress` is told of decoding into memory.
    """

    def __init__(
        self,
        pool: Pool,
        size: int,
        memory_limit_bytes: int = MEMORY_LIMIT,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if size < 1:
            raise SettingsError(f"image size {size} is too small; it must be at least 1 pixel")
        self.pool = pool
        self.size = size
        self.threads = threads
        self.progress = progress
        self.in_memory = len(pool) * 3 * size * size <= memory_limit_bytes
        self._lock = Lock()
        self._kept: Tensor | None = None
        self._ready = torch.zeros(len(pool), dtype=torch.bool)

    def __len__(self) -> int:
        return len(self._ready)

    def get(self, ids: Tensor) -> Tensor:
        """The images `(B, 3, size, size)` of the ids, on the CPU; PoolError names one that can be read no more."""
        found = [images for _, images in self.batches(ids, max(1, len(ids)))]
        return found[0] if found else self._blank(0)

    def batches(self, ids: Tensor, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and images, `batch_size` at a time in the order of `ids`, decoded ahead."""
        ids = checked(ids, len(self))
        parts = torch.split(ids, batch_size)
        if self.in_memory:
            kept = self._filled(ids)
            yield from ((part, kept[part]) for part in parts if len(part))
            return
        with workers(self.threads) as pool:

            def begin(part: Tensor) -> Part:
                out = self._blank(len(part))
                return part, out, self._begin(pool, part, out, torch.arange(len(part)))

            for part, out, futures in in_order(begin, (p for p in parts if len(p)), AHEAD - 1):
                all_done(futures)
                yield part, out

    def chunks(self, ids: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and images, as many as suit a forward pass: about half a million pixels, at most 512 images."""
        return self.batches(ids, images_a_pass(self.size))

    def whole(self, side: int) -> Self:
        """The images themselves: they are of one size already."""
        return self

    def _filled(self, ids: Tensor) -> Tensor:
        """The tensor of all images, in which those of `ids` are decoded."""
        with self._lock:
            if self._kept is None:
                self._kept = self._blank(len(self))
            wanted = torch.unique(ids)
            missing = wanted[~self._ready[wanted]]
            if len(missing):
                self._fill(missing, self._kept)
            return self._kept

    def _fill(self, missing: Tensor, kept: Tensor) -> None:
        with workers(self.threads) as pool:

            def begin(part: Tensor) -> tuple[Tensor, list[Future[None]]]:
                return part, self._begin(pool, part, kept, part)

            done = 0
            for part, futures in in_order(begin, torch.split(missing, 32 * CHUNK), AHEAD):
                all_done(futures)
                # Only once all of it is decoded: after a failure the rest is tried again.
                self._ready[part] = True
                done += len(part)
                if self.progress:
                    self.progress("decoding", done, len(missing))

    def _blank(self, count: int) -> Tensor:
        return torch.empty(count, 3, self.size, self.size, dtype=torch.uint8)

    def _begin(self, pool: ThreadPoolExecutor, ids: Tensor, out: Tensor, rows: Tensor) -> list[Future[None]]:
        """Begins to decode the ids into those rows of `out`."""
        parts = zip(torch.split(ids, CHUNK), torch.split(rows, CHUNK), strict=True)
        return [pool.submit(self._decode, i.tolist(), out, r.tolist()) for i, r in parts]

    def _decode(self, ids: list[int], out: Tensor, rows: list[int]) -> None:
        pixels = out.numpy()
        for item, row in zip(ids, rows, strict=True):
            pixels[row] = self.pool.view(item, self.size)


def images_a_pass(side: int) -> int:
    """How many squares of `side` pixels suit a forward pass: about half a million pixels, at most 512 images."""
    return max(8, min(512, PIXELS_A_PASS // side**2))


def checked(ids: Tensor, count: int) -> Tensor:
    """The ids on the CPU; PoolError if one is no item of a pool of `count`."""
    ids = ids.cpu()
    for wrong in ids[(ids < 0) | (ids >= count)][:1].tolist():
        raise PoolError(unknown_item(wrong, count))
    return ids


def to_float(images: Tensor) -> Tensor:
    """uint8 images `(B, 3, H, W)` as float32 in [0, 1], on the same device; what is float stays as it is."""
    if images.is_floating_point():  # feature vectors in place of images
        return images
    return images.to(torch.float32).div_(255)
