"""How networks learn: Algorithm 1's outer loop, shared by every strategy."""

from pickwell.learner.batches import Batch, Draws
from pickwell.learner.devices import Devices
from pickwell.learner.item_stream import Stream
from pickwell.learner.learner import Learner, TaskLearner

__all__ = ["Batch", "Devices", "Draws", "Learner", "Stream", "TaskLearner"]
