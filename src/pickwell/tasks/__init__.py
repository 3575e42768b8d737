"""What a label, a loss and a metric mean."""

from pickwell.tasks.classification import Classification
from pickwell.tasks.segmentation import Masks, Segmentation
from pickwell.tasks.task import Targets, Task

__all__ = ["Classification", "Masks", "Segmentation", "Targets", "Task"]
