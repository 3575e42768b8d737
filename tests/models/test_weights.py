"""Weight files: what is read, what is refused, and what is left fresh."""

import os
import re
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pickwell import models
from pickwell.errors import WeightsError
from pickwell.models import Network, load_weights

State = dict[str, Tensor]


def narrow(name: str = "resnet18", classes: int = 4, size: int = 32, width: float = 0.125) -> Network:
    return models.load(name, classes, size, width=width)


def trained(name: str = "resnet18", classes: int = 4, size: int = 32) -> State:
    """A state dict in which nothing has its initial value."""
    state = narrow(name, classes, size).state_dict()
    return {n: torch.rand_like(v) + 0.1 if v.is_floating_point() else v + 7 for n, v in state.items()}


def copied(network: Network) -> State:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


@pytest.mark.parametrize("name", ["small_cnn", "vgg16_bn", "resnet18", "drn_c_26", "drn_d_54"])
@pytest.mark.parametrize("kind", ["safetensors", "pth", "legacy"])
def test_weights_come_back(name: str, kind: str, tmp_path: Path) -> None:
    state = trained(name)
    path = tmp_path / "weights.bin"  # the content decides, not the ending
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "pth")
    network = narrow(name)
    loaded = load_weights(network, path)
    assert same(copied(network), state)
    assert (loaded.path, loaded.entries, loaded.fresh, loaded.skipped) == (path, len(state), (), ())
    assert str(loaded) == f"{len(state)} entries from weights.bin"


def wrapped(state: State, how: str) -> object:
    prefixed = {f"module.{name}": value for name, value in state.items()}
    return {
        "state_dict": {"epoch": 3, "arch": "resnet18", "state_dict": state, "best": torch.tensor(0.5)},
        "model": {"model": state},
        "nested": {"model": {"state_dict": prefixed}},
        "module": prefixed,
        "compiled": {f"_orig_mod.{name}": value for name, value in prefixed.items()},
        "compiled inside": {f"module._orig_mod.{name}": value for name, value in state.items()},
    }[how]


@pytest.mark.parametrize("how", ["state_dict", "model", "nested", "module", "compiled", "compiled inside"])
def test_wrapped_and_prefixed_files_are_read(how: str, tmp_path: Path) -> None:
    state = trained()
    torch.save(wrapped(state, how), tmp_path / "w.pth")
    network = narrow()
    load_weights(network, tmp_path / "w.pth")
    assert same(copied(network), state)


def test_a_file_from_before_batches_were_counted_fits(tmp_path: Path) -> None:
    state = {name: value for name, value in trained().items() if not name.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "w")
    network = narrow()
    assert load_weights(network, tmp_path / "w").fresh == ()
    after = copied(network)
    assert all(after[name].equal(value) for name, value in state.items())
    assert after["bn1.num_batches_tracked"] == 0


def test_half_precision_files_fit(tmp_path: Path) -> None:
    state = {name: value.half() for name, value in trained().items()}
    save_file(state, tmp_path / "w")
    network = narrow()
    load_weights(network, tmp_path / "w")
    after = network.state_dict()
    assert after["conv1.weight"].dtype == torch.float32
    assert after["conv1.weight"].equal(state["conv1.weight"].float())
    assert after["bn1.num_batches_tracked"] == 7


@pytest.mark.parametrize(
    ("name", "size", "head"),
    [
        ("resnet18", 32, "fc."),
        ("drn_d_22", 32, "fc."),
        ("vgg16_bn", 72, "classifier.6."),
        ("vgg16_bn", 32, "classifier."),
        ("small_cnn", 32, "classifier."),
    ],
)
def test_other_classes_leave_the_head_fresh(name: str, size: int, head: str, tmp_path: Path) -> None:
    state = trained(name, 9, size)
    save_file(state, tmp_path / "w")
    network = narrow(name, 4, size)
    before = copied(network)
    loaded = load_weights(network, tmp_path / "w")
    after = copied(network)
    heads = [entry for entry in after if entry.startswith(head)]
    assert len(heads) == 2
    assert all(after[n].equal(before[n] if n in heads else state[n]) for n in after)
    assert sorted(loaded.fresh) == sorted(loaded.skipped) == sorted(heads)
    assert loaded.entries == len(state) - 2
    assert "left fresh: " + ", ".join(loaded.fresh) in str(loaded)


