import csv
import json
import re
import shutil
import time
from pathlib import Path

import pytest
from PIL import Image
from tests.cli.command import Cli

import pickwell
from pickwell.campaign.progress_file import ProgressFile
from pickwell.cli import main
from pickwell.store import Store


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for name, hue in (("heron", (200, 20, 30)), ("gull", (20, 30, 200))):
        (root / name).mkdir()
        for number in range(30):
            Image.effect_noise((24, 20), 40).convert("RGB").point(lambda v, n=number: (v + n) % 256).save(
                root / name / f"{number:02d}.png"
            )
            Image.new("RGB", (24, 20), hue).save(root / name / f"plain{number:02d}.jpg", comment=str(number))
    return root


QUICK = ["--set", "training.epochs=1", "--set", "model.width=0.25", "--set", "strategy.name=vaal"]
QUICK += ["--set", "strategy.steps=2", "--set", "strategy.widths=[8]", "--set", "strategy.latent=4"]


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("made") / "birds"
        patch.setattr(
            "sys.argv", ["pickwell", "init", str(root), "--images", str(photos), "--labels-from-folders", *QUICK]
        )
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
    return root


@pytest.fixture
def birds(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "birds")
    return tmp_path / "birds"


def fill_in(path: Path, rows: int | None = None) -> None:
    table = list(csv.DictReader(path.read_text().splitlines()))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys())
        writer.writeheader()
        for row in table[:rows]:
            writer.writerow({**row, "label": row["name"].split("/")[0]})


def test_a_campaign_from_init_to_report(cli: Cli, birds: Path) -> None:
    asked = cli.json("ask", birds, "--budget", 10)
    assert asked["strategy"] == "random"
    assert [pick["rank"] for pick in asked["picks"]] == list(range(1, 11))
    assert cli.json("ask", birds, "--budget", 10) == asked
    fill_in(birds / "to-label.csv", rows=6)
    assert cli.json("tell", birds, birds / "to-label.csv")["waiting"] == 4
    cli.json("ask", birds, "--budget", 10)
    assert len((birds / "to-label.csv").read_text().splitlines()) == 5
    fill_in(birds / "to-label.csv")
    assert cli.json("tell", birds, birds / "to-label.csv") | {"batch": 0} == {
        "batch": 0, "answered": 4, "skipped": 0, "ignored": 0, "corrected": 0,
        "closed": 1, "repeated": False, "waiting": 0,
    }  # fmt: skip
    reached = cli.json("fit", birds)
    assert reached["measured"] == 1
    assert reached["labels"] == 10
    assert cli.json("ask", birds, "--budget", 10)["strategy"] == "vaal"
    assert cli.json("status", birds)["open_round"] == 2
    code, out, _ = cli("status", birds)
    assert code == 0
    assert "round 2 is open, 10 wait" in out
    assert cli.json("close", birds) == {"round": 2, "returned": 10}
    assert cli.json("run", birds, "--rounds", 1, "--budget", 10)["labels"] == 20
    assert Path(cli.json("report", birds)["report"]).read_text().startswith("<!doctype html>")
    assert len(cli.json("undo", birds)["undone"]) == 10


def test_a_run_takes_what_is_left_and_ends_well(cli: Cli, birds: Path, caplog: pytest.LogCaptureFixture) -> None:
    code, out, _ = cli("ask", birds, "--budget", 121, "--json")
    assert (code, "is larger than the 120 unlabelled images left" in out) == (2, True)
    reached = cli.json("run", birds, "--rounds", 5, "--budget", 50, "--strategy", "random")
    assert (reached["labels"], reached["values"]["accuracy"] > 0.4) == (120, True)
    assert caplog.messages == [
        "only 20 images are left: this round asks for all of them instead of 50",
        "no image is left to ask for: the run ends after 3 of 5 rounds",
    ]


