from pathlib import Path

import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy

from pickwell import tasks
from pickwell.config import TaskSettings
from pickwell.errors import LabelError
from pickwell.learner.task_learning import TaskLearning, learning_of

NAMES = [f"class {number}" for number in range(300)]


def learning(classes: list[str]) -> TaskLearning:
    return learning_of(tasks.named("classification")(TaskSettings(classes=tuple(classes)), Path()))


def predictions(count: int, classes: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    g = torch.Generator().manual_seed(3)
    probabilities = torch.rand(count, classes, generator=g).softmax(1)
    truth = torch.where(
        torch.rand(count, generator=g) < 0.6, probabilities.argmax(1), torch.randint(classes, (count,), generator=g)
    )
    return list(zip(torch.split(probabilities, 13), torch.split(truth, 13), strict=True))


@pytest.mark.parametrize("classes", [2, 5, 300])
def test_accuracies_are_those_of_an_independent_implementation(classes: int) -> None:
    made, found = predictions(200, classes), dict(learning(NAMES[:classes]).measure(predictions(200, classes)))
    whole, each = MulticlassAccuracy(classes, average="micro"), MulticlassAccuracy(classes, average=None)
    for probabilities, truth in made:
        whole.update(probabilities, truth)
        each.update(probabilities, truth)
    assert found.pop("accuracy") == pytest.approx(float(whole.compute()))
    occur = torch.unique(torch.cat([truth for _, truth in made])).tolist()
    expected = each.compute()
    assert found == pytest.approx({f"accuracy/{NAMES[place]}": float(expected[place]) for place in occur})


def test_what_does_not_occur_has_no_accuracy_and_nothing_measured_has_none() -> None:
    task = learning(["heron", "gull", "tern"])
    guess = torch.tensor([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])
    found = task.measure([(guess, torch.tensor([0, 1, 1, 1]))])
    assert found == {"accuracy": 0.75, "accuracy/heron": 1.0, "accuracy/gull": pytest.approx(2 / 3)}
    assert task.measure([]) == {}
    assert task.measure([(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))]) == {}


def test_targets_are_places_and_the_loss_is_the_mean_cross_entropy() -> None:
    task = learning(["heron", "gull"])
    assert torch.equal(task.targets(["gull", "heron", "gull"])[torch.arange(3)], torch.tensor([1, 0, 1]))
    loss = task.loss(torch.tensor([[0.0, 0.0], [0.0, torch.tensor(3.0).log()]]), torch.tensor([0, 1]))
    torch.testing.assert_close(loss, (torch.tensor(2.0).log() + torch.tensor(4 / 3).log()) / 2)
    with pytest.raises(LabelError, match="'tern', said by 1 of"):
        task.targets(["tern"])
