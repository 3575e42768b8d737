import io
import re
from collections.abc import Iterator

import pytest
from rich.console import Console

from pickwell.report.live import Key, LiveTable
from pickwell.report.text.phrases import duration
from pickwell.statistics.runs import RoundRow

RANDOM, VAAL = ("random", 0), ("vaal", 0)


def runs(rounds: int) -> dict[Key, int]:
    return {RANDOM: rounds, VAAL: rounds}


ROW = RoundRow(
    2, 80, 0.8714, shares={"absent": 0.85},
    monitors={"active_units": 14, "latent_units": 16, "discriminator_auc": 0.971, "warnings": ["D blind: AUC 0.51"]},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def console(terminal: bool, width: int = 120) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=width, height=40), out


def clock(*times: float) -> Iterator[float]:
    yield from times
    while True:
        yield times[-1]


def test_without_a_terminal_each_round_is_a_line() -> None:
    screen, out = console(terminal=False)
    ticks = clock(0, 0, 10)
    with LiveTable("Digits", runs(4), group="absent", console=screen, clock=lambda: next(ticks)) as table:
        table.working(VAAL, "training", 30, 60)
        table.update(VAAL, ROW)
    title, line = out.getvalue().splitlines()
    assert title == "Digits"
    assert line == (
        " 12% · vaal seed 0 · round 2 · 80 labels · accuracy 0.871 · absent in query 85 % · active units 14/16 · "
        "D AUC 0.971 · 1 min 10 s left · warning: D blind: AUC 0.51"
    )


def test_no_color_means_plain_lines_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen, out = console(terminal=True)
    with LiveTable("Digits", runs(4), console=screen) as table:
        table.update(VAAL, ROW)
    assert "vaal seed 0 · round 2" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_a_terminal_shows_a_row_a_run() -> None:
    screen, out = console(terminal=True)
    with LiveTable("Digits", runs(4), group="absent", console=screen) as table:
        table.update(VAAL, RoundRow(1, 60, 0.5))
        table.update(VAAL, ROW)
    last = out.getvalue().split("Digits")[-1]
    assert "0.871" in last
    assert "14/16" in last
    assert "85 %" in last
    assert "0.500" not in last
    assert "random" in last
    assert "! vaal: D blind: AUC 0.51" in last


def test_of_a_lone_run_each_round_is_a_row() -> None:
    screen, out = console(terminal=True)
    with LiveTable("One", {VAAL: 4}, console=screen) as table:
        table.update(VAAL, RoundRow(1, 60, 0.5))
        table.update(VAAL, ROW)
    last = out.getvalue().split("One")[-1]
    assert "0.500" in last
    assert "0.871" in last


def test_names_are_not_markup() -> None:
    screen, out = console(terminal=False)
    with LiveTable("[red]title", {("[bold]x", 0): 2}, console=screen) as table:
        table.update(("[bold]x", 0), RoundRow(0, 1, None))
    assert "[red]title" in out.getvalue()
    assert "[bold]x" in out.getvalue()


def test_time_left_follows_the_pace() -> None:
    ticks = clock(0, 30)
    table = LiveTable("Digits", runs(5), console=console(terminal=False)[0], clock=lambda: next(ticks))
    assert table.time_left() is None
    for _ in range(3):
        table.update(VAAL, ROW)
    table.working(RANDOM, "scoring", 2, 4)
    assert table.share == pytest.approx(0.35)
    assert table.time_left() == pytest.approx(30 * 0.65 / 0.35)


def test_what_was_found_done_is_no_part_of_the_pace() -> None:
    ticks = clock(0, 10, 30, 30)
    table = LiveTable("Digits", runs(5), console=console(terminal=False)[0], clock=lambda: next(ticks))
    table.found(RANDOM, [ROW] * 5)
    table.begin()
    assert (table.share, table.time_left()) == (0.5, None)
    table.update(VAAL, ROW)
    assert table.time_left() == pytest.approx((30 - 10) * 0.4 / 0.1)
    table.settle(VAAL, "failed", left=7)
    assert table.share == 1
    assert table.time_left() == 7


def test_of_more_runs_than_there_is_room_for_those_at_work_are_shown() -> None:
    screen, out = console(terminal=True)
    with LiveTable("Many", {("margin", seed): 1 for seed in range(80)}, console=screen) as table:
        for seed in range(70):
            table.update(("margin", seed), RoundRow(0, 40, 0.5))
            table.settle(("margin", seed), "finished")
        table.working(("margin", 77), "training", 1, 4)
    last = out.getvalue().split("Many")[-1].splitlines()
    assert len(last) < 40
    assert "and 47 more; 70 of 80 are done" in "".join(last)
    with LiveTable("Many", {("margin", seed): 1 for seed in range(80)}, console=screen) as table:
        table.working(("margin", 77), "training", 1, 4)
        text = Console(width=120, height=40)
        with text.capture() as capture:
            text.print(table._draw())
    assert re.search(r"margin +77 .*training 25%", capture.get())


def test_an_error_leaves_the_terminal_as_it_was() -> None:
    screen, out = console(terminal=True)
    with pytest.raises(ValueError, match="broken"), LiveTable("Digits", runs(4), console=screen):
        raise ValueError("broken")
    assert out.getvalue().rstrip().endswith("\x1b[?25h")


def test_durations_are_words() -> None:
    assert [duration(s) for s in (0.4, 59.6, 3600)] == ["0 s", "1 min 0 s", "1 h 0 min"]
