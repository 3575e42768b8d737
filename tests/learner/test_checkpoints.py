from pathlib import Path

import torch

from pickwell.learner.checkpoints import (
    Checkpoint,
    load_optimiser,
    load_tensors,
    named,
    optimiser_tensors,
    save_tensors,
    under,
)


def test_names_nest() -> None:
    tensors = {"a": torch.ones(1), "b/c": torch.zeros(1)}
    assert under("x", named("x", tensors) | named("xy", tensors)) == tensors


def test_a_checkpoint_of_another_fit_is_not_taken_up(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "c.safetensors", "this").save(4, {"w": torch.arange(3)})
    assert Checkpoint(tmp_path / "c.safetensors", "other").load() == (0, {})
    step, tensors = Checkpoint(tmp_path / "c.safetensors", "this").load()
    assert step == 4
    assert tensors["w"].tolist() == [0, 1, 2]


def test_a_damaged_file_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_tensors(path, {"w": torch.ones(100)})
    path.write_bytes(path.read_bytes()[:50])
    assert load_tensors(path) is None
    assert load_tensors(tmp_path / "none.safetensors") is None


def test_writing_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    save_tensors(tmp_path / "c.safetensors", {"w": torch.ones(1)}, fact="yes")
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]


def test_an_optimiser_goes_on_as_if_nothing_had_happened() -> None:
    def steps(weight: torch.Tensor, optimiser: torch.optim.Optimizer, n: int) -> None:
        for _ in range(n):
            optimiser.zero_grad()
            (weight**2).sum().backward()
            optimiser.step()

    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = torch.optim.Adam([weight], lr=0.1)
    steps(weight, optimiser, 3)
    copy = torch.nn.Parameter(weight.detach().clone())
    resumed = torch.optim.Adam([copy], lr=0.1)
    load_optimiser(resumed, optimiser_tensors(optimiser))
    steps(weight, optimiser, 3)
    steps(copy, resumed, 3)
    assert torch.equal(weight, copy)