def test_a_file_without_a_head_leaves_it_fresh(tmp_path: Path) -> None:
    save_file({n: v for n, v in trained().items() if not n.startswith("fc.")}, tmp_path / "w")
    loaded = load_weights(narrow(), tmp_path / "w")
    assert (loaded.fresh, loaded.skipped) == (("fc.weight", "fc.bias"), ())


def test_imagenets_stem_stays_out_of_a_small_one(tmp_path: Path) -> None:
    state = trained("resnet18", 9, 224)
    save_file(state, tmp_path / "w")
    network = narrow("resnet18", 4, 32)
    before = copied(network)
    loaded = load_weights(network, tmp_path / "w")
    after = copied(network)
    fresh = {"conv1.weight", "fc.weight", "fc.bias"} | {n for n in state if n.startswith("bn1.")}
    assert set(loaded.fresh) == set(loaded.skipped) == fresh
    assert all(after[n].equal(before[n] if n in fresh else state[n]) for n in after)


def test_imagenets_vgg_head_stays_out_of_a_small_one(tmp_path: Path) -> None:
    state = trained("vgg16", 9, 224)
    save_file(state, tmp_path / "w")
    network = narrow("vgg16", 9, 32)
    loaded = load_weights(network, tmp_path / "w")
    assert loaded.fresh == ("classifier.1.weight", "classifier.1.bias")
    assert set(loaded.skipped) == {f"classifier.{place}.{part}" for place in (0, 3, 6) for part in ("weight", "bias")}
    assert network.state_dict()["features.28.weight"].equal(state["features.28.weight"])


@pytest.mark.parametrize("name", ["drn_d_22", "drn_c_26"])
def test_the_public_segmentation_files_fit(name: str, tmp_path: Path) -> None:
    state = trained(name)
    order = ["conv1", "bn1", "relu"] if name == "drn_c_26" else ["layer0"]
    order += [f"layer{number}" for number in range(1, 9)]
    public = {}
    for entry, value in state.items():
        first, rest = entry.split(".", 1)
        public[f"seg.{rest}" if first == "fc" else f"base.{order.index(first)}.{rest}"] = value
    assert "base.3.0.conv1.weight" in public
    assert "seg.bias" in public
    torch.save(public | {"up.weight": torch.rand(4, 1, 16, 16)}, tmp_path / "w.pth")
    network = models.load_dense(name, 4, width=0.125)
    assert load_weights(network, tmp_path / "w.pth").fresh == ()
    assert same(copied(network), state)


def test_a_classifiers_file_starts_a_dense_network(tmp_path: Path) -> None:
    state = trained("drn_d_22", 9)
    save_file(state, tmp_path / "w")
    network = models.load_dense("drn_d_22", 4, weights=tmp_path / "w", width=0.125)
    assert network.loaded is not None
    assert network.loaded.fresh == ("fc.weight", "fc.bias")
    assert network.state_dict()["layer8.0.weight"].equal(state["layer8.0.weight"])


def test_load_takes_weights(tmp_path: Path) -> None:
    state = trained()
    save_file(state, tmp_path / "w")
    network = models.load("resnet18", 4, 32, weights=str(tmp_path / "w"), width=0.125)
    assert same(copied(network), state)
    assert narrow().loaded is None


def refusal(network: Network, path: Path) -> str:
    """The refusal's sentence; the network is as it was."""
    before = copied(network)
    with pytest.raises(WeightsError) as caught:
        load_weights(network, path)
    assert same(copied(network), before)
    return str(caught.value)


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w"
    save_file(trained("drn_d_22"), path)
    sentence = refusal(narrow("drn_d_38"), path)
    missing = 16 * 5  # convolutions of 38 that 22 lacks, each with its batch norm
    assert sentence == (
        f"{path} does not fit drn_d_38: {missing} missing: layer3.2.conv1.weight, layer3.2.bn1.weight, "
        f"layer3.2.bn1.bias and {missing - 3} more; choose the network and width that the file was made for, or "
        "leave weights out to begin fresh"
    )


