"""Weight files into networks: safetensors, or torch's .pth and .pt without ever running a pickle's code."""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pickwell.errors import WeightsError
from pickwell.models.network import Loaded, Network, some

WRAPPERS = ("state_dict", "model", "model_state_dict")
PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""


def load_weights(network: Network, path: str | Path) -> Loaded:
    """Fills the network from a file and reports what was filled; the network is untouched unless all fits.

    The head and the stem (`Network.groups`) are taken whole or left fresh; every other entry must match in name and
    shape. Raises WeightsError.
    """
    path = Path(path)
    state = network.translate(_unprefixed(_unwrapped(read(path), path)))
    own = _own(network, state)
    fresh = {name for prefixes in network.groups for name in _misfitting_group(own, state, prefixes)}
    named = {name: value for name, value in own.items() if name not in fresh}
    given = {name: value for name, value in state.items() if name not in fresh}
    if problems := misfits(named, given):
        raise WeightsError(_refusal(network, path, problems))
    _fill(named, given, path)
    return Loaded(path, len(named), tuple(n for n in own if n in fresh), tuple(n for n in state if n in fresh))


def read(path: Path) -> object:
    """What a weight file holds; its first bytes, not its name, decide how it is read. Raises WeightsError."""
    # safetensors: 8 bytes of length, then JSON. torch: a zip file, or a pickle of protocol 2 and up.
    start = _start(path)
    if start[8:] != b"{" and not start.startswith((b"PK", b"\x80")):
        raise WeightsError(f"{path} is no weight file; give a .safetensors file, or a state dict saved by torch")
    try:
        if start[8:] == b"{":
            return load_file(path)
        # Only tensors and plain containers: a pickle that names anything else is refused, not run.
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(_not_plain(path, error)) from error
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError, LookupError, AttributeError) as error:
        raise WeightsError(
            f"{path} cannot be read as safetensors or as torch weights ({_first_line(error)}); "
            "it may be cut short: fetch it again, or save its state dict again"
        ) from error


def misfits(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """The entries that are of another shape or kind, missing or unexpected, by which of these; {} if all fit."""
    shapes = [
        f"{name} is {_shape(given[name])}, not {_shape(value)}"
        for name, value in own.items()
        if name in given and not _fits(value, given[name])
    ]
    missing = [name for name in own if name not in given]
    unexpected = [name for name in given if name not in own]
    found = {"of another shape": shapes, "missing": missing, "unexpected": unexpected}
    return {kind: entries for kind, entries in found.items() if entries}


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(9)
    except FileNotFoundError:
        raise WeightsError(f"no weight file at {path}; give the path of a .safetensors, .pth or .pt file") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be opened ({error.strerror}); give the path of a weight file") from error


def _not_plain(path: Path, error: pickle.UnpicklingError) -> str:
    wanted = re.search(r"GLOBAL (\S+)", str(error))
    what = f"asks to build {wanted[1]}" if wanted else "is damaged or asks to run code"
    return (
        f"{path} {what} and was not opened further, for only plain tensors are read; "
        "save the state dict alone (torch.save(model.state_dict(), path)) or use safetensors"
    )


def _unwrapped(content: object, path: Path) -> dict[str, Tensor]:
    """The named tensors in what a file holds, within whatever a training script put around them."""
    while isinstance(content, Mapping):
        inner = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
            if tensors:
                return tensors
            break
        content = inner
    raise WeightsError(
        f"{path} holds no named weights but a {type(content).__name__}; give a file of a state dict, "
        f"plain or under one of: {', '.join(WRAPPERS)}"
    )


def _unprefixed(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    for prefix in PREFIXES * 2:  # either may wrap the other
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _own(network: Network, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's own entries, as far as the file can be expected to have them."""
    # Files older than torch 0.4.1, most public ones among them, do not count batches; nor does the default need it.
    return {
        name: value
        for name, value in network.state_dict().items()
        if name in state or not name.endswith(".num_batches_tracked")
    }


def _misfitting_group(own: Mapping[str, Tensor], given: Mapping[str, Tensor], prefixes: tuple[str, ...]) -> set[str]:
    """The names of a group, ours and the file's, if any of them does not fit; else none."""
    ours, theirs = ({n: v for n, v in entries.items() if n.startswith(prefixes)} for entries in (own, given))
    return {*ours, *theirs} if misfits(ours, theirs) else set()


def _fill(own: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> None:
    broken = next((n for n in own if given[n].is_floating_point() and not given[n].isfinite().all()), None)
    if broken is not None:
        raise WeightsError(f"{path} holds values that are not finite in {broken}; use a checkpoint from before that")
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(given[name])


def _fits(own: Tensor, given: Tensor) -> bool:
    # Weights want floats; a count of batches may come as either.
    return own.shape == given.shape and own.is_floating_point() <= given.is_floating_point()


def _refusal(network: Network, path: Path, problems: Mapping[str, list[str]]) -> str:
    listed = "; ".join(f"{len(entries)} {kind}: {some(entries)}" for kind, entries in problems.items())
    return (
        f"{path} does not fit {network.name or type(network).__name__}: {listed}; choose the network and width that "
        "the file was made for, or leave weights out to begin fresh"
    )


def _shape(value: Tensor) -> str:
    size = "x".join(map(str, value.shape)) or "one number"
    return size if value.is_floating_point() else f"{size} of {str(value.dtype).removeprefix('torch.')}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
