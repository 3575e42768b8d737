import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pickwell.cli import main
from pickwell.errors import LabelError, PickwellError, PoolError, SettingsError, StoreError
from pickwell.formats.to_label_csv import read_labels
from pickwell.items import Kind, Label
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.oracle import Noisy, Simulated
from pickwell.tasks.segmentation.label_maps import Mask, encode

SIZE = (40, 32)
CLASSES = ["sky", "!void", "road", "car"]
MASKS: dict[str, Any] = {"task.kind": "segmentation", "strategy.name": "random"}


def values(number: int) -> NDArray[np.uint8]:
    """A mask file's values: 0 above, 2 below, 1 (void) in one column, 3 in a box of the even ones."""
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[16 + number :] = 2
    mask[:, 5] = 1
    if number % 2 == 0:
        mask[4:8, 10:20] = 3
    return mask


def wanted(number: int) -> Mask:
    """The label map of it."""
    return np.array([0, 255, 1, 2], np.uint8)[values(number)]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("town")
    for part in ("images", "masks", "test", "test-masks"):
        (root / part).mkdir()
    for number in range(8):
        for part in ("images", "test"):
            Image.new("RGB", SIZE, (number, 0, 0)).save(root / part / f"{number}.jpg", comment=f"{part} {number}")
        for part in ("masks", "test-masks"):
            (root / part / f"{number}.png").write_bytes(encode(values(number)))
    return root


@pytest.fixture
def street(town: Path, tmp_path: Path) -> Iterator[Campaign]:
    create(tmp_path / "c", town / "images", masks=town / "masks", classes=CLASSES, settings=MASKS)
    with Campaign(tmp_path / "c") as opened:
        yield opened


def test_defaults_suit_scenes_and_a_small_machine(street: Campaign, town: Path, tmp_path: Path) -> None:
    chosen = street.settings
    assert (chosen.task.kind, chosen.task.classes, chosen.task.void) == ("segmentation", ("sky", "road", "car"), (1,))
    assert (chosen.model.name, chosen.model.width, chosen.model.image_size) == ("drn_d_22", 0.25, 32)
    assert (chosen.training.batch_size, chosen.training.epochs, chosen.validation.share) == (8, 50, 0.1)
    create(
        tmp_path / "d",
        town / "images",
        masks=town / "masks",
        test=town / "test",
        test_masks=town / "test-masks",
        classes=CLASSES,
        settings={**MASKS, "model.width": 0.5, "training.epochs": 3},
    )
    with Campaign(tmp_path / "d") as other:
        assert (other.settings.model.width, other.settings.training.epochs) == (0.5, 3)
        assert other.settings.validation.share == 0.0
        assert other.test is not None
        assert np.array_equal(other.test.mask(3), wanted(3))


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"classes": None}, SettingsError, "no class list: masks hold numbers, and only a list says what they mean"),
        ({"classes": ["sky", "!void"]}, SettingsError, "a class list needs at least 2 classes, got ['sky']"),
        ({"classes": ["!sky", "!road"]}, SettingsError, "a class list needs at least 2 classes, got []"),
        ({"classes": ["sky", "road"]}, LabelError, "the class list disagrees with 8 of 8 masks"),
        (
            {"masks": None, "labels_from_folders": True},
            SettingsError,
            "the task is segmentation, whose labels are masks",
        ),
        ({"test": "images"}, PoolError, "the test set"),
        ({"test": "images", "test_masks": "none"}, PoolError, "no masks at"),
        ({"settings": {}}, SettingsError, "but the task is classification, which learns one class an image"),
        ({"test_masks": "test-masks"}, SettingsError, "masks of a test set are given"),
        ({"images": "digits"}, SettingsError, "segmentation takes its images from a folder, and 'digits' is none"),
        ({"settings": {**MASKS, "model.name": "resnet18"}}, SettingsError, "unknown model for masks 'resnet18'"),
        ({"masks": " "}, PoolError, "no masks at '': the place is empty"),
        ({"settings": {**MASKS, "task.void": [300]}}, SettingsError, "a mask has values from 0 to 254"),
        ({"classes": [f"class {n}" for n in range(256)]}, SettingsError, "at most 255 classes and void values"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_stays(
    town: Path, tmp_path: Path, arguments: dict[str, Any], error: type[PickwellError], sentence: str
) -> None:
    usual = {"images": "images", "masks": "masks", "classes": CLASSES, "settings": MASKS}
    given = {**usual, **arguments}
    for name in ("images", "masks", "test", "test_masks"):
        if given.get(name) not in (None, "digits", " "):
            given[name] = town / str(given[name])
    with pytest.raises(error, match=re.escape(sentence)):
        create(tmp_path / "c", **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            '    "sky",\n',
            "",
            "is road, car and void 1, but the campaign's masks were made with sky, road, car and void 1",
        ),
        ('"sky"', '"roof"', "is roof, road, car and void 1, but"),
        ('"car",', '"car", "bus",', "is sky, road, car, bus and void 1, but"),
        ("    1,\n", "", "is sky, road, car, but"),
        ('"segmentation"', '"classification"', "only masks have such values"),
    ],
)
def test_the_class_list_of_masks_is_fixed(street: Campaign, old: str, new: str, sentence: str) -> None:
    text = street.directory.settings.read_text()
    assert old in text
    street.directory.settings.write_text(text.replace(old, new))
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        Campaign(street.directory.root)
    street.directory.settings.write_text(text)
    Campaign(street.directory.root).close()