def test_another_widths_file_is_refused_with_both_shapes(tmp_path: Path) -> None:
    save_file(narrow(width=0.25).state_dict(), tmp_path / "w")
    sentence = refusal(narrow(), tmp_path / "w")
    assert re.search(
        r"w does not fit resnet18: \d+ of another shape: layer1.0.conv1.weight is 16x16x3x3, not 8x8x3x3, ", sentence
    )


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"layer2.0.bn1.bias": None}, "1 missing: layer2.0.bn1.bias; "),
        ({"extra.weight": torch.ones(2)}, "1 unexpected: extra.weight; "),
        ({"layer2.0.bn1.bias": torch.ones(3)}, "1 of another shape: layer2.0.bn1.bias is 3, not 16; "),
        (
            {"layer2.0.bn1.bias": torch.ones(16, dtype=torch.int8)},
            "1 of another shape: layer2.0.bn1.bias is 16 of int8, not 16; ",
        ),
    ],
)
def test_one_entry_that_does_not_fit_is_named(change: dict[str, Tensor | None], phrase: str, tmp_path: Path) -> None:
    state = {name: value for name, value in (trained() | change).items() if value is not None}
    save_file(state, tmp_path / "w")
    assert f"does not fit resnet18: {phrase}choose the network" in refusal(narrow(), tmp_path / "w")


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    state = trained()
    state["layer1.0.conv1.weight"][0, 0, 0, 0] = torch.nan
    save_file(state, tmp_path / "w")
    sentence = refusal(narrow(), tmp_path / "w")
    assert "holds values that are not finite in layer1.0.conv1.weight; use a checkpoint from before" in sentence


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused_and_not_run(zipped: bool, tmp_path: Path) -> None:
    torch.save({"a": Trap(tmp_path / "sprung")}, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    sentence = refusal(narrow(), tmp_path / "w.pth")
    assert not (tmp_path / "sprung").exists()
    assert re.search(
        r"w.pth asks to build \w+.mkdir and was not opened further, .* save the state dict alone", sentence
    )


def test_a_whole_saved_network_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "w.pth")
    assert "asks to build torch.nn.modules.linear.Linear and was not opened" in refusal(narrow(), tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (b"", "is no weight file; give a .safetensors file, or a state dict saved by torch"),
        (b"<html>not found</html>", "is no weight file; give"),
        (b"PK\x03\x04 and then nothing", "cannot be read as safetensors or as torch weights"),
        (b"\x80\x02garbage", "is damaged or asks to run code and was not opened further"),
        (struct.pack("<Q", 900) + b'{"a":', "cannot be read as safetensors or as torch weights"),
    ],
)
def test_files_that_are_no_weights(content: bytes, phrase: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    assert phrase in refusal(narrow(), tmp_path / "w.pth")


@pytest.mark.parametrize("kind", ["safetensors", "pth", "legacy"])
def test_a_file_cut_short_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "w"
    if kind == "safetensors":
        save_file(trained(), path)
    else:
        torch.save(trained(), path, _use_new_zipfile_serialization=kind == "pth")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "it may be cut short: fetch it again" in refusal(narrow(), path)


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "epoch": 1}, tmp_path / "one")
    torch.save([torch.ones(1)], tmp_path / "two")
    assert "one holds no named weights but a dict; give a file of a state dict" in refusal(narrow(), tmp_path / "one")
    assert "two holds no named weights but a list; " in refusal(narrow(), tmp_path / "two")


def test_a_path_without_a_file(tmp_path: Path) -> None:
    assert refusal(narrow(), tmp_path / "gone.pth").startswith(f"no weight file at {tmp_path / 'gone.pth'}; give")
    assert "cannot be opened (Is a directory); give the path" in refusal(narrow(), tmp_path)
