import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.classification import MulticlassJaccardIndex

from pickwell import tasks
from pickwell.config import TaskSettings
from pickwell.learner.generators import generator
from pickwell.learner.task_learning import learning_of
from pickwell.tasks.segmentation.mask_targets import MaskTargets

CLASSES = ("sky", "road", "tree")


TASK = learning_of(tasks.named("segmentation")(TaskSettings(kind="segmentation", classes=CLASSES), Path()))


def said(guess: list[list[int]]) -> torch.Tensor:
    """Probabilities `(1, C, H, W)` whose most probable classes are these."""
    return torch.nn.functional.one_hot(torch.tensor([guess]), len(CLASSES)).movedim(-1, 1).float()


def test_mean_iou_is_of_the_data_set_not_of_its_images() -> None:
    """Averaged over images a class that fills one of them and is a speck in the other would count twice."""
    truth = [torch.zeros(1, 10, 10, dtype=torch.uint8), torch.ones(1, 10, 10, dtype=torch.uint8)]
    truth[1][0, 0, 0] = 0
    figures = TASK.measure([(said([[0] * 10] * 10), truth[0]), (said([[1] * 10] * 10), truth[1])])
    assert figures["iou/sky"] == 100 / 101
    assert figures["iou/road"] == 99 / 100
    assert figures["mean_iou"] == pytest.approx((100 / 101 + 99 / 100) / 2)
    assert figures["pixel_accuracy"] == 199 / 200
    per_image = (1 + (0 + 99 / 100) / 2) / 2
    assert abs(figures["mean_iou"] - per_image) > 0.2


def test_a_class_that_nobody_has_or_says_does_not_count() -> None:
    figures = TASK.measure([(said([[0, 0], [1, 1]]), torch.tensor([[[0, 0], [1, 0]]], dtype=torch.uint8))])
    assert figures == {"mean_iou": (2 / 3 + 1 / 2) / 2, "pixel_accuracy": 3 / 4, "iou/sky": 2 / 3, "iou/road": 1 / 2}


def test_a_class_that_is_only_said_counts_as_wrong() -> None:
    figures = TASK.measure([(said([[0, 2]]), torch.tensor([[[0, 0]]], dtype=torch.uint8))])
    assert figures["iou/tree"] == 0
    assert figures["mean_iou"] == 0.25


def test_ignored_pixels_count_nowhere() -> None:
    truth = torch.tensor([[[0, 255], [255, 1]]], dtype=torch.uint8)
    figures = TASK.measure([(said([[0, 2], [2, 1]]), truth)])
    assert figures == {"mean_iou": 1.0, "pixel_accuracy": 1.0, "iou/sky": 1.0, "iou/road": 1.0}
    assert TASK.measure([(said([[0, 1]]), torch.full((1, 1, 2), 255, dtype=torch.uint8))]) == {}
    assert TASK.measure([]) == {}


def test_the_figures_are_those_of_an_independent_implementation_for_any_batches() -> None:
    rng = generator(0, "masks")
    guess = torch.rand(6, 3, 9, 7, generator=rng)
    truth = torch.randint(3, (6, 9, 7), generator=rng).to(torch.uint8)
    truth[torch.rand(truth.shape, generator=rng) < 0.2] = 255
    theirs = MulticlassJaccardIndex(3, ignore_index=255)(guess, truth.long())
    for size in (1, 4, 6):
        cut = tuple(range(size, 6, size))
        figures = TASK.measure(zip(guess.tensor_split(cut), truth.tensor_split(cut), strict=True))
        assert figures["mean_iou"] == pytest.approx(float(theirs), rel=1e-6)


def test_the_loss_is_the_mean_over_the_pixels_that_count() -> None:
    logits = torch.randn(2, 3, 4, 5, generator=generator(1, "logits"))
    targets = torch.randint(3, (2, 4, 5), generator=generator(1, "targets")).to(torch.uint8)
    targets[0, :2] = 255
    picked = [
        -logits[b, :, r, c].log_softmax(0)[targets[b, r, c].long()]
        for b in range(2)
        for r in range(4)
        for c in range(5)
        if targets[b, r, c] != 255
    ]
    assert len(picked) == 30
    torch.testing.assert_close(TASK.loss(logits, targets), torch.stack(picked).mean())


def test_a_batch_of_ignored_pixels_teaches_nothing() -> None:
    logits = torch.randn(1, 3, 2, 2).requires_grad_()
    loss = TASK.loss(logits, torch.full((1, 2, 2), 255, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_loss_of_a_guess_is_the_logarithm_of_the_classes() -> None:
    loss = TASK.loss(torch.zeros(1, 3, 2, 2), torch.tensor([[[0, 1], [2, 255]]], dtype=torch.uint8))
    assert loss.item() == pytest.approx(math.log(3))


def test_masks_are_read_when_wanted_and_kept_as_bytes_within_the_limit() -> None:
    read: list[str] = []

    def count(name: str) -> NDArray[np.uint8]:
        read.append(name)
        return np.full((2, int(name)), int(name), dtype=np.uint8)

    masks = MaskTargets(("3", "4", "5"), count, memory_limit=2 * 3 + 2 * 4)
    assert len(masks) == 3
    assert not read
    first = masks.at(torch.tensor([2, 0, 1]))
    assert [(tuple(mask.shape), int(mask[0, 0])) for mask in first] == [((2, 5), 5), ((2, 3), 3), ((2, 4), 4)]
    assert {mask.dtype for mask in first} == {torch.uint8}
    # "5" came first and took 10 of the 14 bytes; "3" and "4" no longer fitted.
    masks.at(torch.tensor([0, 1, 2]))
    assert read == ["5", "3", "4", "3", "4"]
    assert masks[torch.tensor([1, 1])].shape == (2, 2, 4)


def test_it_is_a_task() -> None:
    assert TASK.task.metric == "mean_iou"
    assert TASK.outputs == 3