def test_a_campaign_cannot_become_one_of_masks(town: Path, tmp_path: Path) -> None:
    create(tmp_path / "c", town / "images", classes=["sky", "road"], settings={"strategy.name": "random"})
    settings = tmp_path / "c" / "campaign.toml"
    settings.write_text(settings.read_text().replace('"classification"', '"segmentation"'))
    with pytest.raises(SettingsError, match="is segmentation, but the campaign was made for classification"):
        Campaign(tmp_path / "c")


def test_half_of_the_masks_may_be_wrong(town: Path, tmp_path: Path) -> None:
    create(tmp_path / "c", town / "images", masks=town / "masks", classes=["sky", "a", "road"], settings=MASKS)
    with Campaign(tmp_path / "c") as opened:
        assert [name for name, _, _ in opened.pool.set_aside()] == ["0.jpg", "2.jpg", "4.jpg", "6.jpg"]


def test_void_values_are_for_masks_alone(town: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="only masks have such values"):
        create(tmp_path / "c", town / "images", classes=["a", "b"], settings={"task.void": [3]})
    with pytest.raises(SettingsError, match="a class cannot be named '!b'"):
        create(tmp_path / "c", town / "images", classes=["a", "!b", "c"])


def test_the_simulated_oracle_tells_the_known_masks(street: Campaign) -> None:
    question = street.ask(4)
    items = [street.pool.item(pick.item) for pick in question.picks]
    answers = street.oracle("simulated").answer(items)
    street.tell(answers)
    for answer in answers:
        assert np.array_equal(street.task.answer(str(answer.value)), wanted(answer.item))
    even = sum(item.id % 2 == 0 for item in items)
    assert street.status().classes == {"sky": 4, "road": 4, "car": even}
    assert (street.status().metric, street.status().score) == ("mean_iou", None)


def test_a_noisy_oracle_mistakes_whole_classes(street: Campaign) -> None:
    truth = Simulated(street.task, street.pool)
    items = [street.pool.item(item) for item in range(8)]
    right = [np.asarray(street.task.answer(str(label.value))) for label in truth.answer(items)]

    def heard(rate: float, seed: int = 0, groups: tuple[tuple[str, ...], ...] = ()) -> list[Mask]:
        answers = Noisy(truth, rate, groups, seed).answer(items)
        return [np.asarray(street.task.answer(str(label.value))) for label in answers]

    assert all(np.array_equal(a, b) for a, b in zip(heard(0.0), right, strict=True))
    for before, after in zip(right, heard(1.0, groups=(("road", "car"),)), strict=True):
        assert np.array_equal(after, np.array([0, 2, 1, *[255] * 253], np.uint8)[before])
    for before, after in zip(right, heard(1.0), strict=True):
        assert np.array_equal(after == 255, before == 255)
        assert not (after == before)[before != 255].any()
        for index in np.unique(before):
            assert len(np.unique(after[before == index])) == 1
    assert all(np.array_equal(a, b) for a, b in zip(heard(0.5, 3), heard(0.5, 3), strict=True))
    wrong = [after[before == index][0] != index for seed in range(40)
             for before, after in zip(right, heard(0.25, seed), strict=True) for index in (0, 1)]  # fmt: skip
    assert abs(np.mean(wrong) - 0.25) < 0.05


