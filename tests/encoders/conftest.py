"""Small ONNX graphs, and images of several sizes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, save_model

Pixels = NDArray[np.uint8]
Written = Callable[..., Path]

ENTRANCE = {
    "size": 16,
    "crop": 1.0,
    "interpolation": "bilinear",
    "range": [0, 1],
    "mean": [0.5, 0.4, 0.3],
    "std": [0.5, 0.25, 0.2],
    "layout": "NCHW",
    "output": "vector",
    "licence": "CC0-1.0",
}


def graph(
    nodes: Sequence[NodeProto],
    shape: Sequence[int | str],
    weights: Sequence[TensorProto] = (),
    kind: int = TensorProto.FLOAT,
) -> ModelProto:
    image = helper.make_tensor_value_info("image", kind, shape)
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in nodes[-1].output]
    made = helper.make_graph(nodes, "encoder", [image], outputs, weights)
    return helper.make_model(made, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def averaging(shape: Sequence[int | str] = ("B", 3, 16, 16)) -> ModelProto:
    """The average of each channel, a vector of 3."""
    pooled = helper.make_node("GlobalAveragePool", ["image"], ["pooled"])
    return graph([pooled, helper.make_node("Flatten", ["pooled"], ["vector"])], shape)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a graph and the file beside it, and returns the graph's path."""

    def write(model: ModelProto, **changes: object) -> Path:
        path = tmp_path / "encoder.onnx"
        save_model(model, path)
        said = {key: value for key, value in (ENTRANCE | changes).items() if value is not None}
        path.with_name("encoder.onnx.toml").write_text(tomli_w.dumps(said))
        return path

    return write


@pytest.fixture(scope="session")
def images() -> list[Pixels]:
    chance = np.random.default_rng(0)
    sizes = ((300, 200), (224, 224), (32, 32), (17, 400), (501, 333))
    return [chance.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
