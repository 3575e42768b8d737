"""The sections of an experiment's page, one question each."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.judge.judgement import Judgement
from pickwell.experiments.published import TABLES, Published
from pickwell.report import comparison_figures, monitor_figures
from pickwell.report.comparison_figures import Bar
from pickwell.report.figures import picks_by_class, share_by_round
from pickwell.report.ink import Ink
from pickwell.report.lines import Figure
from pickwell.report.page import Draw, Entry, Row, Section, Table
from pickwell.report.runs import Report, strategies
from pickwell.report.text.entries import (
    NONE,
    UNKNOWN,
    chance,
    in_points,
    level,
    plain,
    points,
    ratio,
    seconds,
    share,
    spread,
    verdict,
    whole,
)
from pickwell.report.text.methods import methods_paragraph
from pickwell.report.text.phrases import DASH, listing, signed
from pickwell.statistics.comparisons import Comparison, Saved
from pickwell.statistics.estimates import Estimate, mean_interval

QUERY = (
    "Median over rounds and seeds; in brackets, times vaal's. What a method trains in its query counts; what it trains "
    "beside the task model belongs to the fit."
)


def _where(variant: str, text: str) -> str:
    return f"{text} ({variant})" if variant else text


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _plain(*words: str) -> str:
    joined = "-".join(word for word in words if word)
    return "".join(letter if letter.isalnum() else "-" for letter in joined).strip("-").lower()


def learning(experiment: Experiment, judged: Judgement, reports: dict[str, Report]) -> Section:
    """The curves, the differences to the baseline, and both as tables."""

    def curve(variant: str, ink: Ink) -> Figure | None:
        full = judged.reference.get(variant)
        rule = (FULL, full.mean) if full else None
        return comparison_figures.curves(
            reports[variant], _where(variant, f"{_capital(experiment.measure)} by number of labels"), rule, ink
        )

    def differences(variant: str, ink: Ink) -> Figure | None:
        bars = [
            Bar(c.first, in_points(c.estimate), str(points(c.estimate)), bool(c.verdict))
            for c in judged.comparisons if c.variant == variant and c.second == experiment.baseline and c.estimate.n
        ]  # fmt: skip
        title = _where(variant, f"{judged.measure}, difference to {experiment.baseline} in points")
        few = " from 2 seeds on" if any(bar.estimate.low is None for bar in bars) else ""
        said = f"Paired by seed, with 95 % t intervals{few}. In colour: separable after correction for all comparisons."
        return comparison_figures.intervals(bars, title, said, f"difference in points of {judged.measure}", ink)

    # The variants' curves stand side by side, as the paper has them.
    figures = tuple((_plain("curves", variant), partial(curve, variant)) for variant in reports)
    figures += tuple((_plain("differences", variant), partial(differences, variant)) for variant in reports)
    return Section(
        "Does it save labels?",
        figures=figures,
        tables=(
            _areas(experiment, judged),
            _at_a_glance(experiment, judged, reports),
            _rounds(experiment, judged, reports),
        ),
    )


def _areas(experiment: Experiment, judged: Judgement) -> Table:
    """The area of each method, its end, and its difference to the baseline with the test."""
    against = {(c.variant, c.first): c for c in judged.comparisons if c.second == experiment.baseline}
    rows: list[Row] = []
    for (variant, method), area in judged.areas.items():
        c = against.get((variant, method))
        end = level(judged.finals[variant, method])
        rows.append((method, *_if(judged, variant), str(area.n), level(area), end, *_tested(judged, c)))
    columns = ("method", *_if(judged, "variant"), "seeds", judged.measure, "at the end",
               f"difference to {experiment.baseline}, points", *_uneven(judged, "seeds of both"), "p", "corrected p",
               "verdict")  # fmt: skip
    return Table(
        "aubc", "Area under the budget curve", columns, tuple(rows),
        f"{_capital(experiment.measure)}: means over seeds with 95 % t intervals, cut at 0 and 1. Differences: of the "
        "AUBC, in points (hundredths), paired by seed, each with its own interval. p: paired t test; corrected: Holm, "
        f"over all comparisons of this report. The verdict goes by the corrected p.{_committees(judged)}",
    )  # fmt: skip


def _committees(judged: Judgement) -> str:
    """Whose figures are not those of one network, as a caption says it."""
    if not judged.committees:
        return ""
    names = listing(list(dict.fromkeys(method for _, method in judged.committees)))
    return f" Measured by the mean prediction of several networks, which alone makes a part of a difference: {names}."


def _tested(judged: Judgement, c: Comparison | None) -> list[str | Entry]:
    """The difference with its test; of the baseline itself there is none."""
    if c is None:
        return [points(UNKNOWN), *[NONE] * judged.uneven, chance(None), chance(None), NONE]
    both = _uneven(judged, str(c.estimate.n))
    return [points(c.estimate), *both, chance(c.p), chance(c.corrected), verdict(c.verdict)]


def _at_a_glance(experiment: Experiment, judged: Judgement, reports: dict[str, Report]) -> Table:
    """One row a method: what it asked for, how it learnt, and the area."""
    labels = sorted({row.labels for each in reports.values() for run in each.runs for row in run.rounds})
    counted = any(row.shares for each in reports.values() for run in each.runs for row in run.rounds)
    rows: list[Row] = []
    for variant, each in reports.items():
        for name in strategies(each.runs):
            seen = [row for run in each.runs if run.strategy == name for row in run.rounds]
            shares = [row.shares["absent"] for row in seen if row.shares]
            asked = [share(_mean(shares))] if counted else []
            levels = [[row.accuracy for row in seen if row.labels == n and row.accuracy is not None] for n in labels]
            means = [plain(_mean(values)) for values in levels]
            area = judged.areas[variant, name]
            rows.append((name, *_if(judged, variant), *_uneven(judged, str(area.n)), *asked, *means, plain(area.mean)))
    columns = ("method", *_if(judged, "variant"), *_uneven(judged, "seeds"),
               *(["absent in queries"] if counted else []), *(f"{n:,} labels" for n in labels),
               judged.measure)  # fmt: skip
    asked_for = "the mean share of images of the absent classes in a query, and " if counted else ""
    caption = f"Means over seeds: {asked_for}the {experiment.measure} by number of labels."
    return Table("at-a-glance", "All at a glance", columns, tuple(rows), caption)


def _rounds(experiment: Experiment, judged: Judgement, reports: dict[str, Report]) -> Table:
    """A row for each method and round: the mean over seeds."""
    rows: list[Row] = []
    for variant, each in reports.items():
        for name in strategies(each.runs):
            own = [run for run in each.runs if run.strategy == name]
            for at, row in enumerate(own[0].rounds):
                values = [v for run in own if at < len(run.rounds) and (v := run.rounds[at].accuracy) is not None]
                if values:
                    estimate = mean_interval(values)
                    rows.append(
                        (name, *_if(judged, variant), str(row.round), f"{row.labels}", str(estimate.n), level(estimate))
                    )
    columns = ("method", *_if(judged, "variant"), "round", "labels", "seeds", experiment.measure)
    return Table("curves", "The curves as numbers", columns, tuple(rows), folded=True)


def _if(judged: Judgement, cell: str) -> list[str]:
    """The cell of the variants' column, where there are variants."""
    return [cell] if judged.variants else []


