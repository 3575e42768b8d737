"""A campaign's settings: what `campaign.toml` may say, and what each entry must be."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

from pickwell.errors import SettingsError, VersionError, unknown
from pickwell.labels import check_classes

FORMAT = 2
"""The version of the campaign directory's layout; a larger one was made by a newer pickwell."""


NO_ENCODER = "none"
"""What `encoder` says where models look at the images themselves."""
ENCODER = "lite0"
"""The encoder of photographs."""


class Section(BaseModel):
    """A table of settings: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(Section):
    """The settings that one TOML file holds; the default of `format` is the newest version that is read."""

    format: int

    @classmethod
    def parse(cls, values: Mapping[str, Any], *, where: str = "settings") -> Self:
        """The settings that `values` describe; a SettingsError names the first thing that is wrong."""
        # Before anything else: of a newer file every new entry would be called unknown.
        newest = cls.model_fields["format"].default
        made_by = values.get("format", newest)
        if isinstance(made_by, int) and made_by > newest:
            raise VersionError(
                f"{where} has format {made_by}, this pickwell reads up to {newest}; it was made by a newer version: "
                "upgrade with pip install -U pickwell, or work in another directory"
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(f"{where}: {_sentence(cls, error)}") from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """The settings in a TOML file."""
        return cls.parse(cls.values(path), where=str(path))

    @staticmethod
    def values(path: Path) -> dict[str, Any]:
        """What a TOML file says, unchecked."""
        try:
            # Some editors put a byte order mark first.
            return tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is not valid TOML: {error}; mend that line") from None
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}; name a file that you may read") from None

    def dump(self) -> dict[str, Any]:
        """Plain values that `parse` reads back."""
        return self.model_dump(mode="json")

    def toml(self) -> str:
        """The text of a TOML file that `read` reads back."""
        return tomli_w.dumps(self.dump())

    def changed(self, changes: Mapping[str, Any], *, where: str = "settings") -> Self:
        """The settings with some replaced, by dotted key: `{"training.epochs": 5}`."""
        values = self.dump()
        for key, value in changes.items():
            *tables, last = key.split(".")
            table = values
            for name in tables:
                table = table.setdefault(name, {})
                if not isinstance(table, dict):
                    raise SettingsError(f"{where}: setting '{key}': '{name}' is a value, not a table")
            table[last] = value
        return type(self).parse(values, where=where)


class TaskSettings(Section):
    """What is to be learnt; which classes and void values a kind of task has is for `tasks` to check.

    `void`: values of mask files that mean "ignore", beside 255. `mask_values`: numbers or colours that mean another
    class than their place in the list, `{"255" = "lesion", "#ff0000" = "lesion"}`; a name that begins with `!` is void.
    `renamed`: what images come with under an older name of a class, and its name now.
    """

    kind: str = "classification"
    classes: tuple[str, ...] = ()
    void: tuple[int, ...] = ()
    mask_values: dict[str, str] = Field(default_factory=dict)
    renamed: dict[str, str] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def _without_empty(self, dumped: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = dumped(self)
        return values if self.renamed else {key: value for key, value in values.items() if key != "renamed"}

    @field_validator("classes")
    @classmethod
    def _usable(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        return check_classes(classes) if classes else ()

    @field_validator("void")
    @classmethod
    def _sorted(cls, void: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(void)))


class ModelSettings(Section):
    """The task model. `weights`: a file with the public checkpoint's names (safetensors, or .pth without pickles)."""

    name: str = "small_cnn"
    weights: str = ""
    width: float = Field(default=1.0, gt=0, le=8)
    image_size: int = Field(default=32, ge=8, le=2048)


class TrainingSettings(Section):
    """How the task model is trained, from scratch, after every round.

    With `finetune` it is no encoder's vectors that are learnt from, but the images, by the encoder's own network, which
    begins with the encoder's weights.
    `C` is the inverse of logistic regression's penalty, as scikit-learn has it, and with `class_weight` balanced all
    classes count the same there; what follows is of models that learn step by step.

    `epochs` are passes over the labelled images, in at least `min_steps` steps. `augment` is of images: vectors in
    their place are learnt as they are. `precision` auto is bfloat16 where the hardware multiplies it. Images are kept
    in memory up to `memory_limit_mib`, and a fit is saved every `checkpoint_seconds`, so that a killed one goes on.
    """

    finetune: bool = False
    epochs: int = Field(default=100, ge=1)
    min_steps: int = Field(default=0, ge=0)
    batch_size: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=5e-4, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=5e-4, ge=0, allow_inf_nan=False)
    schedule: Literal["constant", "cosine"] = "cosine"
    augment: str = "crop-flip"
    C: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    class_weight: Literal["none", "balanced"] = "none"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    memory_limit_mib: int = Field(default=2048, ge=1)
    checkpoint_seconds: float = Field(default=60.0, ge=0)

    @property
    def telling(self) -> dict[str, Any]:
        """The values that can change a number: not how often a fit is saved, nor where its images lie."""
        return self.model_dump(mode="json", exclude={"checkpoint_seconds", "memory_limit_mib"})


