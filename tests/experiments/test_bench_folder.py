import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pickwell.cli.bars import Bars
from pickwell.cli.commands import app
from pickwell.errors import SettingsError
from pickwell.experiments.cells import grid
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run.results_folder import ResultsFolder, check_same
from pickwell.experiments.run.runner import Clock, Outcome, State, run


def held(experiment: Experiment, root: Path) -> None:
    """A folder as a run of the experiment leaves it, with one finished cell."""
    result = root / "cells" / grid(experiment)[0].folder / "result.json"
    result.parent.mkdir(parents=True)
    result.touch()
    (root / "experiment.toml").write_text(experiment.toml(), encoding="utf-8")


def files(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_a_folder_of_other_settings_is_refused_before_anything_is_written(tmp_path: Path, tiny: Experiment) -> None:
    root = tmp_path / "out"
    held(tiny, root)
    before = files(root)
    shorter = tiny.changed({"training.epochs": 5, "seeds": 9, "methods.vaal": {}})
    with pytest.raises(SettingsError) as refused:
        run(shorter, grid(shorter), ResultsFolder(root, tmp_path))
    said = "'Tiny' with other settings (training.epochs: 1 there, 5 now; methods.vaal: none there, {} now)"
    assert said in str(refused.value)
    assert f"choose another folder, as --out {root}-epochs-5, or name what is there: {root}/exp" in str(refused.value)
    assert files(root) == before
    other = tiny.changed({"data.set": "x/y.csv", "data.test": 9, "start.labels": 5, "rounds.count": 1, "seeds": 4})
    with pytest.raises(SettingsError, match=re.escape(f"5 now; and 1 more), and a folder is of one experiment; choose "
                                                      f"another folder, as --out {root}-set-x-y.csv")):  # fmt: skip
        check_same(other, root)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Other words", "seeds": 9, "reference": True},
        {"methods.vaal": {}},
        {"methods": {"random": {}}},
        {"methods.margin": {"reduction": "max"}},
        {"variants": {"as it is": {}, "noisy": {"oracle.noise": 0.2}}},
        {"training.checkpoint_seconds": 5.0},
    ],
)
def test_what_may_be_added_to_a_folder(tmp_path: Path, tiny: Experiment, changes: dict[str, Any]) -> None:
    held(tiny, tmp_path / "out")
    check_same(tiny.changed(changes), tmp_path / "out")


def test_a_common_reference_makes_no_common_experiment(tmp_path: Path, tiny: Experiment) -> None:
    full = tiny.changed({"reference": True})
    held(full, tmp_path / "out")
    with pytest.raises(SettingsError, match=r"rounds\.budget: 10 there, 5 now"):
        check_same(full.changed({"rounds.budget": 5}), tmp_path / "out")


def test_a_folder_in_which_nothing_has_finished_is_free(tmp_path: Path, tiny: Experiment) -> None:
    held(tiny, tmp_path / "out")
    (result,) = (tmp_path / "out").rglob("result.json")
    result.rename(result.with_name("failure.json"))
    check_same(tiny.changed({"training.epochs": 5}), tmp_path / "out")
    (tmp_path / "out/data").mkdir()  # as where results were passed on without their cells
    with pytest.raises(SettingsError, match=r"training\.epochs: 1 there, 5 now"):
        check_same(tiny.changed({"training.epochs": 5}), tmp_path / "out")


def test_the_commands_speak_of_what_was_run_there(tmp_path: Path, tiny: Experiment) -> None:
    mine, out = tmp_path / "mine.toml", tmp_path / "out"
    mine.write_text(tiny.toml(), encoding="utf-8")

    def bench(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["bench", arguments[0], str(mine), "--out", str(out), *arguments[1:]])
        return str(done.exception) if done.exception else done.stdout

    assert "4 cells: 4 waiting" in bench("status")
    assert "1 cell: 1 waiting" in bench("status", "--strategies", "random", "--seeds", "0,")
    assert "has no finished cell of this experiment; run it first" in bench("report")
    assert not out.exists()
    held(tiny.changed({"training.epochs": 5}), out)
    assert "4 cells: 1 finished, 3 waiting" in bench("status")
    assert "2 cells: 1 finished, 1 waiting" in bench("status", "--strategies", "random")
    for command in ("run", "status", "report"):
        assert "training.epochs: 5 there, 2 now" in bench(command, "--set", "training.epochs=2")
    assert "--seeds 0: give how many (10) or which (0,3,7 or 5-9); one alone has a comma: 0," in bench(
        "run", "--seeds", "0"
    )


def test_a_report_is_of_what_was_asked_for(tmp_path: Path, tiny: Experiment) -> None:
    mine, out = tmp_path / "mine.toml", tmp_path / "out"
    mine.write_text(tiny.changed({"methods.entropy": {}, "rounds.count": 1}).toml(), encoding="utf-8")

    def page(command: str, *arguments: str) -> str:
        done = CliRunner().invoke(
            app, ["bench", command, str(mine), "--out", str(out), "--no-pictures", *arguments], catch_exceptions=False
        )
        assert done.exit_code == 0
        return (out / "report.html").read_text(encoding="utf-8")

    assert "have not been run yet" not in page("run", "--strategies", "random", "--seeds", "4,")
    text = page("run", "--strategies", "margin", "--seeds", "4,")
    assert "have not been run yet" not in text
    assert "margin" in text
    assert "random" in text
    assert "6 of 8 cells have not been run yet" in page("report")
    assert "have not been run yet" not in page("report", "--strategies", "random,margin", "--seeds", "4,")
    # Seeds beyond the experiment's own are known where methods are named, too.
    assert "2 of 3 cells have not been run yet" in page("report", "--strategies", "random")


