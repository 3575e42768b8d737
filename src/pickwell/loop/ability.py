"""Whether the task model can do what the task and the strategy ask of it: told before anything is trained."""

from pickwell import models, strategies
from pickwell.config import Settings
from pickwell.errors import SettingsError
from pickwell.learner.learner import REMEDY
from pickwell.learner.task_learning import TaskLearning
from pickwell.strategies import Strategy, settings_of


def check_ability(learning: TaskLearning, settings: Settings, strategy: Strategy) -> None:
    """Refuses a model that has no dropout for a strategy that samples by it."""
    # The members of a committee differ by themselves: their samples need no dropout.
    if strategy.needs_dropout and strategy.committee == 1 and not learning.sketch(settings).has_dropout:
        raise SettingsError(
            f"{strategies.name_of(strategy)} asks for dropout passes, and {settings.model.name} has no dropout layer; "
            f"{REMEDY}"
        )


def check_vectors(settings: Settings, strategy: Strategy) -> None:
    """Refuses a model, or a strategy, that looks at images where the pool holds vectors in their place."""
    chosen, taken = settings.model.name, models.available_vectors()
    if chosen not in taken:
        raise SettingsError(
            f"model.name is '{chosen}', but the pool holds vectors in place of images; set it to {' or '.join(taken)}"
        )
    if strategy.needs_images:
        remedy = 'set its representation = "features"' if "representation" in settings_of(strategy) else "leave it out"
        raise SettingsError(
            f"{strategies.name_of(strategy)} looks at images, but the pool holds vectors in their place; {remedy}"
        )
