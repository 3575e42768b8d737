import html
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pickwell.colours import colours
from pickwell.errors import SettingsError
from pickwell.items import Pick
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.report.campaign_page import page, report_of
from pickwell.report.chart_style import RAMP
from pickwell.report.combined_report import together
from pickwell.report.page import render
from pickwell.report.report import Report
from pickwell.statistics.runs import RoundRow, Run
from pickwell.tasks.segmentation.label_maps import Mask, encode
from pickwell.tasks.segmentation.overlays import OVER, over_classes, over_heat, shrunk
from pickwell.tasks.segmentation.report import SHOWN

SIZE = (48, 32)
CLASSES = ["sky", "road", "car"]
RUN = CliRunner()


def told_mask(number: int) -> Mask:
    """Sky above, road below, a car in even ones, and a column about which nothing is said."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[16:] = 1
    if number % 2 == 0:
        mask[20:24, 10:20] = 2
    mask[:, 5] = 255
    return mask


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("street")
    for part in ("images", "masks"):
        (root / part).mkdir()
    for number in range(24):
        Image.new("RGB", SIZE, (number * 9, 90, 200)).save(root / "images" / f"{number:02d}.png")
        (root / "masks" / f"{number:02d}.png").write_bytes(encode(told_mask(number)))
    return root


def campaign(street: Path, root: Path, strategy: str = "entropy", level: float = 0.4) -> Path:
    """A campaign of two rounds of which nothing was trained: what a fit would have written is written by hand."""
    settings = {"task.kind": "segmentation", "strategy.name": strategy, "validation.share": 0.0}
    create(root, street / "images", masks=street / "masks", classes=CLASSES, settings=settings)
    with Campaign(root) as opened:
        opened.tell({pick.item: told_mask(pick.item) for pick in opened.ask(4).picks})
        opened.store.record(1, {"mean_iou": level, "pixel_accuracy": 0.7, "iou/sky": 0.9, "measured": 6}, labels=4)
        asked = opened.unlabelled().tolist()[: SHOWN + 2]
        picks = [Pick(item, rank + 1, 0.5) for rank, item in enumerate(asked)]
        opened.store.open_round(number=2, strategy=strategy, seed=1, picks=picks)
        here = opened.directory.rounds / "0002"
        here.mkdir(parents=True)
        guess = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        for item in asked[1:]:
            (here / f"{item}.mask.png").write_bytes(encode(guess))
            (here / f"{item}.uncertainty.png").write_bytes(encode(np.full((16, 24), 51, np.uint8)))
        (here / f"{asked[2]}.mask.png").write_bytes(b"no picture")
        opened.tell({item: told_mask(item) for item in asked[:4]})
        values = {"mean_iou": level + 0.1, "pixel_accuracy": 0.8, "iou/sky": 0.95, "iou/car": 0.25, "measured": 6}
        opened.store.record(2, values, labels=8)
    return root


def test_a_campaign_with_masks_tells_mean_iou_classes_and_pixels(street: Path, tmp_path: Path) -> None:
    report = report_of(campaign(street, tmp_path / "c"))
    first, second = report.runs[0].rounds
    assert (report.metric, first.accuracy, second.accuracy, second.low) == ("mean IoU", 0.4, 0.5, None)
    assert (second.labels, second.measured, second.pixel_accuracy) == (8, 6, 0.8)
    assert second.class_scores == {"sky": 0.95, "car": 0.25}
    items = [scene.item for scene in report.galleries[0].scenes][:4]
    cars = sum(item % 2 == 0 for item in items)
    assert second.class_counts == {"sky": 4, "road": 4, "car": cars}
    assert second.class_pixels == {"sky": 4 * 16 * 47, "road": 4 * 16 * 47 - 40 * cars, "car": 40 * cars}
    assert "Measured on 6 images (images drawn at random from the pool)" in report.notes[0]


def test_picked_scenes_show_photograph_prediction_uncertainty_and_what_was_told(street: Path, tmp_path: Path) -> None:
    newest, first = report_of(campaign(street, tmp_path / "c")).galleries
    assert "2 images" not in newest.caption
    assert f"the first {SHOWN} picks are shown" in newest.caption
    kinds = [list(scene.pictures) for scene in newest.scenes]
    assert len(kinds) == SHOWN
    assert kinds[0] == ["photograph", "labelled"]
    assert kinds[1] == ["photograph", "predicted", "uncertainty", "labelled"]
    assert kinds[2] == ["photograph", "uncertainty", "labelled"]
    assert kinds[5] == ["photograph", "predicted", "uncertainty"]
    assert newest.scenes[1].words == "50 % of the labelled pixels predicted right; mean uncertainty 0.200"
    assert [list(scene.pictures) for scene in first.scenes] == [["photograph", "labelled"]] * 4
    assert {scene.score for scene in first.scenes} == {None}
    with Image.open(io.BytesIO(newest.scenes[1].pictures["labelled"])) as drawn:
        assert drawn.size == SIZE


def test_the_page_draws_them_with_a_legend(street: Path, tmp_path: Path) -> None:
    text = render(page(report_of(campaign(street, tmp_path / "c"))))
    words = " ".join(re.sub(r"<[^>]+>", " ", html.unescape(text)).split())
    assert "With 8 labels entropy reaches mean IoU 0.500 (1 seed, measured on 6 images)." in words
    assert "One seed, measured on 6 images; a single seed has no interval." in words
    assert "sky road car certain all classes alike Round 2: entropy 10 images asked" in words
    assert "method seeds mean IoU sky car entropy 1 0.500 0.950 0.250" in words
    assert re.search(r"method sky road car entropy 50\.0 % 4\d\.\d % \d\.\d %", words)
    for colour in colours(3):
        assert f"background: {colour}" in text
    assert text.count('src="data:image/webp') == 4 * 2 + 2 + 4 + 3 + 4 + 4 * 3
    assert "http-equiv" in text
    assert 'src="http' not in text


def test_a_told_mask_that_is_gone_is_a_warning_and_the_rest_is_reported(street: Path, tmp_path: Path) -> None:
    root = campaign(street, tmp_path / "c")
    for path in (root / "masks").iterdir():
        path.write_bytes(b"")
        break
    report = report_of(root)
    assert re.fullmatch(r"\d masks that were told cannot be read any more; tell them again", report.warnings[0])
    assert "predicted" in report.galleries[0].scenes[1].pictures


def test_several_campaigns_are_compared_by_mean_iou(street: Path, tmp_path: Path) -> None:
    roots = [campaign(street, tmp_path / name, name, level) for name, level in (("entropy", 0.4), ("random", 0.3))]
    report = together({root: report_of(root) for root in roots})
    assert (report.title, report.baseline) == ("entropy and random compared", "random")
    assert [gallery.title for gallery in report.galleries] == ["Round 2: entropy", "Round 2: random"]
    assert report.settings["strategy.name"] == "entropy; random"
    assert report.settings["model.name"] == "drn_d_22"
    text = render(page(report))
    assert "entropy and random cannot be tested (one seed): difference +10.0 points of AUBC." in text
    assert len(re.findall("IoU of each class after each round", text)) >= 2


def test_campaigns_of_one_strategy_are_its_seeds_or_told_apart_by_name(street: Path, tmp_path: Path) -> None:
    roots = [campaign(street, tmp_path / name, "entropy", level) for name, level in (("a", 0.4), ("b", 0.3))]
    report = together({root: report_of(root) for root in roots})
    assert [run.strategy for run in report.runs] == ["entropy (a)", "entropy (b)"]
    assert [gallery.title for gallery in report.galleries] == ["a, round 2: entropy", "b, round 2: entropy"]
    assert report.baseline == "entropy (a)"


def test_campaigns_of_one_strategy_with_other_numbers_of_labels_are_no_seeds_of_one_another() -> None:
    def of(title: str, seed: int, step: int) -> Report:
        rows = tuple(RoundRow(number, number * step, 0.5) for number in (1, 2))
        return Report(title, "", (Run("vaal", seed, (*rows, RoundRow(3, seed))),))

    def names(*reports: Report) -> list[str]:
        return [run.strategy for run in together({Path(each.title): each for each in reports}).runs]

    assert names(of("a", 0, 50), of("b", 1, 50)) == ["vaal", "vaal"]
    assert names(of("a", 0, 50), of("b", 1, 20)) == ["vaal (a)", "vaal (b)"]
    # One that skipped an image takes the name from no other.
    found = names(of("a", 0, 50), of("b", 1, 49), of("c", 2, 50), of("d", 3, 50), of("e", 3, 50))
    assert found == ["vaal", "vaal (b)", "vaal", "vaal (d)", "vaal (e)"]


def test_campaigns_on_other_classes_are_not_compared(street: Path, tmp_path: Path) -> None:
    first = report_of(campaign(street, tmp_path / "c"))
    create(tmp_path / "digits", "digits")
    with pytest.raises(SettingsError, match=r"digits cannot be compared with .*c: it measures accuracy of 10 classes"):
        together({tmp_path / "c": first, tmp_path / "digits": report_of(tmp_path / "digits")})


def test_the_command_writes_one_file_of_one_campaign_or_of_several(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pickwell.cli.commands import app

    roots = [str(campaign(street, tmp_path / name, name)) for name in ("entropy", "random")]
    monkeypatch.chdir(tmp_path)
    one, both = (RUN.invoke(app, ["report", *given, "--json"]) for given in (roots[:1], roots))
    assert json.loads(one.stdout)["report"] == f"{roots[0]}/report.html"
    assert json.loads(both.stdout)["report"] == "report.html"
    assert "entropy and random compared" in (tmp_path / "report.html").read_text()


def test_a_report_needs_no_torch() -> None:
    code = "import pickwell.report.campaign_page, pickwell.report.combined_report, sys; "
    assert (
        subprocess.run([sys.executable, "-c", code + "sys.exit('torch' in sys.modules)"], check=False).returncode == 0
    )


def test_classes_are_drawn_in_their_colours_and_void_is_dark() -> None:
    grey = np.full((2, 3, 3), 255, np.uint8)
    drawn = over_classes(grey, np.array([[0, 1, 255]] * 2, np.uint8), ["#000000", "#ff0000"])
    rest = round((1 - OVER) * 180)
    assert drawn[0].tolist() == [[rest] * 3, [round(OVER * 255 + (1 - OVER) * 180), rest, rest], [63] * 3]


def test_uncertainty_is_drawn_from_the_ramp_at_any_size() -> None:
    photograph = np.zeros((20, 40, 3), np.uint8)
    low, high = (over_heat(photograph, np.full((5, 10), value, np.uint8))[3, 7] for value in (0, 255))
    for drawn, colour in ((low, RAMP[0]), (high, RAMP[-1])):
        wanted = [OVER * int(colour[at : at + 2], 16) + (1 - OVER) * 50 for at in (1, 3, 5)]
        assert drawn.tolist() == pytest.approx(wanted, abs=0.51)


def test_pictures_are_bounded_and_never_enlarged() -> None:
    assert shrunk(np.zeros((100, 900, 3), np.uint8)).shape == (40, 360, 3)
    assert shrunk(np.zeros((9, 12, 3), np.uint8)).shape == (9, 12, 3)