def test_what_a_report_leaves_out_is_said_where_it_is_asked_for(tmp_path: Path, tiny: Experiment) -> None:
    mine, out = tmp_path / "mine.toml", tmp_path / "out"
    mine.write_text(tiny.toml(), encoding="utf-8")

    def bench(command: str, *arguments: str) -> str:
        words = ["bench", command, str(mine), "--out", str(out), "--no-pictures", *arguments]
        return CliRunner().invoke(app, words, catch_exceptions=False).stdout

    assert "left out" not in bench("run", "--seeds", "2")
    (old,) = out.glob("cells/random.s1.*/result.json")
    facts = json.loads(old.read_text(encoding="utf-8"))
    old.write_text(json.dumps(facts | {"data": "other"}), encoding="utf-8")
    assert "1 of 4 finished cells saw other images or labels and are left out" in bench("report")
    assert "1 of 4 finished cells" in json.loads(bench("report", "--json"))["notes"][0]
    assert "1 of 4 finished cells" in bench("run", "--seeds", "2")


def shown(text: str) -> list[str]:
    """The lines without what differs from run to run."""
    lines = [[part for part in line.split(" · ") if not re.search(r"^accuracy|^absent|left$", part)]
             for line in text.splitlines()]  # fmt: skip
    return [re.sub(r" in \d+ s$", "", " · ".join(parts)) for parts in lines]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_round_of_each_cell_is_a_line(tmp_path: Path, tiny: Experiment, jobs: int) -> None:
    varied = tiny.changed({"variants": {"10 %": {"start.absent": 1}}, "reference": True, "rounds.count": 1})
    (tmp_path / "mine.toml").write_text(varied.toml(), encoding="utf-8")
    words = ["bench", "run", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out"), "--no-pictures"]
    words += ["--seeds", "3,", "--strategies", "margin,full data", "--jobs", str(jobs)]

    def lines() -> list[str]:
        return shown(CliRunner().invoke(app, words, catch_exceptions=False).stdout)

    title, *first = lines()
    assert title == "Tiny"
    assert sorted(re.sub(r"^ *\d+% · |^\d/", "", line) for line in first[:5]) == [
        "2 · full data (10 %), seed 3 finished",
        "2 · margin (10 %), seed 3 finished",
        "full data (10 %) seed 3 · round 0 · 120 labels",
        "margin (10 %) seed 3 · round 0 · 30 labels",
        "margin (10 %) seed 3 · round 1 · 40 labels",
    ]
    # Rounds that ended earlier are no news.
    title, *again = lines()
    ended = ["full data (10 %), seed 3 finished", "margin (10 %), seed 3 finished"]
    assert sorted(re.sub(r"^\d/2 · ", "", line) for line in again[:2]) == ended
    assert again[2] == "2 cells: 2 finished"
    assert not list((tmp_path / "out").glob("cells/*/fits"))


def test_json_alone_is_silent(tmp_path: Path, tiny: Experiment) -> None:
    (tmp_path / "mine.toml").write_text(tiny.changed({"rounds.count": 0}).toml(), encoding="utf-8")
    words = ["bench", "run", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out"), "--no-pictures", "--json"]
    found = CliRunner().invoke(app, [*words, "--seeds", "1"], catch_exceptions=False)
    assert json.loads(found.stdout)["states"] == {"finished": 2}
    assert found.stderr == ""


def test_a_bar_shows_names_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 100, 2))
    monkeypatch.setattr("pickwell.cli.bars.time.monotonic", lambda: next(moments))
    monkeypatch.setenv("FORCE_COLOR", "1")
    bars = Bars(quiet=False)
    for done in (1, 2):
        bars("reading, [b]\x1b set aside", done, 9)
    console = Console(width=120)
    with console.capture() as capture:
        console.print(bars._bars.get_renderable())
    assert r"[b]\x1b set aside" in capture.get()


def test_the_time_left_is_told_by_whole_cells_and_by_their_size(tiny: Experiment) -> None:
    halves = {"whole": {}, "half": {"training.epochs": 2}}
    sized = tiny.changed({"training.epochs": 4, "variants": halves, "seeds": 1, "methods.ensemble": {"members": 3}})
    cells = grid(sized)
    clock = Clock(cells)
    clock.add(Outcome(cells[0], State.FINISHED, 1, ran=True, whole=False))
    assert clock.left() is None
    clock.add(Outcome(cells[1], State.FINISHED, 10, ran=True))
    # An ensemble of 3, then random, margin and the ensemble with half the steps.
    assert clock.left() == pytest.approx(30 + 5 + 5 + 15)
    clock.add(Outcome(cells[2], State.FINISHED, 60, ran=True))
    assert clock.left() == pytest.approx(7.5 + 5 + 30)


def test_a_cell_that_was_taken_up_again_is_no_whole_one(tmp_path: Path, tiny: Experiment) -> None:
    bench = ResultsFolder(tmp_path / "out", tmp_path)
    (cell,) = grid(tiny, ["random"], [0])
    (first,) = run(tiny, [cell], bench)
    (bench.folder(cell) / "result.json").unlink()  # as if it had been stopped just before
    (again,) = run(tiny, [cell], bench)
    assert (first.whole, again.whole) == (True, False)