def _uneven(judged: Judgement, cell: str) -> list[str]:
    """The cell of a column that is shown where methods have not the same seeds."""
    return [cell] if judged.uneven else []


def savings(experiment: Experiment, judged: Judgement) -> Section:
    """Labels saved at equal accuracy, or mean IoU."""
    measure, baseline = experiment.measure, experiment.baseline

    def drawn(variant: str, ink: Ink) -> Figure | None:
        own = [s for s in judged.saved if s.variant == variant]
        bars = [
            Bar(s.method, s.images, f"{s.images.mean:+z.0f} labels ({s.share.mean:+z.0%})") for s in own if not s.idle
        ]
        idle = [s.method for s in own if s.idle]
        left_out = f" Without {listing(idle)}: see the table." if idle else ""
        said = f"At equal {measure}.{_bootstrapped(own)}{left_out}"
        return comparison_figures.intervals(bars, _where(variant, "Labels saved"), said, "labels saved", ink)

    rows: tuple[Row, ...] = tuple(
        (s.method, *_if(judged, s.variant), *_uneven(judged, str(s.images.n)), plain(s.target), whole(s.needed),
         whole(s.needed + s.images.mean), spread(UNKNOWN if s.idle else s.images, "{:+z.0f}"),
         spread(UNKNOWN if s.idle else s.share, "{:+z.1%}"))
        for s in judged.saved
    )  # fmt: skip
    columns = ("method", *_if(judged, "variant"), *_uneven(judged, "seeds of both"), measure, "labels needed",
               f"{baseline} needs", "labels saved", "share saved")  # fmt: skip
    caption = f"Negative: more labels than {baseline}. Over few seeds the bootstrap's intervals are too narrow."
    caption += _committees(judged)
    if any(s.idle for s in judged.saved):
        caption += (
            f" A dash: the method and {baseline} are both there with their first labels, as a mean curve falls from "
            "there on; then nothing can be said of labels saved."
        )
    note = (
        f"Labels saved are read off at the highest {measure} that the mean curves of both, made to rise, keep to the "
        "end. They are estimates: an interval free of 0 is no finding by itself, the corrected test of the "
        f"{judged.measure} decides."
    )
    names = dict.fromkeys(s.variant for s in judged.saved)
    return Section(
        "How many labels does it save?",
        notes=(note,) if rows else (),
        figures=tuple((_plain("labels-saved", v), partial(drawn, v)) for v in names),
        tables=(Table("labels-saved", f"Labels saved at equal {measure}", columns, rows, caption),),
    )