class ValidationSettings(Section):
    """`share` of every round's budget is drawn at random, labelled, and never trained on.

    What is alike in `group`, the folder ("folder") or a column of the table that lists the images, stays on one side,
    and so do images whose vectors have a cosine of `near` or more; 0 leaves that out.
    """

    share: float = Field(default=0.1, ge=0, le=0.5)
    group: str = ""
    near: float = Field(default=0, ge=0, le=1)


class StoreSettings(Section):
    """Where labels are kept; an empty `url` is a SQLite file in the campaign's directory."""

    url: str = ""


class LoopSettings(Section):
    """When `pickwell serve` fits and picks the next `budget` images by itself.

    `round`: when all of a round is answered. `every`: after every so many answers, what is left goes back to the pool.
    `hand`: when a person says so.
    """

    when: Literal["round", "every", "hand"] = "round"
    every: int = Field(default=50, ge=1)
    budget: int = Field(default=50, ge=1)


class ServeSettings(Section):
    """The labelling page. A picture is drawn at most `picture_size` pixels long; a lease ends after `lease_seconds`.

    `overlap` people answer each image, of rounds asked from then on; where they disagree somebody decides at `/decide`.
    `editors` may change the class list at the page, where people have links; without links everybody may.
    Masks are drawn by one person each, and pictures to draw on are as large as their images, up to 4096 pixels.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8760, ge=0, le=65535)
    lease_seconds: float = Field(default=120.0, ge=10)
    picture_size: int = Field(default=1280, ge=64, le=4096)
    overlap: int = Field(default=1, ge=1, le=20)
    editors: tuple[str, ...] = ()


class Settings(Document):
    """Everything that `campaign.toml` holds. `strategy` has a name and that strategy's own settings.

    `encoder` looks once at every image, and models and strategies then at its vectors; "none": they look at images,
    as they do where `training.finetune` trains the encoder itself. Format 1 had none.
    `allow_unmatched`: a file of vectors may lack some images, which are set aside, and have others.
    """

    format: int = Field(default=FORMAT, ge=1, strict=True)
    name: str = Field(min_length=1)
    seed: int = Field(default=0, ge=0, lt=2**63)
    task: TaskSettings
    encoder: str = NO_ENCODER
    allow_unmatched: bool = False
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    validation: ValidationSettings = ValidationSettings()
    strategy: dict[str, Any] = Field(default_factory=lambda: {"name": "vaal-diverse"})
    store: StoreSettings = StoreSettings()
    loop: LoopSettings = LoopSettings()
    serve: ServeSettings = ServeSettings()

    @property
    def on_vectors(self) -> bool:
        """Whether an encoder's vectors stand in place of the images."""
        return self.encoder != NO_ENCODER and not self.training.finetune

    @field_validator("strategy")
    @classmethod
    def _has_name(cls, strategy: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(strategy.get("name"), str):
            raise ValueError('it needs the strategy\'s name, e.g. name = "vaal-diverse"')
        return strategy


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The settings by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, Mapping) and value else {above + key: value}
    return found


def _sentence(model: type[BaseModel], error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    *tables, key = [str(part) for part in first["loc"]] or [""]
    full = ".".join([*tables, key])
    if first["type"] == "extra_forbidden":
        return unknown("setting", full, [".".join([*tables, name]) for name in _fields(model, tables)])
    if first["type"] == "missing":
        return f"setting '{full}' is missing; add it"
    reason = str(first.get("ctx", {}).get("error", first["msg"]))
    reason = reason[:1].lower() + reason[1:]
    if isinstance(first["input"], Mapping):  # a whole table, or file: too long to be said
        return f"setting '{full}': {reason}" if full else reason
    return f"setting '{full}' is {first['input']!r}: {reason}"


def _fields(model: type[BaseModel], tables: list[str]) -> list[str]:
    for name in tables:
        inner = model.model_fields[name].annotation if name in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
