"""Encoders from ONNX files: what enters as the file beside them says, and every fault a sentence."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save_model
from tests.encoders.conftest import ENTRANCE, Written, averaging, graph

from pickwell import encoders
from pickwell.errors import EncoderError, SettingsError

Pixels = NDArray[np.uint8]
COLOUR = np.asarray([200, 100, 50], np.uint8)


def plain(height: int = 40, width: int = 30) -> Pixels:
    """An image of one colour about its middle, 17 of 20 rows of it; black above and below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[3:-3] = COLOUR  # the square is rows 5 to 35; filters see a little beyond it
    return pixels


def test_a_vector_by_hand(written: Written) -> None:
    path = written(averaging())
    encoder = encoders.load(f"onnx:{path}")
    assert (encoder.length, encoder.least, encoder.licence) == (3, 16, "CC0-1.0")
    assert encoder.name == f"onnx:{path}"
    wanted = (COLOUR / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.25, 0.2]
    np.testing.assert_allclose(encoder.encode([plain()]), [wanted], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "shape", "wanted"),
    [
        ({"layout": "NHWC"}, ("B", 16, 16, 3), None),
        ({"range": [-1, 1], "mean": [0, 0, 0], "std": [1, 1, 1]}, ("B", 3, 16, 16), COLOUR / 127.5 - 1),
        (
            {"range": [0, 255], "mean": [127, 127, 127], "std": [128, 128, 128]},
            ("B", 3, 16, 16),
            (COLOUR - 127.0) / 128,
        ),
        ({"crop": 0.5}, (1, 3, "H", "W"), (COLOUR / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.25, 0.2]),
        (
            {"range": [0, 1], "mean": [0, 0, 0], "std": [1, 1, 1], "crop": "squeeze"},
            (4, 3, 16, 16),
            COLOUR * 0.85 / 255,
        ),
    ],
)
def test_what_the_file_beside_it_says_is_done(
    written: Written, changes: dict[str, object], shape: tuple[int | str, ...], wanted: NDArray[np.float64] | None
) -> None:
    if wanted is None:  # channels last: the average over rows and columns, by another node
        mean = helper.make_node("ReduceMean", ["image"], ["vector"], axes=[1, 2], keepdims=0)
        path, wanted = written(graph([mean], shape), **changes), (COLOUR / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.25, 0.2]
    else:
        path = written(averaging(shape), **changes)
    encoder = encoders.load(f"onnx:{path}")
    assert encoder.least == (32 if changes.get("crop") == 0.5 else 16)
    found = encoder.encode([plain()] * 3)
    # The squeezed image has a few black rows, blurred at their edges.
    np.testing.assert_allclose(found, [wanted] * 3, atol=0.01 if changes.get("crop") == "squeeze" else 1e-5)


def test_a_fixed_batch_is_filled_up(written: Written, images: list[Pixels]) -> None:
    fixed = encoders.load(f"onnx:{written(averaging((4, 3, 16, 16)))}").encode(images)
    free = encoders.load(f"onnx:{written(averaging())}").encode(images)
    np.testing.assert_allclose(fixed, free, atol=1e-6)


def test_options_win_over_the_file(written: Written) -> None:
    path = written(averaging())
    scaled = encoders.load(f"onnx:{path}", mean=(0, 0, 0), std=(1, 1, 1))
    np.testing.assert_allclose(scaled.encode([plain()]), [COLOUR / 255], atol=1e-6)
    path.with_name("encoder.onnx.toml").unlink()
    assert encoders.load(f"onnx:{path}", **ENTRANCE).length == 3


def test_the_identity_tells_weights_and_preprocessing_apart(written: Written) -> None:
    one = encoders.load(f"onnx:{written(averaging())}").identity
    assert encoders.load(f"onnx:{written(averaging(), licence='MIT')}").identity == one
    squeezed = encoders.load(f"onnx:{written(averaging(), crop='squeeze')}").identity
    scaled = encoders.load(f"onnx:{written(averaging(), std=[1, 1, 1])}").identity
    fixed = encoders.load(f"onnx:{written(averaging((4, 3, 16, 16)))}").identity
    assert len({one, squeezed, scaled, fixed}) == 4


