"""The sections of a campaign's page, or of several campaigns together."""

from collections.abc import Iterator
from dataclasses import replace

from pickwell.report import comparison_sections
from pickwell.report.learning_section import learning
from pickwell.report.picked_sections import by_class, picked
from pickwell.report.report import Report
from pickwell.report.sections import Album, Section, Table
from pickwell.report.text.methods import statistics
from pickwell.statistics.judgement import Judgement

OPEN = 3
"""So many galleries are unfolded when the page opens; of scenes, which are large, one."""
SCENES = (
    "In the order of the query. Predicted: what the model that picked the scene made of it, over the photograph in "
    "grey. Uncertainty: the entropy of that prediction, pixel by pixel. Labelled: the mask that was told; dark where "
    "it says nothing. Before anything was learnt there is nothing predicted."
)


def sections(judged: Judgement, report: Report) -> Iterator[Section]:
    """What was learnt, then what was picked, then how."""
    reports = {"": report}
    yield learning(judged, reports)
    yield by_class(judged, reports)
    if any(c.verdict is not None for c in judged.comparisons):
        yield comparison_sections.savings(judged, report.metric)
        yield comparison_sections.matches(judged)
    yield from picked(reports)
    yield _pictures(report)
    yield comparison_sections.times(judged)
    yield _methods(judged, report)


def _pictures(report: Report) -> Section:
    if not report.galleries:
        return Section("")
    scenes = any(gallery.scenes for gallery in report.galleries)
    unfolded = 1 if scenes else OPEN
    albums = tuple(
        Album(gallery.title, (replace(gallery, title=""),), gallery.caption, open=place < unfolded, scored=True)
        for place, gallery in enumerate(report.galleries)
    )
    if scenes:
        return Section("The picked scenes", (SCENES,), albums=albums, legend=report.legend)
    outlined = f" Outlined: the {report.group} classes." if report.marked else ""
    told = f"In the order of the query: rank, label where it is known, and score (high = asked first).{outlined}"
    return Section("The picked images", (told,), albums=albums)


def _methods(judged: Judgement, report: Report) -> Section:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    notes = (
        *report.notes, "Labels count everything that was paid for, validation included.",
        statistics(judged, report.metric), *([f"{versions}."] if versions else []),
    )  # fmt: skip
    settings = tuple((name, str(value)) for name, value in report.settings.items())
    told = "As the campaign was made; where several differ, each."
    table = Table("settings", "Settings", ("setting", "value"), settings, told, folded=True, prose=True)
    return Section("How it was measured", notes, tables=(table,))