def test_images_are_encoded_when_that_is_asked_for_and_status_says_how_far_it_is(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    root = tmp_path / "c"
    cli("init", root, "--images", photos / "heron", "--classes", "a,b", "--encoder", "lite0", "--later")
    assert not (root / "features").exists()
    assert cli.json("ask", root, "--budget", 5, "--now")["strategy"] == "random"
    assert "60 images encoded by lite0" in cli("encode", root)[1]
    assert cli.json("encode", root) == {"encoder": "lite0", "encoded": 60}
    moments = iter((time.time() - 20, time.time()))
    told = ProgressFile(root, clock=lambda: next(moments))
    told("encoding", 10, 60)
    told("encoding", 20, 60)
    assert "encoding: 20 of 60, about 40 s left" in cli("status", root)[1]


def test_people_read_tables(cli: Cli, birds: Path) -> None:
    code, out, err = cli("ask", birds, "--budget", 30)
    assert (code, err) == (0, "")
    assert "nothing is labelled yet, so this round is drawn at random" in out
    assert "and 10 more" in out
    assert "item" in out


def rows(store: Store) -> tuple[int, int]:
    return store.position(), len(store.rounds())


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["ask", "DIR", "--budget", "1000"], "budget 1000 is larger than the 120 unlabelled images left"),
        (["ask", "DIR", "--budget", "-1"], "budget -1 is not a number of images; ask for at least 1"),
        (["ask", "DIR", "--budget", "5", "--strategy", "vall"], "unknown strategy 'vall'; did you mean 'vaal'?"),
        (["ask", "DIR", "--budget", "many"], "Invalid value for '--budget'"),
        (["tell", "DIR", "FILE:item,label\n7,heron\n"], "item 7 was never asked"),
        (["tell", "DIR", "FILE:item,label\n700,heron\n"], "unknown item '700'"),
        (["tell", "DIR", "FILE:item,label\n7,hero\n", "--import"], "unknown class 'hero'; did you mean 'heron'?"),
        (["tell", "DIR", "FILE:item,label\n7,heron\n7,gull\n"], "item 7 is there twice"),
        (["tell", "DIR", "FILE:photo,class\n7,heron\n"], "its header line must name one of the image"),
        (["tell", "DIR", "FILE:"], "is empty"),
        (["tell", "DIR", "none.csv"], "cannot be read: missing file"),
        (["fit", "DIR"], "nothing is labelled yet"),
        (["run", "DIR", "--rounds", "1", "--budget", "5", "--oracle", "human being"], "unknown oracle 'human being'"),
        (["close", "DIR"], "no round is open"),
        (["status", "DIR/nowhere"], "no campaign at"),
        (["init", "DIR", "--images", "digits"], "already exists and is not empty"),
        (["init", "NEW", "--images", "NEW/nothing"], "nothing"),
        (["init", "NEW", "--images", ""], "no images at '': the place is empty; name one, or '.' for the folder"),
        (["init", "NEW", "--images", "digits", "--test", " "], "no images at '': the place is empty"),
        (["add", "DIR", "--images", ""], "no images at '': the place is empty"),
        (["init", "NEW", "--images", "digits", "--set", "trainin.epochs=1"], "did you mean 'training'?"),
        (["init", "NEW", "--images", "digits", "--set", "epochs"], "a setting is given as KEY=VALUE"),
        (["init", "NEW", "--images", "digits", "--task", "detection"], "unknown kind of task 'detection'; "),
        (["init", "NEW", "--images", "digits", "--classes", "a,a"], "names a twice"),
        (["add", "DIR", "--images", "NEW"], "NEW"),
        (["tel", "DIR"], "No such command"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(
    cli: Cli, birds: Path, tmp_path: Path, command: list[str], sentence: str
) -> None:
    with Store.open(f"sqlite:///{birds / 'pickwell.sqlite'}") as store:
        before = rows(store)
    arguments = [word.replace("DIR", str(birds)).replace("NEW", str(tmp_path / "NEW")) for word in command]
    for at, word in enumerate(arguments):
        if word.startswith("FILE:"):
            (tmp_path / "labels.csv").write_text(word.removeprefix("FILE:"))
            arguments[at] = str(tmp_path / "labels.csv")
    code, out, err = cli(*arguments)
    assert code == 2
    assert out == ""
    assert re.search(re.escape(sentence), re.sub(r"\s*│?\n│?\s*", " ", err)), err
    assert "Traceback" not in err
    with Store.open(f"sqlite:///{birds / 'pickwell.sqlite'}") as store:
        assert rows(store) == before
    assert not (tmp_path / "NEW").exists()


def test_errors_are_json_for_programs(cli: Cli, birds: Path) -> None:
    code, out, err = cli("ask", birds, "--budget", 1000, "--json")
    assert code == 2
    assert json.loads(out)["error"].startswith("budget 1000 is larger")
    assert err.startswith("pickwell: budget 1000")


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version") == (0, f"pickwell {pickwell.__version__}\n", "")


def test_public_names_are_there_and_no_others() -> None:
    assert all(getattr(pickwell, name).__module__.startswith("pickwell") for name in pickwell.__all__)
    assert {*pickwell.__all__, "__version__"} == set(dir(pickwell))
    with pytest.raises(AttributeError, match="module 'pickwell' has no attribute 'Campain'"):
        pickwell.Campain  # noqa: B018


def test_too_little_memory_is_a_sentence(cli: Cli, birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: object) -> None:
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
            "you tried to allocate 3221225472 bytes. Error code 12 (Cannot allocate memory)"
        )

    monkeypatch.setattr(pickwell.Campaign, "fit", fit)
    code, _, err = cli("fit", birds)
    assert code == 2
    assert "the memory does not suffice: 3.0 GiB more were asked for; choose smaller numbers in campaign.toml" in err


def test_the_first_step_named_is_one_that_works(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    shutil.copy(photos / "gull" / "00.png", tmp_path / "few")
    assert "--budget 1\n" in cli("init", tmp_path / "c", "--images", tmp_path / "few", "--classes", "a,b")[1]
    assert "--budget 50\n" in cli("init", tmp_path / "d", "--images", photos, "--classes", "a,b")[1]
