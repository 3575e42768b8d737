"""What a report is about: runs, what is known of their classes, and pictures of what they picked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pickwell.report.galleries import Gallery
from pickwell.statistics.runs import Run


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows of the runs of one variant.

    `marked` are the classes of interest (absent at first, or rare) and `group` the key of `RoundRow.shares` that
    counts them; `pool_shares` says what share of the pool each group is. `subtitle` and `notes` are plain sentences.
    `share`: whether the metric lies in [0, 1] and more is better. `galleries` begin with the newest; `legend` has the
    colours of the classes in scenes.
    """

    title: str
    subtitle: str
    runs: tuple[Run, ...]
    galleries: tuple[Gallery, ...] = ()
    notes: tuple[str, ...] = ()
    baseline: str = "random"
    metric: str = "accuracy"
    share: bool = True
    classes: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    group: str = "absent"
    pool_shares: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    legend: Mapping[str, str] = field(default_factory=dict)
