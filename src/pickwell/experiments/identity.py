"""The version of the code, told from the code itself: comments, docstrings and layout change no number."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pickwell

ROOMS = ("acquisition", "campaign", "data", "learner", "models", "tasks")
"""Rooms whose code every number passes through. Left out is what only keeps, shows or judges numbers, and `strategies`:
a change in one of these makes its own cells anew, not all.
"""
FILES = ("oracle.py", "labels.py", "masks.py", "benchmark/prepare.py", "benchmark/features.py", "benchmark/running.py")
POOLS = ("data", "benchmark/sets")
"""Rooms that say which images a pool holds; VAAL's networks and losses make the features in place of images."""
POOL_FILES = ("benchmark/prepare.py", "benchmark/features.py", "formats/camvid.py", "formats/cityscapes.py")
FEATURE_FILES = ("losses.py", "networks.py", "convolutions.py")
HOME = Path(pickwell.__file__).parent


@cache
def shared_digest() -> str:
    """A hash of the source that all strategies' numbers come from."""
    rooms = [path for room in ROOMS for path in (HOME / room).rglob("*.py")]
    return _digest([*rooms, *(HOME / name for name in FILES)])


@cache
def pools_digest() -> str:
    """A hash of the source that pools, and the features of their images, come from."""
    rooms = [path for room in POOLS for path in (HOME / room).rglob("*.py")]
    vaal = HOME / "strategies" / "vaal"
    return _digest([*rooms, *(HOME / name for name in POOL_FILES), *(vaal / name for name in FEATURE_FILES)])


@cache
def strategy_digest(strategy: str) -> str:
    """A hash of the source that is a strategy's own; those of the VAAL family share their room."""
    module, room = strategy.replace("-", "_"), HOME / "strategies"
    own = [room / f"{module}.py", *(room / module).rglob("*.py")]
    family = (room / "vaal").rglob("*.py") if module.startswith("vaal") else ()
    return _digest({*own, *family} | {path for path in room.glob("*.py") if path.stem == "strategy"})


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    # Sorted: the order in which a file system lists files would change the hash.
    for path in sorted({path for path in paths if path.exists()}):
        digest.update(path.relative_to(HOME).as_posix().encode())
        digest.update(_meaning(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def _meaning(source: str) -> str:
    """The program without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _is_text(line)] or [ast.Pass()]
    return ast.dump(tree)


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