def _bootstrapped(saved: Sequence[Saved]) -> str:
    """What the lines of a figure of these are."""
    with_interval = [s for s in saved if s.images.low is not None]
    if not with_interval:
        return " Fewer than 3 seeds: no intervals."
    few = "" if len(with_interval) == len(saved) else ", from 3 seeds on"
    return f" Lines: 95 % bootstrap intervals over seeds{few}; no finding by themselves."


def matches(judged: Judgement) -> Section:
    """Every method against every other."""
    names = judged.methods
    # Of two methods the difference to the baseline says it all.
    if len(names) < 3:
        return Section("")

    def drawn(ink: Ink) -> Figure | None:
        title = "Every method against every other"
        if judged.variants:
            cells = {pair: (f"{won} of {tested}" if won else "" if tested else DASH, 1 if won else 0)
                     for pair, (won, tested) in judged.wins.items()}  # fmt: skip
            untested = " A dash: not tested in any." if any(not tested for _, tested in judged.wins.values()) else ""
            said = f"In how many variants the row is above the column after correction.{untested}"
            return comparison_figures.matrix(cells, names, title, said, ink)
        cells = {}
        for c in judged.comparisons:
            for each in (c, c.flipped()):
                if each.estimate.n:
                    cells[each.first, each.second] = signed(each.estimate.mean), each.verdict or 0
        said = f"Row minus column, points of {judged.measure}. In colour: separable after correction."
        return comparison_figures.matrix(cells, names, title, said, ink)

    rows: tuple[Row, ...] = tuple(
        (f"{c.first} against {c.second}", *_if(judged, c.variant), str(c.estimate.n), points(c.estimate),
         chance(c.p), chance(c.corrected), verdict(c.verdict))
        for c in judged.comparisons
    )  # fmt: skip
    columns = ("pair", *_if(judged, "variant"), "seeds", "difference, points", "p", "corrected p", "verdict")
    caption = f"Differences of the {judged.measure} with 95 % t intervals; paired t tests, corrected by Holm."
    table = Table("pairs", "All pairs", columns, rows, caption, folded=True)
    return Section("Who beats whom?", figures=(("wins", drawn),), tables=(table,))


def times(judged: Judgement) -> Section:
    """Seconds and labels."""

    def drawn(variant: str, ink: Ink) -> Figure | None:
        bars = [
            Bar(name, Estimate(value, None, None, 0), f"{seconds(value)} s" + (f" ({ratio(times)})" if times else ""))
            for (of, name), (value, times) in judged.queries.items() if of == variant
        ]  # fmt: skip
        return comparison_figures.seconds(bars, _where(variant, "The time of one query"), QUERY, ink)

    rows: tuple[Row, ...] = tuple(
        (name, *_if(judged, variant), *_query(judged, variant, name), seconds(fit), f"{judged.costs[variant, name]}")
        for (variant, name), fit in judged.fits.items()
    )
    columns = ("method", *_if(judged, "variant"), "query, s", "ratio to vaal", "fit, s", "labels paid for")
    caption = "Medians over rounds and seeds; a fit is the training before a query, alone."
    table = Table("times", "Seconds and labels", columns, rows, caption)
    names = dict.fromkeys(variant for variant, _ in judged.queries)
    figures = tuple((_plain("query-time", variant), partial(drawn, variant)) for variant in names)
    return Section("What does it cost?", figures=figures, tables=(table,))


def _query(judged: Judgement, variant: str, method: str) -> tuple[Entry, Entry]:
    """The median seconds of a query and their ratio to vaal's, a dash for what there is not."""
    median, times = judged.queries.get((variant, method), (None, None))
    return seconds(median), ratio(times)


