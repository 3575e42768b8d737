"""ONNX graphs in onnxruntime on the CPU."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickwell.data.threads import cores, workers
from pickwell.encoders.parts.blocks import in_blocks

Feed = Callable[[NDArray[Any]], NDArray[Any]]
"""Prepared images as the graph takes them."""
ERRORS = 3
"""onnxruntime's level at which it only tells of errors: its warnings are about how graphs were exported."""


def opened(graph: bytes | Path) -> Any:
    """A graph as an onnxruntime.InferenceSession of one thread. Raises what onnxruntime says of a file that is none."""
    import onnxruntime  # names of encoders are told without it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


class Session:
    """A graph that is run on one image at a time, as many of them at once as there are cores.

    So a vector is the same bit by bit whatever the batch and the number of threads. It is the fastest way too: the maps
    of one image stay in a core's cache, and no thread waits for another. A graph whose batch is fixed gets that many.
    """

    precision = "float32"

    def __init__(self, session: Any, output: str, feed: Feed | None = None) -> None:
        first = session.get_inputs()[0]
        self._session, self._input, self._output, self._feed = session, first.name, output, feed
        self._block = first.shape[0] if isinstance(first.shape[0], int) else 1

    def __call__(self, prepared: NDArray[Any]) -> NDArray[Any]:
        with workers(cores()) as pool:
            found = np.concatenate(list(pool.map(self._one, in_blocks(prepared, self._block))))
        return found[: len(prepared)]

    def _one(self, block: NDArray[Any]) -> NDArray[Any]:
        fed = self._feed(block) if self._feed else block
        found: NDArray[Any] = self._session.run([self._output], {self._input: fed})[0]
        return found
