"""VAAL's monitors drawn: whether its latent space carries anything, and whether D knows anything."""

import math
from typing import Any

import altair as alt

from pickwell.report.chart_style import LIGHT, Ink
from pickwell.report.line_charts import Figure, Lines, charted, dress, lines, scale
from pickwell.report.report import Report
from pickwell.report.text.phrases import MINUS
from pickwell.statistics.estimates import points
from pickwell.statistics.runs import RoundRow, Run, known, last_monitored, numbers, of

KINDS = {
    "score_histogram": "unlabelled",
    "score_histogram_labelled": "labelled",
    "score_histogram_held_out": "held out",
}

AUC = (
    "AUC: at 0.5 D is blind, at 1 it knows every labelled image from every other. Near 1 is no merit by itself: it may "
    "have memorised the labelled images instead of learning what is new."
)
HELD_OUT = " Dashed: labelled images held out at random: near 0.5 is right, as they are a fair sample of the pool."


def active_units(report: Report, ink: Ink = LIGHT) -> Figure | None:
    """Latent dimensions whose mean varies over the pool, by round."""
    sizes = [known(row.monitors.get("latent_units")) or 0.0 for run in report.runs for row in run.rounds]
    plot = Lines(
        title="Latent dimensions that carry information", value=lambda row: row.monitors.get("active_units"),
        subtitle="Active units: their means vary over the pool. With none the VAE has collapsed.",
        floor=0.0, ceiling=max(sizes, default=0.0) or None, limits=(0.0, math.inf),
    )  # fmt: skip
    return lines(report, plot, ink)


def discriminator_auc(report: Report, ink: Ink = LIGHT) -> Figure | None:
    """How well D tells labelled from unlabelled images, on those it trained on and on those held out."""
    held_out = bool(points(report.runs, lambda row: row.monitors.get("discriminator_auc_held_out")))
    plot = Lines(
        title="How well D tells labelled from unlabelled images", subtitle=AUC + HELD_OUT * held_out,
        value=lambda row: row.monitors.get("discriminator_auc"),
        dashed=lambda row: row.monitors.get("discriminator_auc_held_out"), rule=("blind", 0.5), ceiling=1.0,
    )  # fmt: skip
    return lines(report, plot, ink)


def latent_use(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """KL of each latent dimension in the strategy's last monitored round, the largest first."""
    found = last_monitored(of(report.runs, strategy), "kl_per_unit")
    if found is None:
        return None
    values = sorted(numbers(found[1].monitors["kl_per_unit"]), reverse=True)
    rows = [{"place": i + 1, "kl": value} for i, value in enumerate(values)]
    chart = charted(rows).mark_bar(color=ink.lines[0]).encode(
        x=alt.X("place:O", title="latent dimension, largest first",
                axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=5)),
        y=alt.Y("kl:Q", title=None, axis=alt.Axis(tickCount=4), scale=alt.Scale(domainMin=0)),
        tooltip=[alt.Tooltip("place:O"), alt.Tooltip("kl:Q", title="nats", format=".3f")],
    )  # fmt: skip
    return dress(
        chart, ink, height=180, title=f"What each latent dimension of {strategy} carries",
        subtitle=f"KL divergence from the prior in nats, mean over images; {_where(*found)}",
    )  # fmt: skip


def score_histogram(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """1 - D in the strategy's last monitored round, of unlabelled images and of labelled ones if known."""
    found = last_monitored(of(report.runs, strategy), "score_histogram")
    if found is None or not sum(numbers(found[1].monitors["score_histogram"])):
        return None
    bars = [bar for key, kind in KINDS.items() for bar in _bars(found[1], key, kind)]
    kinds = [kind for kind in KINDS.values() if any(bar["kind"] == kind for bar in bars)]
    colours = scale(kinds, ink.lines[: len(kinds)])
    chart = charted(bars).mark_bar(opacity=0.6, binSpacing=1).encode(
        x=alt.X("low:Q", bin="binned", title=f"1 {MINUS} D: high looks new",
                scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(grid=False, values=[0, 0.2, 0.4, 0.6, 0.8, 1])),
        x2="high:Q",
        y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(format="%", tickCount=4)),
        color=alt.Color("kind:N", scale=colours, legend=alt.Legend() if len(kinds) > 1 else None),
        tooltip=[alt.Tooltip("kind:N"), alt.Tooltip("low:Q", format=".2f"), alt.Tooltip("share:Q", format=".1%")],
    )  # fmt: skip
    return dress(
        chart, ink, height=180, title=f"What D says under {strategy}",
        subtitle=f"Share of the {' and '.join(kinds)} images by 1 {MINUS} D; {_where(*found)}",
    )  # fmt: skip


def _bars(row: RoundRow, key: str, kind: str) -> list[dict[str, Any]]:
    counts = numbers(row.monitors.get(key))
    total, bins = sum(counts), len(counts)
    return [
        {"kind": kind, "low": i / bins, "high": (i + 1) / bins, "share": count / total}
        for i, count in enumerate(counts)
        if count
    ]


def _where(run: Run, row: RoundRow) -> str:
    return f"seed {run.seed}, round {row.round}."