def picked(reports: dict[str, Report]) -> list[Section]:
    """Class balance and monitors of each variant."""
    sections = []
    for variant, each in reports.items():
        names, heading = strategies(each.runs), _where(variant, "What was picked?")
        if any(row.shares for run in each.runs for row in run.rounds):
            sections.append(Section(heading, figures=((_plain("absent", variant), partial(share_by_round, each)),)))
            heading = ""
        balance = tuple((_plain("picks", name, variant), partial(picks_by_class, each, name)) for name in names)
        sections.append(Section(heading, figures=balance, size="small"))
        sections.append(Section(_where(variant, "Can VAAL's picks be trusted?"), figures=tuple(_trust(variant, each))))
    return sections


def _trust(variant: str, report: Report) -> Iterator[tuple[str, Draw]]:
    yield _plain("active-units", variant), partial(monitor_figures.active_units, report)
    yield _plain("auc", variant), partial(monitor_figures.discriminator_auc, report)
    for name in strategies(report.runs):
        yield _plain("scores", name, variant), partial(monitor_figures.score_histogram, report, name)
        yield _plain("latent", name, variant), partial(monitor_figures.latent_use, report, name)


def by_class(experiment: Experiment, judged: Judgement, found: Sequence[dict[str, Any]]) -> Section:
    """The IoU of each class after the last round: what a mean over classes hides."""
    names = [name for name in found[0]["classes"] if any(_iou(name) in r["rounds"][-1]["metrics"] for r in found)]
    rows: list[Row] = []
    for variant, method in dict.fromkeys((r["variant"], r["method"]) for r in found):
        last = [r["rounds"][-1]["metrics"] for r in found if (r["variant"], r["method"]) == (variant, method)]
        means = [plain(_mean([m[_iou(n)] for m in last if _iou(n) in m])) for n in names]
        mean = plain(_mean([m[experiment.metric] for m in last]))
        rows.append((method, *_if(judged, variant), str(len(last)), mean, *means))
    columns = ("method", *_if(judged, "variant"), "seeds", experiment.measure, *names)
    caption = "Means over seeds. A dash: no pixel of the test set has the class, nor is said to have it."
    table = Table(
        "iou-by-class", "IoU of each class after the last round", columns, tuple(rows) if names else (), caption
    )
    return Section("Which classes does it learn?", tables=(table,))


def _iou(name: str) -> str:
    return f"iou/{name}"


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def published(experiment: Experiment, judged: Judgement, found: Sequence[dict[str, Any]]) -> Section:
    """Others' numbers beside ours."""
    made = []
    for name in experiment.published:
        theirs = TABLES[name]
        rows: list[Row] = []
        for method, values in theirs.rows.items():
            rows.append((f"{method}, theirs", *(Entry(f"{value:g}", value) for value in values)))
            for variant in [of for of, name in judged.areas if name == method]:
                own = [r for r in found if (r["variant"], r["method"]) == (variant, method)]
                measured = _query(judged, variant, method) if not theirs.labels else _ours(theirs, own, experiment)
                rows.append((_where(variant, f"{method}, ours"), *measured))
        caption = f"Theirs: {theirs.source}; {theirs.unit}. Other code, other settings: the levels do not compare."
        made.append(Table(f"published-{name}", theirs.title, ("method", *theirs.columns), tuple(rows), caption))
    return Section("Published numbers beside ours", tables=tuple(made))


def _ours(theirs: Published, own: Sequence[dict[str, Any]], experiment: Experiment) -> Iterator[Entry]:
    """One method's means in per cent at the table's numbers of labels; a dash where it has none."""
    rows = [row for result in own for row in result["rounds"]]
    for labels in theirs.labels:
        mean = _mean([100 * row["metrics"][experiment.metric] for row in rows if row["labels"] == labels])
        yield Entry(DASH if mean is None else f"{mean:.2f}", mean)


def failures(failed: Sequence[Any]) -> Section:
    """The cells that failed, and why."""
    rows = tuple((str(o.cell), str(o.state), o.sentence) for o in failed)
    return Section(
        "Cells that failed", tables=(Table("failures", "Failures", ("cell", "state", "why"), rows, prose=True),)
    )


def methods(experiment: Experiment, found: Sequence[dict[str, Any]]) -> Section:
    """The methods paragraph and all settings."""
    settings = [(result["method"], result["facts"]["strategy"]) for result in found]
    # Each once: a variant may change them.
    rows = tuple(dict.fromkeys((method, ", ".join(f"{k} {v}" for k, v in own.items())) for method, own in settings))
    table = Table("settings", "Settings of the methods", ("method", "settings"), rows, folded=True, prose=True)
    spent = float(np.sum([row["fit_seconds"] + (row["query_seconds"] or 0) for r in found for row in r["rounds"]]))
    return Section("How it was measured", notes=tuple(methods_paragraph(experiment, found, spent)), tables=(table,))
