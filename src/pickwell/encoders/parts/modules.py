"""Networks in torch: on an accelerator in bfloat16 where it has that, on a CPU in float32."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pickwell.accelerators import best_device, has_bf16
from pickwell.encoders.parts.blocks import in_blocks

Features = Callable[[Tensor], Tensor]
"""Prepared images `(B, ...)`, in the type that they were prepared in, to features `(B, D)`."""
TOGETHER = 64
"""Images a block on an accelerator: 38 MB of floats at 224 pixels."""


class Module:
    """`features` of a network, run in blocks of one shape; its `precision` can change a vector by a hundredth.

    On a CPU a block is one image, whose place in a batch then cannot matter; how many threads share its sums can, in
    the last digits.
    """

    def __init__(self, network: nn.Module, features: Features) -> None:
        self.device = best_device()
        self.precision = "bfloat16" if self.device.type != "cpu" and has_bf16() else "float32"
        network.eval().requires_grad_(False).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._features = features

    @torch.inference_mode()
    def __call__(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        blocks = in_blocks(prepared, 1 if self.device.type == "cpu" else TOGETHER)
        return np.concatenate([self._one(block) for block in blocks])[: len(prepared)]

    def _one(self, block: NDArray[Any]) -> NDArray[np.float32]:
        images = torch.tensor(block, device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            found: NDArray[np.float32] = self._features(images).float().cpu().numpy()
        return found


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """A digest of named weights, wherever they were read from."""
    digest = sha256()
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
