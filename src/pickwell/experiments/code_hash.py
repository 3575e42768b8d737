"""The version of the code that can change a cell's numbers: of all that it imports, without words and layout."""

import ast
import hashlib
from collections.abc import Collection, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pickwell import encoders, models, strategies, tasks
from pickwell.experiments.data import feature_pools, sets
from pickwell.experiments.experiment import DataSettings

RUN, POOLS = "pickwell.experiments.run.cell_run", "pickwell.experiments.data.prepare"
"""Where a cell, and the pools that it picks from, are made."""
FEATURES = feature_pools.__name__
"""Counts where images are features."""
LEFT_OUT = {
    "pickwell.campaign.progress_file": "tells how far work is",
    "pickwell.campaign.status": "says where a campaign stands",
    "pickwell.config": "its values are in a cell's facts",
    "pickwell.errors": "sentences",
    "pickwell.experiments.cells": "names cells",
    "pickwell.experiments.experiment": "its values are in a cell's facts",
    "pickwell.experiments.code_hash": "names cells",
    "pickwell.experiments.run.cell_progress": "tells how far work is",
    "pickwell.progress": "tells how far work is",
    "pickwell.registry": "what it finds is named beside it",
    "pickwell.store": "keeps what it is given",
}
"""Modules, and rooms, that can change no number, and why."""
LOGGERS = {"logger", "logging", "warnings"}
TYPING = {"__future__", "collections.abc", "typing"}
"""Modules whose names say what a type is."""


def run_digest(task: str, model: str) -> str:
    """A hash of the source that all strategies' numbers come from, for a kind of task and a network by their names."""
    return digest((RUN, *_of_task(task), models.module(model)), (FEATURES,))


def pools_digest(data: DataSettings) -> str:
    """A hash of the source that pools, and the features of their images if they are to have some, come from."""
    known = [module] if (module := sets.module(data.set)) else []
    network = [models.module(data.network)] if data.features == "network" else []
    network += [encoders.module(data.encoder)] if data.features == "encoder" else []
    vectors = data.features or feature_pools.is_file(Path(data.set))
    return digest((POOLS, *known, *network), () if vectors else (FEATURES,))


def strategy_digest(strategy: str) -> str:
    """A hash of the source that a strategy's picks come from."""
    return digest((strategies.ROOM.module(strategy),))


def _of_task(kind: str) -> list[str]:
    """The modules of a kind of task that its name alone leads to."""
    bears = tasks.ROOM.module(kind)  # a folder, or the module of another package's task: what it learns by is beside it
    beside = bears.rpartition(".")[0]
    candidates = (bears, f"{bears}.{kind}", f"{bears}.learning", f"{beside}.learning")
    return [module for module in candidates if _file(module)]


@cache
def digest(modules: tuple[str, ...], without: tuple[str, ...] = ()) -> str:
    """A hash of these modules and of all that they import of our package and of their own."""
    packages = {"pickwell", *(module.partition(".")[0] for module in modules)}
    found = hashlib.sha256()
    # Sorted: the order of imports would change the hash.
    for module, path in sorted(_closure(modules, packages, {*LEFT_OUT, *without}).items()):
        found.update(f"{module}\n{_read(path.read_text(encoding='utf-8'))[0]}\n".encode())
    return found.hexdigest()


def _closure(modules: Iterable[str], packages: Collection[str], without: Collection[str]) -> dict[str, Path]:
    """The modules that these import, themselves among them, and their files.

    A package's `__init__` counts where names are taken from it, not where a module below it is.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        path = _file(module)
        if path is None or module in found or module.partition(".")[0] not in packages:
            continue
        if any(f"{module}.".startswith(f"{room}.") for room in without):
            continue
        found[module] = path
        above = module if path.stem == "__init__" else module.rpartition(".")[0]
        for level, base, names in _read(path.read_text(encoding="utf-8"))[1]:
            parents = above.split(".")[: 1 - level or None] if level else []
            whole = ".".join([*parents, *([base] if base else [])])
            modules_below = [below for name in names if _file(below := f"{whole}.{name}")]
            waiting += modules_below if len(modules_below) == len(names) and names else [*modules_below, whole]
    return found


def _file(module: str) -> Path | None:
    """Where a module is, without importing it or what is above it."""
    top, *inner = module.split(".")
    place = _home(top)
    if place is None or place.suffix == ".py":
        return None if inner else place
    place = place.joinpath(*inner)
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((path for path in candidates if path.is_file()), None)


@cache
def _home(package: str) -> Path | None:
    """A package's folder, or the file of a module that stands alone."""
    spec = find_spec(package)
    if spec is None or not spec.has_location:
        return None
    origin = Path(str(spec.origin))
    return origin.parent if origin.stem == "__init__" else origin


Import = tuple[int, str, tuple[str, ...]]
"""How many levels up, from where, and which names; none of a plain import."""


@cache
def _read(source: str) -> tuple[str, list[Import]]:
    """The program as far as it can change a number, and what it imports."""
    tree = _Bare().visit(ast.parse(source))
    imports: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
    return ast.dump(tree), imports


class _Bare(ast.NodeTransformer):
    """Takes out docstrings, annotations, log calls, what errors say, and what is there for type checkers alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        called = node.value.func if isinstance(node.value, ast.Call) else None
        of = called.value if isinstance(called, ast.Attribute) else None
        if isinstance(called, ast.Attribute) and isinstance(of, ast.Name) and of.id in LOGGERS:
            return None
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func).endswith("Error"):
            return node.func
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self.generic_visit(ast.Assert(node.test))

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test).endswith("TYPE_CHECKING") else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module in TYPING else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)
