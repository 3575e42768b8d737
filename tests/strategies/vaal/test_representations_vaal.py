"""What VAAL's networks look at: in memory at a patch's size, through the task model in chunks of so many pixels."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from pickwell.acquisition.patch_features import learn
from pickwell.errors import TrainingError
from pickwell.learner.generators import generator
from pickwell.strategies import create
from pickwell.strategies.vaal import VAAL, representations
from pickwell.strategies.vaal.representations import patch_vectors, sample
from pickwell.strategies.vaal.vector_tables import embedded
from pickwell.testing import FakeStream, FakeView, blobs, train_auxiliary

SMALL = {"latent": 4, "widths": (4, 8), "discriminator_width": 16, "feature_width": 8, "steps": 3}


def stream(images: Tensor, batch_size: int = 4) -> FakeStream:
    return FakeStream(images, torch.arange(len(images)), batch_size)


@pytest.mark.parametrize("size", [6, 24, 40])
def test_a_sample_shrunk_batch_by_batch_teaches_what_a_large_one_does(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(representations, "SAMPLE", 20)
    images = blobs(30, size)
    taken = sample(stream(images), generator(0, "sample"))
    drawn = torch.randperm(30, generator=generator(0, "sample"))[:20].sort().values
    early, late = learn(taken, generator(0, "learn")), learn(images[drawn], generator(0, "learn"))
    assert len(taken) == 20
    assert torch.equal(early.codes, late.codes)
    assert torch.equal(early(images), late(images))


def test_a_sample_of_large_images_takes_the_memory_of_small_ones() -> None:
    """40 images of 256 pixels are 31 MB, a batch of four is 3 MB, all at 32 pixels half a megabyte."""

    class Read(FakeStream):
        def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
            for ids in self.wanted.split(4):
                yield ids, torch.full((len(ids), 3, 256, 256), 0.5)

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        sample(Read(torch.empty(0), torch.arange(40)), generator(0, "sample"))
    sizes = [event.self_cpu_memory_usage for event in profile.events() or []]
    assert 0 < max(sizes) < 8_000_000
    # What is taken and not given back is what is returned.
    assert sum(sizes) < 1_000_000


@pytest.mark.parametrize(("size", "expected"), [(8, [256, 4]), (64, [256, 4]), (256, [16, 16, 8])])
def test_the_task_model_is_asked_about_a_million_pixels_at_once(size: int, expected: list[int]) -> None:
    images, asked = torch.zeros(1, 3, 1, 1).expand(sum(expected), 3, size, size), []

    def embed(some: Tensor) -> Tensor:
        asked.append(len(some))
        return torch.zeros(len(some), 2)

    embedded(stream(images, 7), embed, torch.device("cpu"))
    assert asked == expected


@pytest.mark.parametrize(("size", "expected"), [(8, [256, 4]), (40, [256, 4])])
def test_patches_are_told_of_256_small_images_at_once(size: int, expected: list[int]) -> None:
    images = blobs(2, size)[:1].expand(sum(expected), 3, size, size)
    assert [len(part) for part in patch_vectors(stream(images, 7), generator(0, "patches"))] == expected


@pytest.mark.parametrize("name", ["vaal", "vaal-diverse", "vaal-frozen", "vaal-no-vae", "vaal-wasserstein"])
def test_what_the_networks_cannot_say_is_named_and_decides_nothing(name: str) -> None:
    steps = {"vae_steps": 2} if name == "vaal-frozen" else {}
    strategy = create(name, SMALL | {"representation": "pixels"} | steps)
    assert isinstance(strategy, VAAL)
    view = FakeView(blobs(), (1, 4, 5, 9))
    train_auxiliary(strategy, view)
    view.images = view.images.index_fill(0, torch.tensor([7]), torch.nan)
    with pytest.raises(TrainingError, match=r"what VAAL's networks say of item 21 is nan, not a number: .* lower"):
        strategy.select(view, 5)