def test_weights_beside_the_graph_are_part_of_its_identity(tmp_path: Path) -> None:
    found = []
    for value in (1.0, 2.0):
        weight = numpy_helper.from_array(np.full((3, 3, 1, 1), value, np.float32), "weight")
        nodes = [helper.make_node("Conv", ["image", "weight"], ["maps"])]
        nodes += [helper.make_node("GlobalAveragePool", ["maps"], ["pooled"])]
        nodes += [helper.make_node("Flatten", ["pooled"], ["vector"])]
        model = graph(nodes, ("B", 3, 16, 16), [weight])
        (tmp_path / "weights").unlink(missing_ok=True)
        save_model(model, tmp_path / "e.onnx", save_as_external_data=True, location="weights", size_threshold=0)
        encoder = encoders.load(f"onnx:{tmp_path / 'e.onnx'}", **ENTRANCE | {"mean": [0] * 3, "std": [1] * 3})
        wanted = value * COLOUR.sum() / 255
        np.testing.assert_allclose(encoder.encode([plain()]), [[wanted] * 3], rtol=1e-5)
        found.append(encoder.identity)
    assert found[0] != found[1]


def test_what_is_not_said_is_named(written: Written) -> None:
    path = written(averaging(), mean=None, layout=None)
    with pytest.raises(SettingsError, match=r"not guessed, and it is not said: mean, layout; write them into .*\.toml"):
        encoders.load(f"onnx:{path}")
    with pytest.raises(SettingsError, match=r"setting 'std.1' is 0.*greater than 0"):
        encoders.load(f"onnx:{written(averaging(), std=[1, 0, 1])}")
    with pytest.raises(SettingsError, match=r"unknown setting 'sice'; did you mean 'size'"):
        encoders.load(f"onnx:{written(averaging(), sice=3)}")


def test_files_that_are_no_encoders(tmp_path: Path, written: Written) -> None:
    with pytest.raises(EncoderError, match=r"^no ONNX file at .*nowhere\.onnx; give the path"):
        encoders.load(f"onnx:{tmp_path / 'nowhere.onnx'}")
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(EncoderError, match=r"text\.onnx is no ONNX file that can be run \(.*export the encoder again"):
        encoders.load(f"onnx:{tmp_path / 'text.onnx'}")
    path = written(averaging())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(EncoderError, match=r"is no ONNX file that can be run"):
        encoders.load(f"onnx:{path}")


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        (averaging(), {"size": 24}, r"takes tensor\(float\) of shape \(B, 3, 16, 16\), .* of shape \(B, 3, 24, 24\)"),
        (averaging(), {"layout": "NHWC"}, r"of shape \(B, 16, 16, 3\); mend size and layout"),
        (averaging(("B", 3)), {}, r"takes tensor\(float\) of shape \(B, 3\)"),
        (averaging(), {"output": "vektor"}, r"unknown output 'vektor'; did you mean 'vector'\? Available: vector"),
        (averaging(), {"length": 5}, r"makes vectors of 3 numbers and its settings say length = 5"),
        (graph([helper.make_node("Relu", ["image"], ["vector"])], ("B", 3, 16, 16)), {}, r"makes \(3, 16, 16\) num"),
        (
            graph([helper.make_node("Cast", ["image"], ["vector"], to=1)], ("B", 3, 16, 16), kind=TensorProto.UINT8),
            {},
            r"takes tensor\(uint8\) of shape",
        ),
    ],
)  # fmt: skip
def test_graphs_that_do_not_fit(written: Written, model: object, changes: dict[str, object], said: str) -> None:
    path = written(model, **changes)
    with pytest.raises(EncoderError, match=said):
        encoders.load(f"onnx:{path}")


def test_two_inputs_are_no_images(written: Written) -> None:
    model = averaging()
    model.graph.input.append(helper.make_tensor_value_info("text", TensorProto.INT64, ["B", 7]))
    with pytest.raises(EncoderError, match=r"takes 2 inputs \(image, text\), not images alone"):
        encoders.load(f"onnx:{written(model)}")


def test_values_that_are_not_finite_are_refused(written: Written) -> None:
    pooled = [helper.make_node("GlobalAveragePool", ["image"], ["pooled"])]
    pooled += [helper.make_node("Flatten", ["pooled"], ["flat"])]
    always = [
        *pooled,
        helper.make_node("Sub", ["flat", "flat"], ["zero"]),
        helper.make_node("Log", ["zero"], ["vector"]),
    ]
    with pytest.raises(EncoderError, match=r"values that are not finite of 1 of 1 images"):
        encoders.load(f"onnx:{written(graph(always, ('B', 3, 16, 16)))}")
    sometimes = [*pooled, helper.make_node("Sqrt", ["flat"], ["vector"])]
    encoder = encoders.load(f"onnx:{written(graph(sometimes, ('B', 3, 16, 16)), mean=[0.1] * 3)}")
    bright, dark = np.full((9, 9, 3), 255, np.uint8), np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(EncoderError, match=r"not finite of 2 of 4 images, the first of them image 1"):
        encoder.encode([bright, dark, bright, dark])