def test_an_oracle_needs_known_masks(town: Path, tmp_path: Path) -> None:
    create(tmp_path / "c", town / "images", classes=["sky", "road"], settings=MASKS)
    with Campaign(tmp_path / "c") as campaign:
        with pytest.raises(LabelError, match=r"item 0 \(0\.jpg\) has no known mask.*make the campaign with --masks"):
            campaign.oracle("simulated").answer([campaign.pool.item(0)])
        campaign.tell({0: np.zeros((32, 40), np.uint8)}, imported=True)
        assert campaign.status().classes == {"sky": 1, "road": 0}


def told(street: Campaign, text: str, tmp_path: Path, **more: Any) -> Any:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return street.tell(read_labels(path, street.pool), files=tmp_path, imported=True, **more)


def test_masks_are_told_by_their_files(street: Campaign, town: Path, tmp_path: Path) -> None:
    (tmp_path / "drawn").mkdir()
    for number in range(3):
        (tmp_path / "drawn" / f"{number}.png").write_bytes(encode(values(number)))
    text = f"item,label\n0.jpg,drawn/0.png\n1,{tmp_path}/drawn/1.png\n2,./drawn/../drawn/2.png\n3,!skip\n4,!ignore\n"
    assert told(street, text, tmp_path).answered == 3
    kept = dict(zip(street.store.labels().items.tolist(), street.store.labels().values, strict=True))
    assert kept.keys() == {0, 1, 2}
    for item, name in kept.items():
        assert np.array_equal(street.task.answer(name), wanted(item))
    told(street, f"item,label\n5,../anywhere/{kept[0]}\n", tmp_path)  # a mask that is kept already, as it is
    assert dict(zip(street.store.labels().items.tolist(), street.store.labels().values, strict=True))[5] == kept[0]


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("road", "item 1: 'road' is no mask; this campaign's labels are masks, so give the path of a .png file"),
        ("/etc/passwd", "item 1: '/etc/passwd' is no mask"),
        ("none.png", "item 1: 'none.png': unreadable mask: missing file"),
        ("folder.png", "item 1: 'folder.png': unreadable mask: not a regular file: it is a folder"),
        ("passwd.png", "item 1: 'passwd.png': unreadable mask: the mask is no PNG"),
        ("small.png", "mask of another size: the mask is 39 x 32 pixels, its image 40 x 32"),
        ("wrong.png", "has the values 37 (12 pixels); the class list allows 0 to 3, and 255"),
        ("colour.png", "unreadable mask: the mask is RGB"),
        ("\0.png", "is not UTF-8 text"),
    ],
)
def test_one_bad_file_keeps_all_of_a_list_out(street: Campaign, tmp_path: Path, label: str, sentence: str) -> None:
    (tmp_path / "good.png").write_bytes(encode(values(0)))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "passwd.png").write_text("root:x:0:0")
    (tmp_path / "small.png").write_bytes(encode(values(0)[:, 1:]))
    wrong = values(0)
    wrong[0, 10:22] = 37
    (tmp_path / "wrong.png").write_bytes(encode(wrong))
    Image.new("RGB", SIZE).save(tmp_path / "colour.png")
    with pytest.raises(LabelError, match=re.escape(sentence)):
        told(street, f"item,label\n0,good.png\n1,{label}\n", tmp_path)
    assert len(street.store.labels()) == 0
    assert not street.directory.masks.exists()


