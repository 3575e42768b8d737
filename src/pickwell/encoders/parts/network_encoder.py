"""An encoder made of its parts: how images are prepared, and a network that is run on them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickwell.encoders.encoder import Encoder, Graph, Pixels, Rows
from pickwell.errors import EncoderError

Prepare = Callable[[Pixels], NDArray[Any]]
Run = Callable[[NDArray[Any]], NDArray[Any]]
"""A network: prepared images `(B, ...)` in, vectors `(B, D)` out, one image's whatever the others are."""


class NetworkEncoder(Encoder):
    """`prepare` and `run` joined; `length` is found by running the network once, on an image of noise."""

    def __init__(
        self,
        name: str,
        prepare: Prepare,
        run: Run,
        *,
        least: int,
        identity: str,
        licence: str,
        graph: Callable[[], Graph] | None = None,
    ) -> None:
        self.name, self.least, self.identity, self.licence = name, least, identity, licence
        self._prepare, self._run, self._graph = prepare, run, graph
        noise = np.random.default_rng(0).integers(0, 256, (least, least, 3), dtype=np.uint8)
        prepared = self.prepare(noise)
        self._entrance = prepared.dtype, prepared.shape
        probe = self._vectors(prepared[None])
        if probe.ndim != 2 or not probe.size:
            raise EncoderError(
                f"{name} makes {probe.shape[1:]} numbers of an image, not one vector; name an output that is one, or "
                "export the network with its maps averaged over all places"
            )
        self.length = probe.shape[1]

    def graph(self) -> Graph:
        return self._graph() if self._graph else super().graph()

    def prepare(self, pixels: Pixels) -> NDArray[Any]:
        return self._prepare(pixels)

    def vectors(self, prepared: NDArray[Any]) -> Rows:
        dtype, shape = self._entrance
        if len(prepared) and (prepared.dtype, prepared.shape[1:]) != self._entrance:
            raise EncoderError(
                f"{self.name} takes {dtype} of shape (B, {', '.join(map(str, shape))}), not {prepared.dtype} of shape "
                f"{prepared.shape}; prepare images with its own `prepare`"
            )
        return self._vectors(prepared) if len(prepared) else np.empty((0, self.length), np.float32)

    def _vectors(self, prepared: NDArray[Any]) -> Rows:
        rows = self._run(prepared).astype(np.float32, copy=False)
        broken = ~np.isfinite(rows.reshape(len(rows), -1)).all(1)
        if broken.any():
            raise EncoderError(
                f"{self.name} makes values that are not finite of {broken.sum()} of {len(rows)} images, the first of "
                f"them image {int(broken.argmax())}; its weights are damaged, or its preprocessing is not the one that "
                "it was trained with: choose another encoder, or mend that",
                image=int(broken.argmax()),
            )
        return rows
