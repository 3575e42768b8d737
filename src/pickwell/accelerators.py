"""What this machine computes on."""

import torch


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if torch.cuda.is_available():
        # Emulated bfloat16 would be slower than float32.
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return cpu_can("avx512_bf16") or cpu_can("amx_bf16")


def cpu_can(capability: str) -> bool:
    """Whether this CPU has a capability by torch's name for it; False where torch cannot say."""
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get(capability))


def best_device() -> torch.device:
    """The first CUDA device, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    return torch.device("mps", 0) if torch.backends.mps.is_available() else torch.device("cpu")
