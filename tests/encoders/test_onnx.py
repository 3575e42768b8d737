"""Exported encoders: their preprocessing is read, never guessed, and what does not fit is told."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pickwell import encoders
from pickwell.errors import EncoderError, PickwellError, SettingsError
from pickwell.features.encoding import name_of

TOML = """
size = 8
mean = [0.5, 0.25, 0.0]
std = [0.5, 1.0, 2.0]
range = 1
layout = "NCHW"
crop = "centre"
"""


def export(path: Path, *, shape: tuple[str | int, ...] = ("n", 3, 8, 8), pooled: bool = True, second: bool = False,
           scale: float = 1.0) -> Path:  # fmt: skip
    """A graph that means over places: of three colours a vector of three numbers, times `scale`."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3] if shape[1] == 3 else [1, 2])
    factor = helper.make_tensor("factor", TensorProto.FLOAT, [1], [scale])
    nodes = [helper.make_node("Mul", ["images", "factor"], ["scaled"])]
    nodes += [helper.make_node("ReduceMean", ["scaled", "axes"], ["vector"], keepdims=0)] if pooled else []
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
               for name in (["vector"] if pooled else []) + (["scaled"] if second or not pooled else [])]  # fmt: skip
    graph = helper.make_graph(
        nodes, "encoder", [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)], outputs,
        initializer=[axes, factor] if pooled else [factor],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))
    path.with_name(f"{path.name}.toml").write_text(TOML)
    return path


def test_an_image_is_made_ready_as_the_file_says(tmp_path: Path) -> None:
    encoder = encoders.load(f"onnx:{export(tmp_path / 'e.onnx')}")
    image = np.zeros((30, 20, 3), np.uint8)
    image[...] = (255, 51, 102)
    expected = [(1 - 0.5) / 0.5, 0.2 - 0.25, 0.4 / 2]
    assert encoder.length == 3
    assert encoder.encode([image, image[:9]]) == pytest.approx(np.array([expected, expected]), abs=1e-5)


@pytest.mark.parametrize(("crop", "seen"), [("centre", 255), ("squeeze", 85)])
def test_the_middle_or_the_whole_image_is_seen(crop: str, seen: int, tmp_path: Path) -> None:
    path = export(tmp_path / "e.onnx")
    settings = 'size = 8\nmean = [0, 0, 0]\nstd = [1, 1, 1]\nrange = 255\nlayout = "NCHW"\n'
    (tmp_path / "e.onnx.toml").write_text(f'{settings}crop = "{crop}"')
    image = np.zeros((30, 90, 3), np.uint8)
    image[:, 30:60] = 255  # a white square in the middle of a black strip
    assert encoders.load(f"onnx:{path}").encode([image])[0] == pytest.approx([seen] * 3, abs=6)


def test_channels_may_come_last(tmp_path: Path) -> None:
    path = export(tmp_path / "e.onnx", shape=("n", 8, 8, 3))
    (tmp_path / "e.onnx.toml").write_text(TOML.replace("NCHW", "NHWC"))
    image = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    assert encoders.load(f"onnx:{path}").encode([image])[0] == pytest.approx([1, -0.25, 0])


def test_another_preprocessing_or_graph_is_another_encoder(tmp_path: Path) -> None:
    path = export(tmp_path / "e.onnx")
    names = {name_of(encoders.load(f"onnx:{path}"))}
    (tmp_path / "e.onnx.toml").write_text(TOML.replace("0.25", "0.24"))
    names.add(name_of(encoders.load(f"onnx:{path}")))
    export(path, scale=2.0)
    names.add(name_of(encoders.load(f"onnx:{path}")))
    assert len(names) == 3
    assert all("/" not in name and len(name) < 60 for name in names)


def refused(kind: type[PickwellError], path: Path, sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        encoders.load(f"onnx:{path}")


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    refused(EncoderError, tmp_path / "none.onnx", "there is no file .*none.onnx; name an ONNX file")
    path = export(tmp_path / "e.onnx")
    (tmp_path / "e.onnx.toml").unlink()
    refused(SettingsError, path, "is not guessed: write .*e.onnx.toml with size, mean, std, range, layout, crop")
    for change, sentence in {
        ("size = 8\n", ""): "setting 'size' is missing; add it",
        ("size = 8", "size = 16"): r"takes images tensor\(float\) \['n', 3, 8, 8\]; with layout NCHW and size 16",
        ("NCHW", "NHWC"): r"takes images tensor\(float\) \['n', 3, 8, 8\]; with layout NHWC and size 8",
        ("range = 1", "range = 2"): "setting 'range' is 2",
        ("2.0]", "0.0]"): "all three must be above 0",
        ("crop", "sise = 3\ncrop"): "unknown setting 'sise'; did you mean 'size'",
        (
            "crop",
            'output = "features"\ncrop',
        ): r'has the outputs vector; say which .*: output = "vector" in e.onnx.toml',
    }.items():
        (tmp_path / "e.onnx.toml").write_text(TOML.replace(*change))
        refused(PickwellError, path, sentence)
    garbage = tmp_path / "g.onnx"
    garbage.write_bytes(b"no graph at all")
    (tmp_path / "g.onnx.toml").write_text(TOML)
    refused(EncoderError, garbage, "g.onnx is no ONNX file that onnxruntime can run")
    refused(
        EncoderError, export(tmp_path / "m.onnx", pooled=False), r"has the shape \(1, 3, 8, 8\), not \(1, numbers\)"
    )
    refused(EncoderError, export(tmp_path / "two.onnx", second=True), "has the outputs vector, scaled; say which one")
    refused(
        EncoderError, export(tmp_path / "nan.onnx", scale=float("nan")), r"a number that is none \(NaN or infinite\)"
    )
