"""Several campaigns in one report: a line for each strategy, over the campaigns that had it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pickwell.errors import SettingsError
from pickwell.report.report import Report
from pickwell.report.text.phrases import listing
from pickwell.statistics.runs import Run, known, of, strategies

BASELINE = "random"


def together(reports: Mapping[Path, Report]) -> Report:
    """One report of campaigns on the same classes, compared with the random one, or the first if none is.

    Campaigns of one strategy that differ in their seed are its runs; those of the same seed, or whose rounds had other
    numbers of labels, are told apart by name. Of each campaign the newest pictures are shown.
    """
    _check(reports)
    found = [_of_one_name(report, list(reports.values())) for report in reports.values()]
    if len(found) == 1:
        return found[0]
    runs = tuple(run for report in found for run in report.runs)
    names = strategies(runs)
    return replace(
        found[0],
        title=f"{listing(names)} compared" if len(names) <= 3 else f"{len(names)} strategies compared",
        subtitle=f"{len(found)} campaigns: {listing([report.title for report in found])}.",
        runs=runs,
        baseline=BASELINE if BASELINE in names else names[0],
        galleries=tuple(
            replace(newest, title=_titled(report, newest.title)) for report in found for newest in report.galleries[:1]
        ),
        notes=tuple(dict.fromkeys(note for report in found for note in report.notes)),
        warnings=tuple(f"{report.title}: {text}" for report in found for text in report.warnings),
        settings=_merged(report.settings for report in found),
        versions={name: str(value) for name, value in _merged(report.versions for report in found).items()},
    )


def _titled(report: Report, title: str) -> str:
    """A gallery's title, and the campaign's name where that says more than its strategy."""
    return title if title.endswith(f": {report.title}") else f"{report.title}, {title[:1].lower()}{title[1:]}"


def _of_one_name(report: Report, all_of_them: Sequence[Report]) -> Report:
    """The report, its run named after the campaign too where another of the strategy is no other seed of the same."""
    (run,) = report.runs
    own = [other for each in all_of_them for other in of(each.runs, run.strategy)]
    # Those in step with most keep the strategy's name; a few that skipped an image do not take it from them.
    usual = max(([other for other in own if _in_step(one, other)] for one in own), key=len)
    alone = len(usual) == 1 < len(own)
    if run in usual and not alone and sum(other.seed == run.seed for other in usual) == 1:
        return report
    return replace(report, runs=(replace(run, strategy=f"{run.strategy} ({report.title})"),))


def _in_step(first: Run, second: Run) -> bool:
    """Whether the two had as many labels in each round that both measured."""
    ours, theirs = (
        {row.round: row.labels for row in run.rounds if known(row.accuracy) is not None} for run in (first, second)
    )
    return all(ours[number] == theirs[number] for number in ours.keys() & theirs.keys())


def _merged(given: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Each entry once where all agree; else all that it is, in order."""
    values: dict[str, dict[str, None]] = {}
    for each in given:
        for name, value in each.items():
            values.setdefault(name, {})[str(value)] = None
    return {name: "; ".join(found) for name, found in values.items()}


def _check(reports: Mapping[Path, Report]) -> None:
    (first, like), *others = reports.items()
    if others and not like.share:
        raise SettingsError(
            f"campaigns that measure {like.metric} are not compared: it is no share of which more is better; write a "
            "report of each"
        )
    for path, report in others:
        if report.metric != like.metric or report.classes != like.classes:
            raise SettingsError(
                f"{path} cannot be compared with {first}: it measures {report.metric} of {len(report.classes)} classes "
                f"({listing(report.classes[:3])}, ...), the other {like.metric} of {len(like.classes)} "
                f"({listing(like.classes[:3])}, ...); write a report of each"
            )
