"""What other packages offer is found by entry points: listed without being imported, named, and left out if broken."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from pickwell import executors, formats, models, registry, strategies
from pickwell.data import sources
from pickwell.errors import SettingsError
from pickwell.experiments import code_hash
from pickwell.experiments.data import sets

RULE = '''
"""A package of somebody else's."""
from dataclasses import dataclass
from pickwell.strategies import Strategy

@dataclass(kw_only=True)
class LowestFirst(Strategy):
    """Picks the lowest ids.

    Use when: it is to be tried
      whether lines are joined.
    Source: nobody.
    """
    share: float = 1.0

    def select(self, view, budget):
        return []

class Other:
    pass
'''

Install = Callable[..., None]
CACHES: list[Any] = [registry._offered, models._table, sets._table, code_hash.digest, code_hash._home]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a module where Python finds it, with entry points by their groups."""
    there = {*sys.modules}
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, source: str, **points: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)
        told = tmp_path / f"{name}-1.0.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: its-{name}\nVersion: 1.0\n")
        groups = [f"[pickwell.{group}]\n{lines}\n" for group, lines in points.items()]
        (told / "entry_points.txt").write_text("\n".join(groups))
        for cache in CACHES:
            cache.cache_clear()

    yield install
    for name in {*sys.modules} - there:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    for cache in CACHES:
        cache.cache_clear()


def test_a_strategy_is_listed_unseen_and_chosen_by_its_name(install: Install) -> None:
    install("mine", RULE, strategies="lowest = mine:LowestFirst")
    assert "lowest" in strategies.available()
    assert "mine" not in sys.modules
    made = strategies.create("lowest", {"share": 0.5})
    assert (type(made).__name__, strategies.settings_of(made)) == ("LowestFirst", {"share": 0.5})
    assert strategies.name_of(made) == "lowest"
    (said,) = (facts for facts in strategies.ROOM.listed() if facts["name"] == "lowest")
    assert said == {
        "name": "lowest", "package": "its-mine", "what": "Picks the lowest ids.",
        "use_when": "it is to be tried whether lines are joined.", "source": "nobody.",
    }  # fmt: skip
    with pytest.raises(SettingsError, match="unknown setting of strategy lowest 'shaer'; did you mean 'share'"):
        strategies.create("lowest", {"shaer": 1})
    with pytest.raises(SettingsError, match="unknown strategy 'lowset'; did you mean 'lowest'"):
        strategies.named("lowset")


def test_ours_wins_over_another_of_its_name(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("mine", RULE, strategies="random = mine:LowestFirst\nlow = mine:LowestFirst")
    install("yours", RULE, strategies="low = yours:LowestFirst")
    assert strategies.named("random").__module__ == "pickwell.strategies.random"
    assert strategies.named("low").__module__ == "mine"
    assert caplog.messages == [
        "strategy 'low' of the package its-yours is left out, for its-mine has one of that name; uninstall one, or ask "
        "its author for another name",
        "strategy 'random' of the package its-mine is left out, for pickwell has one of that name; uninstall one, or "
        "ask its author for another name",
    ]


@pytest.mark.parametrize(("source", "value", "why"), [
    ("import no_such_thing", "mine:Rule", "ModuleNotFoundError: No module named 'no_such_thing'"),
    ("", "mine:Rule", "AttributeError: module 'mine' has no attribute 'Rule'"),
    ("raise SystemExit(3)", "mine:Rule", "SystemExit: 3"),
    ("raise SystemError('out of order')", "mine:Rule", "SystemError: out of order"),
    (RULE, "mine:Other", "TypeError: <class 'mine.Other'> is no Strategy, nor a module with one"),
])  # fmt: skip
def test_a_broken_package_is_named_and_breaks_no_other(
    install: Install, caplog: pytest.LogCaptureFixture, source: str, value: str, why: str
) -> None:
    install("mine", source, strategies=f"broken = {value}")
    said = f"strategy 'broken' of the package its-mine cannot be loaded ({why}); update that package, or uninstall it"
    with pytest.raises(SettingsError) as caught:
        strategies.create("broken")
    assert str(caught.value) == said
    listed = [facts["name"] for facts in strategies.ROOM.listed()]
    assert caplog.messages == [said]
    assert listed == [name for name in strategies.available() if name != "broken"]


def test_names_are_told_without_torch() -> None:
    script = (
        "import sys\nfrom pickwell import executors, formats, strategies, tasks\nfrom pickwell.cli import commands\n"
        "names = [*strategies.available(), *formats.available(), *executors.available(), *tasks.available()]\n"
        "assert {'vaal', 'coco', 'processes', 'segmentation'} <= {*names}\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_network(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    source = (
        '"""Networks of theirs."""\nfrom pickwell.models.small import SmallCNN\n'
        "class Tiny(SmallCNN):\n    pass\nNETWORKS = {'tiny': Tiny, 'resnet18': Tiny}"
    )
    install("theirs", source, models="theirs = theirs")
    assert "tiny" in models.available()
    assert models.load("tiny", 3, image_size=16)(torch.zeros(2, 3, 16, 16)).shape == (2, 3)
    assert type(models.load("resnet18", 3)).__module__ == "pickwell.models.resnet"
    assert caplog.messages == [
        "network 'resnet18' of the package its-theirs is left out, for pickwell has one of that name"
    ]
    assert models.module("tiny") == "theirs"
    (facts,) = (one for one in models.listed() if one["name"] == "tiny")
    assert (facts["package"], facts["what"], facts["tasks"]) == (
        "its-theirs",
        "Networks of theirs.",
        ["classification"],
    )
    install("wrong", "import no_such_thing", models="wrong = wrong")
    assert "tiny" in models.available()
    assert "network family 'wrong' of the package its-wrong cannot be loaded" in caplog.messages[-2]


def test_a_format(install: Install) -> None:
    install("upper", "TASKS = ('classification',)\ndef read(where, context):\n    return []", formats="upper = upper")
    found: ModuleType = formats.named("upper", "read", "classification")
    assert found.read(None, None) == []
    with pytest.raises(SettingsError, match="of segmentation cannot be imported as upper; available: bdd100k"):
        formats.named("upper", "read", "segmentation")


def test_a_module_that_is_no_format_is_named_and_left_out(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("wrong", "", formats="wrong = wrong")
    assert "wrong" not in [facts["name"] for facts in formats.listed()]
    assert "format 'wrong' of the package its-wrong cannot be loaded (TypeError: <module 'wrong'" in caplog.messages[0]


def test_a_source_is_tried_after_ours(install: Install, tmp_path: Path) -> None:
    source = (
        "class Cloud:\n    kind = 'cloud'\n    place = 'cloud:'\n    @classmethod\n"
        "    def find(cls, where, labels_from_folders):\n        return cls()\n"
        "    @classmethod\n    def restore(cls, record):\n        return cls()"
    )
    install("cloud", source, sources="cloud = cloud:Cloud")
    assert sources.find("cloud://bucket").kind == "cloud"
    assert sources.find("digits").kind == "digits"
    assert sources.find(tmp_path).kind == "folder"
    assert sources.restore({"kind": "cloud"}).kind == "cloud"


def test_an_executor_and_a_data_set(install: Install, tmp_path: Path) -> None:
    source = (
        "class Elsewhere:\n    def __init__(self, jobs):\n        self.jobs = jobs\n"
        "    def map(self, work, tasks):\n        yield from map(work, tasks)\n"
        "def find(name, data, into):\n    return (name, data)\nSETS = {'theirs': find}"
    )
    install("away", source, executors="elsewhere = away:Elsewhere", sets="away = away")
    assert executors.available() == ["elsewhere", "processes", "ray", "serial"]
    assert list(executors.create("elsewhere", 2).map(abs, [-1])) == [1]
    # Ray is an extra.
    assert [executors.create(name, 3).jobs for name in ("elsewhere", "processes", "serial")] == [3, 3, 1]
    with pytest.raises(SettingsError, match="unknown executor 'procesess'; did you mean 'processes'"):
        executors.create("procesess", 1)
    found: Any = sets.find("theirs", tmp_path, tmp_path)
    assert found == ("theirs", tmp_path)
    assert (sets.module("theirs"), sets.module(str(tmp_path))) == ("away", None)


def test_a_class_that_nobody_offers_has_its_own_name() -> None:
    for name, known in (("MyRule", "my-rule"), ("TopBALD", "top-bald"), ("BALDTop", "bald-top"), ("V2_x", "v2-x")):
        kind = type(name, (strategies.named("random"),), {"__module__": "notebook"})
        assert strategies.name_of(kind()) == known
    with pytest.raises(SettingsError, match="the class CoreSet would be called 'core-set', as another strategy is"):
        strategies.name_of(type("CoreSet", (strategies.named("random"),), {"__module__": "notebook"})())


@pytest.mark.parametrize("room", [strategies.ROOM, models.ROOM, formats.ROOM], ids=lambda room: room.subject)
def test_each_of_ours_says_what_it_does_when_to_use_it_and_where_it_comes_from(room: registry.Registry[Any]) -> None:
    for facts in room.listed():
        assert all(facts[key] for key in ("what", "use_when", "source")), facts["name"]
        assert facts["package"] == "pickwell"
