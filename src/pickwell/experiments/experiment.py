"""An experiment as a value: what is run, on what, how often. One TOML file each; users copy one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pickwell import tasks
from pickwell.config import Document, ModelSettings, Section, TrainingSettings, ValidationSettings
from pickwell.errors import SettingsError, unknown
from pickwell.experiments.published_results import TABLES
from pickwell.tasks import Task

FORMAT = 1
"""The version of an experiment's file and of a results folder."""
PLACES = (Path("experiments"), Path(__file__).parents[3] / "experiments", Path(__file__).parent / "named")
"""Where named experiments are looked for: here, in a checkout, in an installed package."""
COMMON = ("format", "title", "notes", "published", "seeds", "baseline", "reference", "judged_rounds", "variants")
"""Entries that no variant can have of its own."""
FULL = "full data"
"""The method that labels everything at once: the reference line above all curves."""


class DataSettings(Section):
    """The images. `set` is a data set's name, or the path of a labelled folder, CSV, Parquet set or feature file.

    `train` images stay in the pool (0: all that are left), `validation` are set aside and never used, `test` are
    measured on. A set without a test set of its own gives some of its images, drawn once for all seeds. `features`
    replaces the images by vectors: "encoder" (`encoder`, as `pickwell encoders` lists them), "vae" (of the pool's own
    VAE) or "network" (`network`, with `weights` if any).
    A folder of one's own with masks names their folder and the `classes` by value, `!name` for a void one.
    """

    set: str
    train: int = Field(default=0, ge=0)
    validation: int = Field(default=0, ge=0)
    test: int = Field(default=0, ge=0)
    test_set: str = ""
    masks: str = ""
    test_masks: str = ""
    classes: tuple[str, ...] = ()
    test_draw: Literal["random", "balanced"] = "random"
    features: Literal["", "encoder", "vae", "network"] = ""
    encoder: str = "lite0"
    feature_size: int = Field(default=32, ge=8, le=2048)
    feature_steps: int = Field(default=600, ge=1)
    network: str = "small_cnn"
    weights: str = ""


class StartSettings(Section):
    """The first labels: how many, drawn how. `absent` classes (a number, or their names) have none of them.

    Of scenes with masks, none of the first shows an absent class.
    """

    labels: int = Field(ge=1)
    draw: Literal["random", "stratified"] = "random"
    absent: int | tuple[str, ...] = 0


class RoundSettings(Section):
    """How many rounds of how many labels."""

    count: int = Field(ge=0)
    budget: int = Field(ge=1)


class OracleSettings(Section):
    """A share `noise` of the labels is wrong, within a class's group where the data set has groups.

    In a mask each class that occurs is mistaken with that probability, wherever it occurs.
    """

    noise: float = Field(default=0.0, ge=0, le=1)


class Experiment(Document):
    """What `experiments/NAME.toml` says. Variants are changes by dotted key: `{"oracle.noise" = 0.1}`.

    Every method is compared with the `baseline`. `reference` adds a run on the full data. The area is judged over the
    first `judged_rounds` alone (0: over all). `published` names tables of others' numbers to print beside.
    """

    format: int = Field(default=FORMAT, ge=1, strict=True)
    title: str = Field(min_length=1)
    notes: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    task: str = "classification"
    seeds: int = Field(default=5, ge=1)
    baseline: str = "random"
    reference: bool = False
    judged_rounds: int = Field(default=0, ge=0)
    data: DataSettings
    start: StartSettings
    rounds: RoundSettings
    oracle: OracleSettings = OracleSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    validation: ValidationSettings = ValidationSettings(share=0.0)
    methods: dict[str, dict[str, Any]] = Field(min_length=1)
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("methods")
    @classmethod
    def _nameable(cls, methods: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if FULL in methods:
            raise ValueError(f"'{FULL}' is the reference's name; set reference = true instead")
        return methods

    @field_validator("task")
    @classmethod
    def _known(cls, task: str) -> str:
        if task not in tasks.available():
            raise ValueError(unknown("kind of task", task, tasks.available()))
        if not tasks.named(task).share:
            raise ValueError(f"{tasks.named(task).figure} is no share of which more is better: it judges no methods")
        return task

    @field_validator("published")
    @classmethod
    def _printed(cls, published: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in published if name not in TABLES]:
            raise ValueError(unknown("table", wrong[0], TABLES))
        return published

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """What does not go together."""
        if self.baseline not in self.methods:
            yield (
                f"baseline '{self.baseline}' is none of the methods ({', '.join(self.methods)}); "
                "set baseline to one of them, or add it to [methods]"
            )
        if self.kind.many_classes:
            scenes = "a scene with a mask has many classes"
            asked = {
                "data.features are of whole images, and the task is segmentation; leave them out": self.data.features,
                f"data.test_draw is balanced, but {scenes}; use random": self.data.test_draw == "balanced",
                f"start.draw is stratified, but {scenes}; use random": self.start.draw == "stratified",
            }
            yield from (sentence for sentence, is_asked in asked.items() if is_asked)
        elif self.data.masks or self.data.test_masks:
            yield 'data.masks are given, but the task is classification; set task = "segmentation"'
        for name, changes in self.variants.items():
            if wrong := [key for key in changes if key.partition(".")[0] in COMMON]:
                yield f"variant '{name}' sets {wrong[0]}, which all variants share; set it at the top instead"

    @property
    def kind(self) -> type[Task]:
        """The kind of task."""
        return tasks.named(self.task)

    @property
    def judged_alone(self) -> int:
        """How many first rounds are judged alone; 0 where that would be all of them, in all variants."""
        most = max(self.variant(name).rounds.count for name in self.variants or [""])
        return self.judged_rounds if self.judged_rounds < most else 0

    @property
    def metric(self) -> str:
        """What is judged, as results name it."""
        return self.kind.metric

    @property
    def measure(self) -> str:
        """What is judged, in words."""
        return self.kind.figure

    def variant(self, name: str) -> Self:
        """The experiment with the variant's changes in it; "" is the experiment as it stands."""
        return self.changed(self.variants[name], where=f"variant '{name}'") if name else self


def available() -> dict[str, Path]:
    """The named experiments and their files, sorted by name."""
    found: dict[str, Path] = {}
    # Backwards, so that the first place wins: one's own file hides the installed one of the same name.
    for place in reversed(PLACES):
        found |= {path.stem: path for path in place.glob("*.toml")}
    return dict(sorted(found.items()))


def load(name: str | Path) -> tuple[str, Experiment]:
    """An experiment's name and value, by its name or its file's path."""
    path = Path(name)
    if path.suffix != ".toml":
        named = available()
        if str(name) not in named:
            raise SettingsError(f"{unknown('experiment', name, named)}; or name a .toml file of your own")
        path = named[str(name)]
    return path.stem, Experiment.read(path)