def test_arrays_are_told_or_refused_together(street: Campaign) -> None:
    good = wanted(0)
    assert street.tell({0: good, 3: np.full_like(good, 255)}, imported=True).answered == 2
    wrong: tuple[tuple[Any, str], ...] = (
        (good[1:], "item 2: the mask is 40 x 31 pixels, its image 40 x 32"),
        (good + 2, "item 2: the mask has the values"),
        (good.astype(np.int64), "item 2: a mask is an array of int64"),
    )
    for bad, sentence in wrong:
        with pytest.raises(LabelError, match=re.escape(sentence)):
            street.tell({1: good[:, ::-1], 2: bad}, imported=True)
    with pytest.raises(LabelError, match="unknown item 99; the pool holds items 0 to 7"):
        street.tell({99: good}, imported=True)
    assert len(list(street.directory.masks.iterdir())) == 2
    assert len(street.store.labels()) == 2


def test_a_label_names_a_mask_that_is_kept(street: Campaign) -> None:
    name = street.task.keep(wanted(0))
    street.tell([Label(0, name), Label(1, None, Kind.SKIP), Label(2, None, Kind.IGNORE)], imported=True)
    for value in ("road", "0" * 64 + ".png", f"../masks/{name}"):
        with pytest.raises(LabelError, match=re.escape(f"item 3: '{value}' is no mask in")):
            street.tell([Label(3, value)], imported=True)
    other = street.task.keep(wanted(0)[:, ::-1][:, 1:])
    with pytest.raises(LabelError, match="item 3: the mask is 39 x 32 pixels"):
        street.tell([Label(3, other)], imported=True)
    (street.directory.masks / other).write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be read from"):
        street.tell([Label(3, other)], imported=True)
    assert street.store.labels().items.tolist() == [0]


def test_a_class_campaign_takes_no_mask(campaign: Campaign) -> None:
    with pytest.raises(LabelError, match="item 0: a mask is no answer to classification"):
        campaign.tell({0: np.zeros((16, 16), np.uint8)}, imported=True)


def test_from_the_command_line(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*arguments: object) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["pickwell", *map(str, arguments)])
        with contextlib.suppress(SystemExit):
            main()
        out, err = capsys.readouterr()
        return out, err

    images = tmp_path / "images"
    images.mkdir()
    for number in range(3):
        Image.new("RGB", SIZE, (90 * number, 0, 0)).save(images / f"{number}.jpg")
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(2):
        (masks / f"{number}.png").write_bytes(encode(values(number)))
    (masks / "2.png").write_bytes(encode(values(0)[1:]))
    (tmp_path / "list").write_text("\n".join(CLASSES))
    base = ["init", tmp_path / "c", "--images", images, "--masks", masks, "--classes", f"@{tmp_path / 'list'}"]
    assert "use --task segmentation, or leave the masks out" in command(*base)[1]
    out, _ = command(*base, "--task", "segmentation", "--strategy", "random")
    assert out.splitlines()[:2] == [
        "2 images added, 2 of them with a mask, 2 in the pool; 1 set aside (1 mask of another size)",
        "  2.jpg: the mask is 40 x 31 pixels, its image 40 x 32; draw it on the image as it is seen upright, "
        "at full size",
    ]
    (masks / "2.png").write_bytes(encode(values(0)))
    assert command("add", tmp_path / "c", "--images", images)[0].startswith("1 images added, 1 of them with a mask, 3 ")
    (tmp_path / "told.csv").write_text("item,label\n0,masks/0.png\n1,masks/1.png\n")
    assert command("tell", tmp_path / "c", tmp_path / "told.csv", "--import")[0].startswith("kept 2 labels")
    assert "shown by  sky 2, road 2, car 1" in command("status", tmp_path / "c")[0]


def test_status_goes_on_without_a_damaged_mask_and_says_whose(
    street: Campaign, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    street.tell({item: wanted(item) for item in (1, 3)}, imported=True)
    kept = street.directory.root / "masks" / street.store.labels([3]).values[0]
    kept.write_bytes(kept.read_bytes()[:40])
    monkeypatch.setattr("sys.argv", ["pickwell", "status", str(street.directory.root)])
    with contextlib.suppress(SystemExit):
        main()
    shown = capsys.readouterr().out
    assert "shown by  sky 1, road 1, car 0" in shown
    assert "masks that can be read no more: 1 (3.jpg); put them back, or tell them again" in shown
