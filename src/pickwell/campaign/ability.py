"""Whether the task model can do what the task and the strategy ask of it: told before anything is trained."""

from pickwell import models, strategies
from pickwell.campaign.networks import sketch
from pickwell.config import Settings
from pickwell.errors import SettingsError, unknown
from pickwell.learner.learner import REMEDY
from pickwell.strategies import Strategy


def check_ability(settings: Settings, strategy: Strategy) -> None:
    """Refuses a model that cannot label pixels for masks, or has no dropout for a strategy that samples by it."""
    chosen = settings.model.name
    if settings.task.kind == "segmentation" and chosen not in models.available_dense():
        raise SettingsError(unknown("model for masks", chosen, models.available_dense()))
    # The members of a committee differ by themselves: their samples need no dropout.
    if strategy.needs_dropout and strategy.committee == 1 and not sketch(settings).has_dropout:
        raise SettingsError(
            f"{strategies.name_of(strategy)} asks for dropout passes, and {chosen} has no dropout layer; {REMEDY}"
        )
