"""What the methods save, who beats whom, and what they cost."""

from collections.abc import Sequence
from functools import partial

from pickwell.report import comparison_figures
from pickwell.report.chart_style import Ink
from pickwell.report.comparison_figures import Bar
from pickwell.report.learning_section import committees, named
from pickwell.report.line_charts import Figure
from pickwell.report.sections import Cell, Section, Table
from pickwell.report.text.claims import measure
from pickwell.report.text.entries import chance, plain, points, ratio, seconds, spread, verdict, whole
from pickwell.report.text.phrases import DASH, file_name, listing, signed, where
from pickwell.statistics.estimates import UNKNOWN, Estimate
from pickwell.statistics.judgement import Judgement
from pickwell.statistics.label_savings import Saved

QUERY = (
    "Median over rounds and seeds{}. What a method trains in its query counts; what it trains beside the task model "
    "belongs to the fit."
)


def savings(judged: Judgement, metric: str) -> Section:
    """Labels saved at equal accuracy, or mean IoU."""

    def drawn(variant: str, ink: Ink) -> Figure | None:
        own = [s for s in judged.saved if s.variant == variant]
        bars = [
            Bar(s.method, s.images, f"{s.images.mean:+z.0f} labels ({s.share.mean:+z.0%})") for s in own if not s.idle
        ]
        idle = [s.method for s in own if s.idle]
        left_out = f" Without {listing(idle)}: see the table." if idle else ""
        said = f"At equal {metric}.{_bootstrapped(own)}{left_out}"
        return comparison_figures.intervals(bars, where(variant, "Labels saved"), said, "labels saved", ink)

    rows: list[dict[str, Cell]] = [
        {**named(judged, (s.variant, s.method)), **({"seeds of both": str(s.images.n)} if judged.uneven else {}),
         metric: plain(s.target), "labels needed": whole(s.needed),
         f"{judged.baseline} needs": whole(s.needed + s.images.mean),
         "labels saved": spread(UNKNOWN if s.idle else s.images, "{:+z.0f}"),
         "share saved": spread(UNKNOWN if s.idle else s.share, "{:+z.1%}")}
        for s in judged.saved
    ]  # fmt: skip
    caption = f"Negative: more labels than {judged.baseline}. Over few seeds the bootstrap's intervals are too narrow."
    caption += committees(judged)
    if any(s.idle for s in judged.saved):
        caption += (
            f" A dash: the method and {judged.baseline} are both there with their first labels, as a mean curve falls "
            "from there on; then nothing can be said of labels saved."
        )
    note = (
        f"Labels saved are read off at the highest {metric} that the mean curves of both, made to rise, keep to the "
        "end. They are estimates: an interval free of 0 is no finding by itself, the corrected test of the "
        f"{measure(judged)} decides."
    )
    names = dict.fromkeys(s.variant for s in judged.saved)
    return Section(
        "How many labels does it save?",
        notes=(note,) if rows else (),
        figures=tuple((file_name("labels-saved", v), partial(drawn, v)) for v in names),
        tables=(Table.of("labels-saved", f"Labels saved at equal {metric}", rows, caption),),
    )


def _bootstrapped(saved: Sequence[Saved]) -> str:
    """What the lines of a figure of these are."""
    with_interval = [s for s in saved if s.images.low is not None]
    if not with_interval:
        return " Fewer than 3 seeds: no intervals."
    few = "" if len(with_interval) == len(saved) else ", from 3 seeds on"
    return f" Lines: 95 % bootstrap intervals over seeds{few}; no finding by themselves."


def matches(judged: Judgement) -> Section:
    """Every method against every other; of two methods the difference to the baseline says it all."""
    if len(judged.methods) < 3:
        return Section("")
    rows: list[dict[str, Cell]] = [
        {"pair": f"{c.first} against {c.second}", **({"variant": c.variant} if judged.variants else {}),
         "seeds": str(c.estimate.n), "difference, points": points(c.estimate), "p": chance(c.p),
         "corrected p": chance(c.corrected), "verdict": verdict(c.verdict)}
        for c in judged.comparisons
    ]  # fmt: skip
    caption = f"Differences of the {measure(judged)} with 95 % t intervals; paired t tests, corrected by Holm."
    table = Table.of("pairs", "All pairs", rows, caption, folded=True)
    return Section("Who beats whom?", figures=(("wins", partial(_wins, judged)),), tables=(table,))


def _wins(judged: Judgement, ink: Ink) -> Figure | None:
    """The row against the column: points of difference, or in how many variants it is above."""
    if judged.variants:
        cells = {pair: (f"{won} of {tested}" if won else "" if tested else DASH, 1 if won else 0)
                 for pair, (won, tested) in judged.wins.items()}  # fmt: skip
        untested = " A dash: not tested in any." if any(not tested for _, tested in judged.wins.values()) else ""
        said = f"In how many variants the row is above the column after correction.{untested}"
    else:
        both = [side for c in judged.comparisons for side in (c, c.flipped())]
        cells = {(c.first, c.second): (signed(c.estimate.mean), c.verdict or 0) for c in both if c.estimate.n}
        said = f"Row minus column, points of {measure(judged)}. In colour: separable after correction."
    return comparison_figures.matrix(cells, judged.methods, "Every method against every other", said, ink)


def times(judged: Judgement) -> Section:
    """Seconds and labels."""

    def drawn(variant: str, ink: Ink) -> Figure | None:
        bars = []
        for key, of_it in judged.times.items():
            if key[0] == variant and (query := of_it.get("query")) is not None:
                against = f" ({ratio(judged.ratio(key))})" if judged.ratio(key) else ""
                bars.append(Bar(key[1], Estimate(query, None, None, 0), f"{seconds(query)} s{against}"))
        if len(bars) < 2:
            return None
        said = QUERY.format("; in brackets, times vaal's" if compared else "")
        return comparison_figures.seconds(bars, where(variant, "The time of one query"), said, ink)

    compared = any(map(judged.ratio, judged.times))
    others = dict.fromkeys(task for of_it in judged.times.values() for task in of_it if task not in ("query", "fit"))
    rows: list[dict[str, Cell]] = [
        {**named(judged, key), "query, s": seconds(of_it.get("query")),
         **({"ratio to vaal": ratio(judged.ratio(key))} if compared else {}),
         "fit, s": seconds(of_it.get("fit")), **{f"{task}, s": seconds(of_it.get(task)) for task in others},
         "labels paid for": f"{judged.costs[key]}"}
        for key, of_it in judged.times.items()
    ]  # fmt: skip
    caption = "Medians over rounds and seeds; a fit is the training before a query, alone."
    table = Table.of("times", "Seconds and labels", rows, caption)
    names = dict.fromkeys(variant for (variant, _), of_it in judged.times.items() if "query" in of_it)
    figures = tuple((file_name("query-time", variant), partial(drawn, variant)) for variant in names)
    return Section("What does it cost?", figures=figures, tables=(table,))
