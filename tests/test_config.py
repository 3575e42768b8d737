import re
from pathlib import Path
from typing import Any

import pytest

from pickwell import tasks
from pickwell.config import FORMAT, Settings
from pickwell.errors import SettingsError, VersionError

PLAIN: dict[str, Any] = {"name": "birds", "task": {"classes": ["heron", "gull"]}}


def test_toml_round_trip(tmp_path: Path) -> None:
    settings = Settings.parse(PLAIN).changed({"training.epochs": 7, "strategy.steps": 12})
    path = tmp_path / "campaign.toml"
    path.write_text(settings.toml(), encoding="utf-8")
    assert Settings.read(path) == settings
    assert settings.training.epochs == 7
    assert settings.strategy == {"name": "vaal-diverse", "steps": 12}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"training.epoch": 3}, "unknown setting 'training.epoch'; did you mean 'training.epochs'?"),
        ({"trainin.epochs": 3}, "unknown setting 'trainin'; did you mean 'training'?"),
        ({"training.epochs": 0}, "setting 'training.epochs' is 0: input should be greater than or equal to 1"),
        (
            {"training.precision": "fp8"},
            "setting 'training.precision' is 'fp8': input should be 'auto', 'fp32' or 'bf16'",
        ),
        ({"task.classes": ["gull"]}, "a class list needs at least 2 classes, got ['gull']"),
        ({"task.classes": ["gull", "gull", "tern"]}, "a class list names gull twice"),
        ({"seed": -1}, "setting 'seed' is -1"),
        ({"name.first": "x"}, "setting 'name.first': 'name' is a value, not a table"),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        Settings.parse(PLAIN).changed(changes)


def test_missing_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="setting 'task' is missing; add it"):
        Settings.parse({"name": "birds"})
    with pytest.raises(SettingsError, match=r"a class list needs at least 2 classes, got \[\]"):
        tasks.of(Settings.parse({"name": "birds", "task": {}}), Path())


def test_newer_directory_is_refused() -> None:
    with pytest.raises(VersionError, match=f"format {FORMAT + 1}, this pickwell reads up to {FORMAT}"):
        Settings.parse({**PLAIN, "format": FORMAT + 1, "something_new": True})


def test_broken_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text("name = birds", encoding="utf-8")
    with pytest.raises(SettingsError, match="is not valid TOML"):
        Settings.read(path)
