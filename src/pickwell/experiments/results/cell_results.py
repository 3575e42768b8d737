"""The finished cells that may be compared, as they are on disk and as runs."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from pickwell.errors import StoreError, VersionError
from pickwell.experiments.cells import SHARED, Cell
from pickwell.experiments.experiment import FORMAT
from pickwell.experiments.results.results_tables import PICK, Result
from pickwell.statistics.runs import RoundRow, Run, known, measured_row

_kind, _cell = itemgetter("method", "variant"), itemgetter("method", "variant", "seed")


def results(root: Path, cells: Sequence[Cell], *, any_code: bool = False) -> tuple[list[dict[str, Any]], list[str]]:
    """The results of finished cells that may be compared, and sentences about what was left out.

    They are as `result.json` has them, but for each round's picks, which are a table.

    Where several versions of the code have finished cells, the one with most is taken (of equals the present one), or
    with `any_code` all; where it is not the present one, that is said. Cells of one variant that saw other images than
    most are left out in any case.
    """
    found = [result for cell in cells for result in _of(root, cell)]
    found, said = _of_one_code(found, {cell.folder.rpartition(".")[2] for cell in cells}, any_code)
    data = {v: _commonest(r["data"] for r in found if r["variant"] == v) for v in {r["variant"] for r in found}}
    same = [result for result in found if result["data"] == data[result["variant"]]]
    if len(same) < len(found):
        said.append(
            f"{len(found) - len(same)} of {len(found)} finished cells saw other images or labels and are left out; "
            "remove their folders, and run the experiment again."
        )
    return same, said


def _of_one_code(
    found: Sequence[dict[str, Any]], present: set[str], any_code: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    # Each variant has its own: variants may differ by their network, whose code is a part of what its cells share.
    shared = {code[:SHARED] for code in present}
    group = {v: _commonest((r["code"][:SHARED] for r in found if r["variant"] == v), shared)
             for v in {result["variant"] for result in found}}  # fmt: skip
    alike = [result for result in found if result["code"][:SHARED] == group[result["variant"]]]
    # Within it each method's own code may have versions too, which do not concern the other methods.
    own = {kind: _commonest((r["code"] for r in alike if _kind(r) == kind), present) for kind in set(map(_kind, alike))}
    kept = [result for result in alike if result["code"] == own[_kind(result)]]
    first: dict[tuple[str, str, int], dict[str, Any]] = {}  # one result of each cell, whatever code made it
    for result in (*kept, *found):
        first.setdefault(_cell(result), result)
    left = len(first) - len(kept)
    if any_code:
        several = "The cells were made by several versions of the code and are read together, as was asked for."
        return ([*first.values()], [several]) if left else (kept, [])
    said = _of_older_code(kept, found, present)
    if left:
        said.append(
            f"{left} of {len(first)} finished cells were made by another version of the code and are left out; "
            "--any-code reads them too."
        )
    return kept, said


def _of_older_code(kept: Sequence[Result], found: Sequence[Result], present: set[str]) -> list[str]:
    """Says so where cells are shown that the code at hand did not make, or would make anew."""
    older = {_cell(result) for result in kept if result["code"] not in present}
    if not older:
        return []
    anew = sum(result["code"] in present and _cell(result) in older for result in found)
    made = f", which has made {anew} of them anew; those are shown once it has made as many" if anew else ""
    return [
        f"{len(older)} of the {len(kept)} cells shown are of another version of the code than the one at hand{made}."
    ]


def _commonest(values: Iterable[str], first: Collection[str] = ()) -> str | None:
    """The value that occurs most often; of those that are equally many, one of `first`."""
    counts = Counter(values)
    return max(counts, key=lambda value: (counts[value], value in first), default=None)


def _of(root: Path, cell: Cell) -> Iterator[dict[str, Any]]:
    """The cell's results by each version of the code that made one."""
    for path in sorted((root / "cells").glob(f"{cell.stem}.*/result.json")):
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{path} cannot be read: {error}; remove its folder, and run the experiment again"
            ) from None
        if result["format"] > FORMAT:
            raise VersionError(
                f"{path} has format {result['format']}, this pickwell reads up to {FORMAT}; a newer version made it: "
                "upgrade with pip install -U pickwell"
            )
        for row in result["rounds"]:
            # A column each, in a tenth of the memory: a pool may hold a million images.
            row["picks"] = pa.Table.from_pylist(row["picks"], schema=pa.schema(PICK))
        if "sittings" in result:  # what earlier code counted: the first start too
            result["resumes"] = result.pop("sittings") - 1
        yield result | {"method": cell.method, "variant": cell.variant}


def is_measured(result: Result, metric: str) -> bool:
    """Whether every round has a value of the metric; scenes have none where no pixel of the test set counts."""
    return all(known(row["metrics"].get(metric)) is not None for row in result["rounds"])


def runs(found: Sequence[Result], metric: str) -> list[Run]:
    """The results as figures, tables and tests take them; `metric` is what their curves are of."""
    return [
        Run(r["method"], r["seed"], tuple(rows(r["rounds"], metric)), r["variant"],
            r["facts"]["strategy"].get("members") or 0)
        for r in found
    ]  # fmt: skip


def rows(rounds: Sequence[Mapping[str, Any]], metric: str) -> Iterator[RoundRow]:
    """The rounds of a cell. No query follows the last fit, so that a strategy's networks are not in its seconds."""
    for before, row in zip([None, *rounds], rounds, strict=False):
        fitted = before or (row if len(rounds) == 1 else {})
        times = {"fit": fitted.get("fit_seconds"), "query": row["query_seconds"]}
        yield measured_row(
            row["round"], row["labels"], row["metrics"], metric, shares=row["shares"], monitors=row["monitors"],
            class_counts=row["class_counts"] if row["round"] else {},
            timings={name: seconds for name, seconds in times.items() if seconds is not None},
        )  # fmt: skip
