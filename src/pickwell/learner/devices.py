"""Where the networks run and in which precision."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from pickwell.accelerators import best_device, has_bf16
from pickwell.learner.memory_allocator import keep_freed_memory

Module = TypeVar("Module", bound=nn.Module)
Precision = Literal["auto", "fp32", "bf16"]


class Devices:
    """One accelerator (or the CPU) and its best precision: bf16 where the hardware has it, else fp32."""

    def __init__(self, precision: Precision = "auto") -> None:
        self.precision = ("bf16" if has_bf16() else "fp32") if precision == "auto" else precision
        self.device = best_device()
        """The device that batches must be on."""
        keep_freed_memory()

    def setup(self, module: Module) -> Module:
        """The module itself, moved to the device; on an accelerator its convolutions in the channels-last layout.

        On a CPU the images' layout decides which kernels run, and weights in another than their gradients' would be
        copied by every step of the optimiser.
        """
        layout = torch.preserve_format if self.device.type == "cpu" else torch.channels_last
        return module.to(device=self.device, memory_format=layout)  # type: ignore[call-overload,no-any-return]

    def adam(self, module: nn.Module, learning_rate: float, weight_decay: float = 0.0) -> torch.optim.Adam:
        """Adam for a module that `setup` returned, in one pass over the weights: a fifth of a step at paper size."""
        return torch.optim.Adam(module.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True)

    def put(self, tensor: Tensor) -> Tensor:
        """The tensor on the device; images in the channels-last layout."""
        moved = tensor.to(self.device, non_blocking=True)
        return moved.contiguous(memory_format=torch.channels_last) if moved.dim() == 4 else moved

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward passes run in the chosen precision."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()
