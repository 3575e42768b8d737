import torch

from pickwell.learner import Devices


def test_forward_passes_run_in_the_chosen_precision() -> None:
    layer, images = torch.nn.Linear(4, 2), torch.ones(1, 4)
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        devices = Devices(precision)  # type: ignore[arg-type]
        with devices.autocast():
            found = devices.setup(layer)(devices.put(images))
        assert (found.dtype, found.device, layer.weight.dtype) == (dtype, devices.device, torch.float32)
