"""What a label, a loss and a metric mean."""

from pickwell.tasks.classification import Classification
from pickwell.tasks.task import Task

__all__ = ["Classification", "Task"]
