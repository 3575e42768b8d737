"""ONNX graphs in onnxruntime on the CPU."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pickwell.data.threads import cores, workers

SEVERE = 3
"""onnxruntime's level of errors: its warnings are about how graphs were exported."""


class Session:
    """A graph that is run on one image at a time, a thread a core.

    So a vector is the same bit by bit whatever the batch and the number of threads. It is the fastest way too: one
    image's maps stay in the cache, and no thread waits for another (lite0, one thread: 75 images a second, 56 in
    batches of 32; two threads that share each image are slower than one where others use the machine).
    """

    def __init__(self, graph: bytes | Path, output: str | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = SEVERE
        source = graph if isinstance(graph, bytes) else str(graph)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = output or self._session.get_outputs()[0].name

    def __call__(self, prepared: NDArray[Any]) -> NDArray[Any]:
        with workers(cores()) as pool:
            return np.concatenate(list(pool.map(self._one, np.split(prepared, len(prepared)))))

    def _one(self, image: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = self._session.run([self._output], {self._input: image})[0]
        return found
