"""An encoder and the head on its features as one ONNX graph: images in, probabilities out."""

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

PROBABILITIES = "probabilities"
Floats = NDArray[np.float32]


def with_head(
    encoder: ModelProto, features: str, scale: tuple[Floats, Floats], head: tuple[Floats, Floats], temperature: float
) -> None:
    """Adds `PROBABILITIES` `(B, C)` to the graph of an encoder, beside its output `features` `(B, D)`.

    Features are less the mean and over the deviation, `scale`; of length 1; times the weights `(C, D)`, plus the biases
    `(C,)` of the `head`; and over the temperature.
    """
    graph, (mean, deviation), (weight, bias) = encoder.graph, scale, head
    given = {
        "mean": mean,
        "deviation": deviation,
        "ones": np.ones((len(mean), 1)),
        "least": np.full(1, 1e-12),  # as torch's normalize has it
        "weight": weight.T / temperature,
        "bias": bias / temperature,
    }
    # Under names that no exporter gives.
    named = {name: f"pickwell.{name}" for name in given}
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(values, np.float32), named[name]) for name, values in given.items()
    )

    def node(kind: str, *inputs: str, to: str = "") -> str:
        output = to or f"pickwell.{len(graph.node)}"
        graph.node.append(helper.make_node(kind, inputs, [output]))
        return output

    rows = node("Div", node("Sub", features, named["mean"]), named["deviation"])
    # Not ReduceL2, whose axes moved from a setting to an input with opset 18.
    length = node("Sqrt", node("MatMul", node("Mul", rows, rows), named["ones"]))
    rows = node("Div", rows, node("Max", length, named["least"]))
    # Softmax goes along the last axis, or the second: of (B, C) they are the same in every opset.
    node("Softmax", node("Add", node("MatMul", rows, named["weight"]), named["bias"]), to=PROBABILITIES)
    graph.output.append(helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["B", len(bias)]))
