import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from pickwell.report.live import LiveTable, duration
from pickwell.statistics.runs import RoundRow

KEYS = [("random", 0), ("vaal", 0)]
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
    with LiveTable("Digits", KEYS, 4, group="absent", console=screen, clock=lambda: next(ticks)) as table:
        table.working("vaal", 0, "fitting", 0.5)
        table.update("vaal", 0, ROW)
    title, line = out.getvalue().splitlines()
    assert title == "Digits"
    assert line == (
        " 12% · vaal seed 0 · round 2 · 80 labels · accuracy 0.871 · absent in query 85 % · active units 14/16 · "
        "D AUC 0.971 · 1 min 10 s left · warning: D blind: AUC 0.51"
    )


def test_no_color_means_plain_lines_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen, out = console(terminal=True)
    with LiveTable("Digits", KEYS, 4, console=screen) as table:
        table.update("vaal", 0, ROW)
    assert "vaal seed 0 · round 2" in out.getvalue()
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_silence_is_complete(terminal: bool) -> None:
    screen, out = console(terminal)
    with LiveTable("Digits", KEYS, 4, silent=True, console=screen) as table:
        table.working("vaal", 0, "fitting")
        table.update("vaal", 0, ROW)
        table.log("a sentence")
    assert out.getvalue() == ""


def test_a_terminal_shows_a_row_a_run() -> None:
    screen, out = console(terminal=True)
    with LiveTable("Digits", KEYS, 4, group="absent", console=screen) as table:
        table.update("vaal", 0, RoundRow(1, 60, 0.5))
        table.update("vaal", 0, ROW)
    last = out.getvalue().split("Digits")[-1]
    assert "0.871" in last
    assert "14/16" in last
    assert "85 %" in last
    assert "0.500" not in last
    assert "random" in last
    assert "! vaal: D blind: AUC 0.51" in last


def test_of_a_lone_run_each_round_is_a_row() -> None:
    screen, out = console(terminal=True)
    with LiveTable("One", [("vaal", 0)], 4, console=screen) as table:
        table.update("vaal", 0, RoundRow(1, 60, 0.5))
        table.update("vaal", 0, ROW)
    last = out.getvalue().split("One")[-1]
    assert "0.500" in last
    assert "0.871" in last


def test_names_are_not_markup() -> None:
    screen, out = console(terminal=False)
    with LiveTable("[red]title", [("[bold]x", 0)], 2, console=screen) as table:
        table.update("[bold]x", 0, RoundRow(0, 1, None))
    assert "[red]title" in out.getvalue()
    assert "[bold]x" in out.getvalue()


def test_time_left_follows_the_pace() -> None:
    ticks = clock(0, 30)
    table = LiveTable("Digits", KEYS, 5, silent=True, clock=lambda: next(ticks))
    assert table.time_left() is None
    for _ in range(3):
        table.update("vaal", 0, ROW)
    table.working("random", 0, "asking", 0.5)
    assert table.share == pytest.approx(0.35)
    assert table.time_left() == pytest.approx(30 * 0.65 / 0.35)


def test_an_error_leaves_the_terminal_as_it_was() -> None:
    screen, out = console(terminal=True)
    with pytest.raises(ValueError, match="broken"), LiveTable("Digits", KEYS, 4, console=screen):
        raise ValueError("broken")
    assert out.getvalue().rstrip().endswith("\x1b[?25h")


def test_durations_are_words() -> None:
    assert [duration(s) for s in (0.4, 59.6, 3600)] == ["0 s", "1 min 0 s", "1 h 0 min"]
