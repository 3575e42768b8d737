"""The first picks of every round as small pictures, so that one sees what a number means."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow.compute as pc

from pickwell.data.pool import Pool
from pickwell.experiments.data.prepare import prepared
from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.report.galleries import Gallery, Picked, thumbnail
from pickwell.report.sections import Album, Section
from pickwell.report.text.phrases import where

ROW = 8
"""Pictures of one round at most."""
OPEN = 2
"""So many methods are all unfolded; of more the first is."""
MOST = 1_200
"""Pictures of a page at most: about 3 MB."""


def pictures(experiment: Experiment, found: Sequence[dict[str, Any]], results: ResultsFolder) -> Section:
    """The first picks of each round under the first seed; nothing where the images are there no more, or are vectors.

    Results can be passed on without their pools, and photographs may not always be: `--no-pictures` leaves them out.
    """
    first = min(result["seed"] for result in found)
    shown = [r for r in found if r["seed"] == first and r["method"] != FULL]
    asked = sum(len(result["rounds"]) - 1 for result in shown)
    row = min(ROW, MOST // max(1, asked))
    if not row:
        return Section("")
    albums = tuple(_albums(experiment, shown, results, row))
    note = (
        f"Seed {first}: the first {row} of every round, the first asked for on the left; below each its label, where "
        f"it has one.{' Outlined: the absent classes.' if any(r['absent'] for r in shown) else ''}"
    )
    return Section("What do the picks look like?", notes=(note,) if albums else (), albums=albums)


def _albums(
    experiment: Experiment, shown: Sequence[dict[str, Any]], results: ResultsFolder, row: int
) -> Iterator[Album]:
    """An album a method and variant, of the rounds that have a picture to show; each picture is read once."""
    kept: dict[int, bytes] = {}
    pools: dict[str, Pool | None] = {}
    for result in shown:
        name = result["variant"]
        if name not in pools:
            # Ids count anew in the pool of each variant: pictures of another pool would be of other images.
            pools[name], kept = _pool(experiment.variant(name), results, result["data"]), {}
        pool = pools[name]
        if pool is not None:
            rounds = (_round(result, asked, pool, row, kept) for asked in result["rounds"] if asked["round"])
            galleries = tuple(gallery for gallery in rounds if any(pick.png for pick in gallery.picks))
            if galleries:
                yield Album(where(name, result["method"]), galleries, open=len(shown) <= OPEN or result is shown[0])


def _pool(experiment: Experiment, results: ResultsFolder, fingerprint: str) -> Pool | None:
    """The pool that the picks are of; None where it is gone. Rows of a feature file have no pictures."""
    known = prepared(experiment, results.root, fingerprint)
    return Pool.open(known.pool) if known else None


def _round(result: dict[str, Any], asked: dict[str, Any], pool: Pool, row: int, kept: dict[int, bytes]) -> Gallery:
    masks, picks = result["facts"].get("task") == "segmentation", []
    # Those drawn at random to measure on say nothing of the method.
    for pick in asked["picks"].filter(pc.invert(asked["picks"]["held_out"])).slice(0, row).to_pylist():
        item = pick["item"]
        if item not in kept:
            kept[item] = thumbnail(pool, item)
        label = None if masks else pool.item(item).known
        marked = label in result["absent"]
        picks.append(Picked(item, pick["name"], pick["rank"], pick["score"], label, kept[item], marked))
    return Gallery(f"Round {asked['round']}", tuple(picks))
