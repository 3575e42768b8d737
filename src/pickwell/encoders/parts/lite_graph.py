"""EfficientNet-Lite as an ONNX graph, written in memory: bytes in, bytes of the file out.

torch's own exporter for this is to be removed, takes a second and warns 200 times.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from pickwell.models.efficientnet_lite import Block, EfficientNetLite, Same, folded

OUTPUT = "features"
OPSET, IR = 17, 8
"""Read by every onnxruntime since 1.12."""


def lite_graph(network: EfficientNetLite, size: int) -> bytes:
    """A graph of the network's features `(B, D)`, named `OUTPUT`, of uint8 `(B, size, size, 3)` scaled as its own."""
    graph: bytes = _Graph().of(folded(network), size).SerializeToString()
    return graph


class _Graph:
    """The nodes written so far, and the side of the square that the last one leaves."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def of(self, network: EfficientNetLite, size: int) -> ModelProto:
        self.side = size
        maps = self.activated(self.convolved(self.scaled(network), _own(network, "_conv_stem")))
        for block in network.blocks():
            maps = self.block(maps, block)
        maps = self.activated(self.convolved(maps, _own(network, "_conv_head")))
        pooled = self.node("GlobalAveragePool", maps)
        self.nodes.append(helper.make_node("Flatten", [pooled], [OUTPUT]))
        image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["B", size, size, 3])
        found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["B", network._fc.in_features])
        graph = helper.make_graph(self.nodes, "EfficientNet-Lite", [image], [found], self.weights)
        return helper.make_model(graph, ir_version=IR, opset_imports=[helper.make_opsetid("", OPSET)])

    def scaled(self, network: EfficientNetLite) -> str:
        """Bytes as the network's float maps `(B, 3, H, W)`."""
        mean = self.weight((255 * network.mean).numpy())
        std = self.weight((255 * network.std).numpy())
        image = self.node("Transpose", self.node("Cast", "image", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
        return self.node("Div", self.node("Sub", image, mean), std)

    def block(self, maps: str, block: Block) -> str:
        out = self.activated(self.convolved(maps, _own(block, "_expand_conv"))) if block.expands else maps
        out = self.activated(self.convolved(out, _own(block, "_depthwise_conv")))
        out = self.convolved(out, _own(block, "_project_conv"))
        return self.node("Add", out, maps) if block.residual else out

    def convolved(self, maps: str, convolution: Same) -> str:
        before, after = convolution.around(self.side)
        stride = convolution.stride[0]
        self.side = -(-self.side // stride)
        assert convolution.bias is not None, "a convolution without its batch norm folded in"
        weights = self.weight(convolution.weight.detach().numpy()), self.weight(convolution.bias.detach().numpy())
        return self.node(
            "Conv", maps, *weights, pads=[before, before, after, after], strides=[stride, stride],
            group=convolution.groups,
        )  # fmt: skip

    def activated(self, maps: str) -> str:
        """ReLU6."""
        return self.node("Clip", maps, self.weight(np.float32(0)), self.weight(np.float32(6)))

    def node(self, kind: str, *inputs: str, **settings: Any) -> str:
        """Writes a node and returns the name of its output."""
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def weight(self, values: NDArray[np.float32] | np.float32) -> str:
        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name


def _own(module: nn.Module, name: str) -> Same:
    convolution = module.get_submodule(name)
    assert isinstance(convolution, Same)
    return convolution
