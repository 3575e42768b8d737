"""Figures, the one-file HTML report and the live table; plain values in, no torch."""

from pickwell.report.figures import difference_plot, learning_curve, picks_by_class, save, share_by_round
from pickwell.report.html import render, write
from pickwell.report.live import LiveTable
from pickwell.report.runs import Gallery, Picked, Report, RoundRow, Run
from pickwell.report.statistics import wilson

__all__ = [
    "Gallery",
    "LiveTable",
    "Picked",
    "Report",
    "RoundRow",
    "Run",
    "difference_plot",
    "learning_curve",
    "picks_by_class",
    "render",
    "save",
    "share_by_round",
    "wilson",
    "write",
]
