"""What the runs reached: the curves, the areas with their tests, and both as numbers."""

from collections.abc import Mapping
from functools import partial

from pickwell.report.chart_style import Ink
from pickwell.report.comparison_figures import Bar, intervals
from pickwell.report.figures import learning_curve, pixel_accuracy
from pickwell.report.line_charts import Figure
from pickwell.report.report import Report
from pickwell.report.sections import Cell, Section, Table
from pickwell.report.text.claims import mean_share, measure
from pickwell.report.text.entries import NONE, chance, level, plain, points, share, verdict, whole
from pickwell.report.text.phrases import capital, file_name, listing, where
from pickwell.statistics.estimates import UNKNOWN
from pickwell.statistics.estimates import points as means
from pickwell.statistics.judgement import Judgement, Key
from pickwell.statistics.runs import known, mean

Reports = Mapping[str, Report]
"""By variant."""
WIDE = 12
"""With more numbers of labels than this the table of all at a glance is folded."""


def learning(judged: Judgement, reports: Reports) -> Section:
    """The curves, the differences to the baseline, and both as tables."""

    def curve(variant: str, ink: Ink) -> Figure | None:
        full = judged.reference.get(variant)
        return learning_curve(reports[variant], variant, ("full data", full.mean) if full else None, ink)

    def differences(variant: str, ink: Ink) -> Figure | None:
        bars = [
            Bar(c.first, c.estimate.scaled(100), str(points(c.estimate)), bool(c.verdict))
            for c in judged.against if c.variant == variant and c.estimate.n
        ]  # fmt: skip
        title = where(variant, f"{measure(judged)}, difference to {judged.baseline} in points")
        few = " from 2 seeds on" if any(bar.estimate.low is None for bar in bars) else ""
        said = f"Paired by seed, with 95 % t intervals{few}. In colour: separable after correction for all comparisons."
        return intervals(bars, title, said, f"difference in points of {measure(judged)}", ink)

    # The variants' curves stand side by side, as the paper has them.
    kinds = {"curves": curve, "pixel-accuracy": lambda v, ink: pixel_accuracy(reports[v], ink),
             "differences": differences}  # fmt: skip
    return Section(
        "Does it save labels?" if len(judged.methods) > 1 else "What it has learned",
        figures=tuple((file_name(name, v), partial(draw, v)) for name, draw in kinds.items() for v in reports),
        tables=(_areas(judged, reports), _at_a_glance(judged, reports), _rounds(judged, reports)),
    )


def _areas(judged: Judgement, reports: Reports) -> Table:
    """The area of each method, its end, and its difference to the baseline with the test."""
    pixels = {
        key: mean(run.rounds[-1].pixel_accuracy for run in runs if run.rounds) for key, runs in judged.runs.items()
    }
    apart = len({point.labels for point in judged.ends.values()}) > 1
    rows: list[dict[str, Cell]] = []
    for key, seeds in judged.seeds.items():
        end = judged.ends.get(key)
        rows.append({
            **named(judged, key), "seeds": str(len(seeds)), measure(judged): level(judged.areas.get(key, UNKNOWN)),
            **({"labels": whole(end.labels) if end else NONE} if apart else {}),
            "at the end": level(end.estimate if end else UNKNOWN),
            **({"pixel accuracy": plain(pixels[key])} if mean(pixels.values()) is not None else {}),
            **_tested(judged, key),
        })  # fmt: skip
    told = f"{capital(metric_of(reports))}: means over seeds with 95 % t intervals, cut at 0 and 1."
    if judged.comparisons:
        told += (
            " Differences: of the AUBC, in points (hundredths), paired by seed, each with its own interval. p: paired "
            "t test; corrected: Holm, over all comparisons of this report. The verdict goes by the corrected p."
        )
    if any(c.partly for c in judged.comparisons) or len(judged.areas) < len(judged.ends):
        told += " Areas are over the numbers of labels that all runs share, differences over those that the two share."
    return Table.of("aubc", "Area under the budget curve", rows, told + committees(judged), cards=True)


def _tested(judged: Judgement, key: Key) -> dict[str, Cell]:
    """The difference to the baseline with its test; of the baseline itself there is none."""
    if not judged.comparisons:
        return {}
    c = next((c for c in judged.against if (c.variant, c.first) == key), None)
    return {
        f"difference to {judged.baseline}, points": points(c.estimate if c else UNKNOWN),
        **({"seeds of both": str(c.estimate.n) if c else NONE} if judged.uneven else {}),
        "p": chance(c.p if c else None), "corrected p": chance(c.corrected if c else None),
        "verdict": verdict(c.verdict) if c else NONE,
    }  # fmt: skip


def committees(judged: Judgement) -> str:
    """Whose figures are not those of one network, as a caption says it."""
    if not judged.committees:
        return ""
    names = listing(list(dict.fromkeys(method for _, method in judged.committees)))
    return f" Measured by the mean prediction of several networks, which alone makes a part of a difference: {names}."


def _at_a_glance(judged: Judgement, reports: Reports) -> Table:
    """One row a method: what it asked for, how it learnt, and the area."""
    labels = sorted({row.labels for runs in judged.runs.values() for run in runs for row in run.rounds})
    shares = {key: mean_share(reports[key[0]], key[1]) for key in judged.seeds}
    group = next(iter(reports.values())).group
    counted = any(value is not None for value in shares.values())
    rows: list[dict[str, Cell]] = []
    for key, seeds in judged.seeds.items():
        curves = [run.curve for run in judged.runs[key]]
        rows.append({
            **named(judged, key), **({"seeds": str(len(seeds))} if judged.uneven else {}),
            **({f"{group} in queries": share(shares[key])} if counted else {}),
            **{f"{n:,} labels": plain(mean(curve.get(n) for curve in curves)) for n in labels},
            measure(judged): plain(known(judged.areas.get(key, UNKNOWN).mean)),
        })  # fmt: skip
    asked_for = f"the mean share of images of the {group} classes in a query, and " if counted else ""
    caption = f"Means over seeds: {asked_for}the {metric_of(reports)} by number of labels."
    return Table.of("at-a-glance", "All at a glance", rows if len(rows) > 1 else (), caption, folded=len(labels) > WIDE)


def _rounds(judged: Judgement, reports: Reports) -> Table:
    """A row for each method and round: the mean over seeds."""
    rows = [
        {**named(judged, key), "round": str(p.round), "labels": f"{p.labels:.0f}", "seeds": str(p.estimate.n),
         metric_of(reports): level(p.estimate)}
        for key, runs in judged.runs.items() for p in means(runs)
    ]  # fmt: skip
    return Table.of("curves", "The curves as numbers", rows, "Means over seeds with 95 % t intervals.", folded=True)


def named(judged: Judgement, key: Key) -> dict[str, Cell]:
    """The first cells of a row: the method, and its variant where there are variants."""
    return {"method": key[1], **({"variant": key[0]} if judged.variants else {})}


def metric_of(reports: Reports) -> str:
    """What all the curves are of, in words."""
    return next(iter(reports.values())).metric
