"""Snapshots of a running fit, and what a finished one leaves: tensors in safetensors files, never pickles."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from pickwell.errors import StoreError
from pickwell.files import replacing


def save_tensors(path: Path, tensors: Mapping[str, Tensor], **facts: str) -> None:
    """Writes tensors and facts; a reader sees the old file or the whole new one, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # safetensors takes no tensors that share memory, nor other layouts, such as channels last.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replacing(path, shared=True) as new:
        save_file(plain, new, facts)


@contextmanager
def writing_networks(folder: Path) -> Iterator[None]:
    """Says so when networks cannot be written there; takes away what was begun, by a killed process too."""
    try:
        yield
    except SafetensorError as error:
        raise StoreError(
            f"the trained networks cannot be written to {folder}: {error}; labels and rounds are as they "
            "were: free some space or give permission, and repeat the command"
        ) from None
    finally:
        for partial in folder.glob("*.partial"):
            partial.unlink(missing_ok=True)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """The tensors and facts in a file, on the CPU; None if there is none or it is damaged (then it is made anew)."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """An optimiser's moments and step counts, by `parameter number.name`."""
    state: Mapping[int, Mapping[str, Tensor]] = optimiser.state_dict()["state"]
    return {f"{number}.{name}": tensor for number, entry in state.items() for name, tensor in entry.items()}


def load_optimiser(optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts back what `optimiser_tensors` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor.clone()
    groups: list[dict[str, Any]] = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix/`, without it."""
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(prefix + "/")}


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with `prefix/` before their names."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


@dataclass
class Checkpoint:
    """One file that a fit writes at most every `seconds`; a fit with another `key` does not take it up."""

    path: Path
    key: str
    seconds: float = 60.0
    _last: float = field(default_factory=time.monotonic)
    _begun: float = field(default_factory=time.monotonic)
    _before: float = 0.0

    def load(self) -> tuple[int, dict[str, Tensor]]:
        """The steps already taken and the tensors after them; (0, {}) if there is nothing to go on from."""
        found = load_tensors(self.path)
        if found is None or found[1].get("key") != self.key:
            return 0, {}
        self._before = float(found[1].get("spent", 0))
        return int(found[1]["step"]), found[0]

    @property
    def spent(self) -> float:
        """The seconds that the fit has taken: here, and before it was killed, up to its last save."""
        return self._before + time.monotonic() - self._begun

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last one."""
        return time.monotonic() - self._last >= self.seconds

    def save(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Keeps the state after `step` steps."""
        save_tensors(self.path, tensors, key=self.key, step=str(step), spent=str(self.spent))
        self._last = time.monotonic()

    def clear(self) -> None:
        """Removes the file: the fit has ended."""
        self.path.unlink(missing_ok=True)
