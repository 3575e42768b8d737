"""A cell's code is named by what can change its numbers: tried on a copy of the package's own source."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pickwell
from pickwell.experiments import code_hash
from pickwell.experiments.experiment import DataSettings

PLUGIN = """
from dataclasses import dataclass
from .settings import STEPS
from pickwell.strategies.vaal import VAAL

@dataclass(kw_only=True)
class MyRule(VAAL):
    steps: int = STEPS
"""

Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """Replaces words in a module of the copy; a package `mine` with a strategy lies beside it."""
    assert pickwell.__file__ is not None
    shutil.copytree(Path(pickwell.__file__).parent, tmp_path / "pickwell", ignore=shutil.ignore_patterns("*.pyc"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/__init__.py").touch()
    (tmp_path / "mine/rule.py").write_text(PLUGIN)
    (tmp_path / "mine/settings.py").write_text("STEPS = 3\n")
    monkeypatch.setattr(code_hash, "_home", lambda top: tmp_path / top)

    def edit(module: str, old: str, new: str) -> None:
        path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{module} has changed: name another place to edit"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        code_hash.digest.cache_clear()

    code_hash.digest.cache_clear()
    yield edit
    code_hash.digest.cache_clear()


def digests() -> dict[str, str]:
    """All parts of cells' names."""
    plain, vectors = DataSettings(set="cifar10"), DataSettings(set="cifar10", features="vae")
    return {
        "run": code_hash.run_digest("classification", "resnet18"),
        "masks": code_hash.run_digest("segmentation", "drn_d_22"),
        "pools": code_hash.pools_digest(plain),
        "features": code_hash.pools_digest(vectors),
        **{name: code_hash.strategy_digest(name) for name in ("random", "margin", "vaal", "vaal-frozen")},
        "mine": code_hash.digest(("mine.rule",)),
    }


LEARNT = {"random", "margin", "vaal", "vaal-frozen", "mine"}
VAAL = {"vaal", "vaal-frozen", "mine"}
ALL = {"run", "masks", "pools", "features"} | LEARNT


@pytest.mark.parametrize(("module", "old", "new"), [
    # A docstring, a comment, what an error says, what is logged, an annotation and what it needs.
    ("pickwell.learner.training", '"""', '"""Otherwise said. '),
    ("pickwell.learner.training", "import torch\n", "import torch  # why\n\n\n"),
    ("pickwell.data.sources.folder", "is a single image; name", "is one image, so name"),
    ("pickwell.loop.campaign", "labels were told while picking", "somebody labelled meanwhile"),
    ("pickwell.loop.held_out", "budget: int", "budget: float"),
    ("pickwell.loop.held_out", "import Sequence", "import Collection, Sequence"),
    # What only keeps, shows or judges.
    ("pickwell.store.rounds", "def ", "def more() -> int:\n    return 1\n\n\ndef "),
    ("pickwell.report.figures", "def ", "def more() -> int:\n    return 1\n\n\ndef "),
    ("pickwell.cli.bench", "def ", "def more() -> int:\n    return 1\n\n\ndef "),
    ("pickwell.web.server", "def ", "def more() -> int:\n    return 1\n\n\ndef "),
])  # fmt: skip
def test_words_change_no_name(edit: Edit, module: str, old: str, new: str) -> None:
    before = digests()
    edit(module, old, new)
    assert digests() == before


@pytest.mark.parametrize(("module", "old", "new", "changed"), [
    ("pickwell.seeds", "def derive(", "SALT = 1\n\n\ndef derive(", ALL),
    ("pickwell.loop.held_out", "budget - 1", "budget - 2", {"run", "masks"}),
    ("pickwell.models.resnet", "NETWORKS", "RATE = 2\nNETWORKS", {"run"}),
    ("pickwell.models.vgg", "NETWORKS", "RATE = 2\nNETWORKS", set()),
    ("pickwell.tasks.segmentation.learning", "import torch\n", "import torch\n\nWEIGHT = 2\n", {"masks"}),
    ("pickwell.experiments.data.sets.cifar", "SETS =", "MORE = 1\nSETS =", {"pools", "features"}),
    ("pickwell.experiments.data.sets.caltech", "SETS", "MORE = 1\nSETS", set()),
    ("pickwell.experiments.data.feature_pools", "BATCH = 256", "BATCH = 255", {"features"}),
    ("pickwell.strategies.random", "descending=True", "descending=False", {"random"}),
    ("pickwell.strategies.vaal.vaal", "steps: int = 150", "steps: int = 151", VAAL),
    ("pickwell.strategies.vaal.losses", "import torch\n", "import torch\n\nWEIGHT = 2\n", {"features"} | VAAL),
    ("pickwell.strategies.vaal_frozen", "vae_steps = 1", "vae_steps = 2", {"vaal-frozen"}),
    ("mine.settings", "STEPS = 3", "STEPS = 4", {"mine"}),
])  # fmt: skip
def test_what_can_change_a_number_changes_the_name(
    edit: Edit, module: str, old: str, new: str, changed: set[str]
) -> None:
    before = digests()
    edit(module, old, new)
    after = digests()
    assert {name for name in before if before[name] != after[name]} == changed


def test_what_is_left_out_is_there() -> None:
    assert [name for name in (*code_hash.LEFT_OUT, code_hash.RUN, code_hash.POOLS) if not code_hash._file(name)] == []


@pytest.mark.parametrize(("one", "other"), [
    ('def f(x):\n    """Doc."""\n    return x + 1', "def f(x: int) -> int: return x+1  # why"),
    ("x: int = 3", "x: float = 3"),
    ('raise Wrong(f"{x} is bad") from None', 'raise Wrong(f"{x} is not good", why=2)'),
    ('def f(): return PoolError("a")', 'def f(): return PoolError("b", x)'),
    ('assert x > 1, "a"', "assert x > 1"),
    ('logger.info("a %s", x)', ""),
    ("if TYPE_CHECKING:\n    from a import b", "from typing import Any"),
])  # fmt: skip
def test_words_and_types_are_no_code(one: str, other: str) -> None:
    assert code_hash._read(one)[0] == code_hash._read(other)[0]


@pytest.mark.parametrize(("one", "other"), [
    ("def f(x): return x + 1", "def f(x): return x + 2"),
    ("x: int = 3", "x: int = 4"),
    ('raise Wrong("a")', 'raise Other("a")'),
    ("assert x > 1", "assert x > 2"),
    ("from a import b", "from a import c as b"),
    ('derive(seed, "fit")', 'derive(seed, "fits")'),
])  # fmt: skip
def test_numbers_calls_and_kinds_of_errors_are(one: str, other: str) -> None:
    assert code_hash._read(one)[0] != code_hash._read(other)[0]


def test_imports_lead_to_modules_of_ours_and_of_a_strategys_own_package(edit: Edit) -> None:
    def closure(*modules: str, packages: Any = ("pickwell", "mine")) -> set[str]:
        return {*code_hash._closure(modules, packages, code_hash.LEFT_OUT)}

    reached = {"mine.rule", "mine.settings", "pickwell.strategies.vaal", "pickwell.learner.generators"}
    assert reached <= closure("mine.rule")
    run = closure(code_hash.RUN)
    assert "pickwell.loop.campaign" in run
    shown = ("pickwell.cli", "pickwell.web", "pickwell.report", "pickwell.store")
    assert [module for module in run if module.startswith(shown)] == []
    assert closure(code_hash.RUN, packages=("mine",)) == set()
