"""Formats of class names: there and back, and as other tools write them."""

import csv
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from pickwell import formats
from pickwell.data.pool import Pool
from pickwell.errors import LabelError, RoundError, SettingsError
from pickwell.formats.exporting import question
from pickwell.items import Kind, Pick, PickState, Round, RoundState
from pickwell.testing.format_bench import Bench

CLASSES = ("cat", "a & <b>", 'été "1", x')
FORMATS = [
    name
    for name in formats.available()
    if hasattr(formats.named(name), "write") and "classification" in formats.tasks_of(formats.named(name))
]


def test_the_formats_are_those_of_the_table() -> None:
    assert FORMATS == ["csv", "cvat", "fiftyone", "folders", "label-studio", "labelme", "yolo"]
    assert formats.available() == [
        *("bdd100k", "camvid", "cityscapes", "coco", "csv", "cvat", "fiftyone", "folders", "label-studio", "labelme"),
        *("links", "masks", "text", "voc", "yolo"),
    ]


def test_formats_that_cannot_do_it_name_those_that_can() -> None:
    with pytest.raises(SettingsError, match="unknown format 'cocoa'; did you mean 'coco'"):
        formats.named("cocoa")
    with pytest.raises(SettingsError, match=r"of classification cannot be imported as coco; available: csv, cvat"):
        formats.named("coco", "read", "classification")
    with pytest.raises(SettingsError, match="labels of segmentation cannot be exported as folders; available: bdd100k"):
        formats.named("folders", "write", "segmentation")
    with pytest.raises(SettingsError, match="written as a to-label list as voc; available: csv, label-studio"):
        formats.named("voc", "ask")


def test_a_folder_per_class_holds_links_that_lead_to_the_images(bench: Bench) -> None:
    formats.named("folders").write(
        bench.root / "out", bench.labelled(["cat", "cat"]), bench.context("classification", ("cat", "dog"))
    )
    link = bench.root / "out" / "cat" / "train" / "b c.png"
    assert link.is_symlink()
    assert link.read_bytes() == bench.pool.bytes(1)


def test_copies_of_the_images_where_they_are_wanted(bench: Bench) -> None:
    context = replace(bench.context("classification", ("cat", "dog")), copies=True)
    formats.named("folders").write(bench.root / "out", bench.labelled(["cat", "dog"]), context)
    formats.named("links").ask(bench.root / "list", replace(bench.asked(0, 1), copies=True))
    for path in ("out/cat/train/a.jpg", "list/0001_a.jpg"):
        assert not (bench.root / path).is_symlink()
        assert (bench.root / path).read_bytes() == bench.pool.bytes(0)


def test_a_folder_per_class_as_others_sort_it(bench: Bench) -> None:
    for name in ("cat/b c.png", "dog/sub/a.jpg", "_unlabelled/déjà.png", ".cache/a.jpg", "dog/notes.txt"):
        (bench.root / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.root / "in" / name).touch()
    context = bench.context("classification", ("cat", "dog"))
    assert bench.read("folders", bench.root / "in", context) == {1: "cat", 3: "dog"}


@pytest.mark.parametrize("class_name", ["../out", "..", "/tmp/x", "a/../../b"])
def test_a_class_cannot_lead_out_of_the_folder(class_name: str, bench: Bench) -> None:
    context = bench.context("classification", ("cat", class_name))
    with pytest.raises(LabelError, match=re.escape(f"the class '{class_name}' cannot be a file below")):
        formats.named("folders").write(bench.root / "out", bench.labelled(["cat", class_name]), context)
    assert list(bench.root.iterdir()) == []


@pytest.mark.parametrize("class_name", ["a/b", "b/", ".hidden", "_unlabelled"])
def test_a_class_that_would_come_back_as_another_is_no_folder(class_name: str, bench: Bench) -> None:
    context = bench.context("classification", ("cat", class_name))
    with pytest.raises(LabelError, match=re.escape(f"the class '{class_name}' would not be found again as a folder")):
        formats.named("folders").write(bench.root / "out", bench.labelled(["cat", class_name]), context)
    assert list(bench.root.iterdir()) == []


def test_fiftyone_as_it_writes_it(bench: Bench) -> None:
    labels = {"train/a": 1, "b c": {"label": "cat", "confidence": 0.4, "attributes": {"round": 3}}, "déjà": None}
    (bench.root / "labels.json").write_text(json.dumps({"classes": ["cat", "dog"], "labels": labels}))
    context = bench.context("classification", ("cat", "dog"))
    assert bench.read("fiftyone", bench.root, context) == {0: "dog", 1: "cat"}
    assert bench.read("fiftyone", bench.root / "labels.json", context) == {0: "dog", 1: "cat"}
    (bench.root / "labels.json").write_text(json.dumps({"classes": ["cat"], "labels": {"b c": 1, "déjà": -1}}))
    with pytest.raises(LabelError, match=r"labels that do not fit: 2 \(b c: its label is 1: no name, nor a place"):
        bench.read("fiftyone", bench.root, context)


def test_what_fiftyone_writes_is_complete(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    formats.named("fiftyone").write(bench.root / "labels.json", bench.labelled(["dog", "cat"]), context)
    assert json.loads((bench.root / "labels.json").read_text()) == {
        "classes": ["cat", "dog"],
        "labels": {"train/a": 1, "train/b c": 0},
    }


STUDIO = {
    "id": 11,
    "data": {"image": "/data/local-files/?d=train/b%20c.png"},
    "annotations": [
        {
            "id": 5,
            "completed_by": {"id": 2, "email": "ann@example.com"},
            "lead_time": 1.83,
            "was_cancelled": False,
            "result": [
                {
                    "id": "x",
                    "from_name": "choice",
                    "to_name": "image",
                    "type": "choices",
                    "value": {"choices": ["dog"]},
                    "origin": "manual",
                }
            ],
        }
    ],
    "predictions": [],
}


def studio(bench: Bench, *changes: dict[str, object]) -> Path:
    (bench.root / "export.json").write_text(json.dumps([{**STUDIO, **change} for change in changes]))
    return bench.root / "export.json"


@pytest.mark.parametrize(
    "image",
    [
        "/data/local-files/?d=train/b%20c.png",
        "http://localhost:8080/data/local-files/?d=photos/train/b+c.png",
        "/data/upload/7/0a1b2c3d-b%20c.png",
        "https://example.com/photos/train/b%20c.png?token=1",
        "s3://bucket/train/b%20c.png",
        "train/b c.png",
    ],
)
def test_label_studio_names_images_by_address(bench: Bench, image: str) -> None:
    context = bench.context("classification", ("cat", "dog"))
    found = formats.named("label-studio").read(studio(bench, {"data": {"image": image}}), context)
    assert bench.gather(found, context).labels[0].item == 1
    assert (found[0].annotator, found[0].seconds, found[0].label) == ("ann@example.com", 1.83, "dog")


def test_label_studio_skips_are_skips_and_cancelled_ones_give_way(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    cancelled = {"result": [], "was_cancelled": True}
    kept = STUDIO["annotations"][0]  # type: ignore[index]
    path = studio(
        bench,
        {"data": {"image": "a", "name": "train/a.jpg"}, "annotations": [cancelled]},
        {"annotations": [cancelled, kept]},
        {"data": {"image": "déjà.png"}, "annotations": []},
    )
    gathered = bench.gather(formats.named("label-studio").read(path, context), context)
    assert [(label.item, str(label.kind), label.value) for label in gathered.labels] == [
        (0, "skip", None),
        (1, "answer", "dog"),
    ]


def test_label_studio_tasks_say_who_when_and_what_was_skipped(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    first, second, third = bench.labelled(["dog", "", ""])
    when = datetime(2026, 11, 22, 14, 34, 18, 318794, UTC)
    told = [
        replace(first, annotator="ann@example.com", seconds=1.83, time=when),
        replace(second, kind=Kind.SKIP, annotator="bob"),
        replace(third, kind=Kind.IGNORE),
    ]
    formats.named("label-studio").write(bench.root / "out.json", told, context)
    tasks = json.loads((bench.root / "out.json").read_text())
    (answer,), (skip,), (ignore,) = (task["annotations"] for task in tasks)
    assert answer.pop("result")[0]["value"] == {"choices": ["dog"]}
    known = {"completed_by": {"email": "ann@example.com"}, "lead_time": 1.83, "created_at": when.isoformat()}
    assert answer == {"was_cancelled": False, **known}
    assert skip == {"result": [], "was_cancelled": True, "completed_by": {"email": "bob"}}
    assert ignore == {"result": [], "was_cancelled": True}
    assert [task["data"].get("ignored") for task in tasks] == [None, None, True]


def test_label_studio_annotators_who_disagree_are_not_chosen_from(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    kept = STUDIO["annotations"][0]  # type: ignore[index]
    other = json.loads(json.dumps(kept).replace("dog", "cat"))
    assert bench.read("label-studio", studio(bench, {"annotations": [kept, kept]}), context) == {1: "dog"}
    with pytest.raises(LabelError, match="images with two labels: 1"):
        bench.read("label-studio", studio(bench, {"annotations": [kept, other]}), context)


def test_label_studio_needs_one_choice(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    several = json.loads(json.dumps(STUDIO["annotations"]).replace('["dog"]', '["dog", "cat"]'))
    for annotations, count in ((several, 2), ([{"result": []}], 0)):
        with pytest.raises(LabelError, match=f"task 11 has {count} choices of the whole image; a class is exactly"):
            bench.read("label-studio", studio(bench, {"annotations": annotations}), context)
    (bench.root / "min.json").write_text('[{"image": "x", "choice": "dog"}]')
    with pytest.raises(LabelError, match="export as JSON, not as JSON-MIN"):
        bench.read("label-studio", bench.root / "min.json", context)


def test_label_studio_choices_of_a_region_are_not_the_image_s(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    whole = STUDIO["annotations"][0]["result"][0]  # type: ignore[index]
    corner = {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0}
    drawn = {**whole, "id": "r", "type": "rectanglelabels", "value": {**corner, "rectanglelabels": ["beak"]}}
    beside, by_id = {**corner, "choices": ["cat"]}, {"choices": ["cat"]}
    for value in (beside, by_id):
        of_region = {**drawn, "type": "choices", "value": value}
        with_whole = studio(bench, {"annotations": [{"result": [of_region, drawn, whole]}]})
        assert bench.read("label-studio", with_whole, context) == {1: "dog"}
        with pytest.raises(LabelError, match="task 11 has 0 choices of the whole image"):
            bench.read("label-studio", studio(bench, {"annotations": [{"result": [drawn, of_region]}]}), context)


def test_a_cvat_subset_is_the_folder_that_the_image_is_in(tmp_path: Path) -> None:
    for name in ("train/img0.jpg", "val/img0.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), len(name)).save(tmp_path / "images" / name)
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), tmp_path)
    context = bench.context("classification", ("heron", "gull"))
    image = '<image id="0" name="{}" subset="{}"><tag label="{}"/></image>'
    for names in (("img0.jpg", "img0.jpg"), ("train/img0.jpg", "val/img0.jpg")):
        images = "".join(map(image.format, names, ("train", "val"), ("heron", "gull")))
        (tmp_path / "a.xml").write_text(f"<annotations>{images}</annotations>")
        assert bench.read("cvat", tmp_path / "a.xml", context) == {0: "heron", 1: "gull"}
    (tmp_path / "a.xml").write_text(f"<annotations>{image.format('img0.jpg', 'test', 'gull')}</annotations>")
    with pytest.raises(LabelError, match=r"images that the pool does not have: 1 \(test/img0\.jpg\)"):
        bench.read("cvat", tmp_path / "a.xml", context)


def test_cvat_tags_that_disagree_are_not_chosen_from(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    image = '<annotations><image id="0" name="b c.png"><tag label="cat"/><tag label="{}"/></image></annotations>'
    (bench.root / "same.xml").write_text(image.format("cat"))
    (bench.root / "other.xml").write_text(image.format("dog"))
    assert bench.read("cvat", bench.root / "same.xml", context) == {1: "cat"}
    with pytest.raises(LabelError, match=r"b c\.png: it has 2 tags, 'cat' first; a class is exactly one"):
        bench.read("cvat", bench.root / "other.xml", context)


@pytest.mark.parametrize(
    "text",
    [
        "filename,class\ntrain/b c.png,dog\n",
        "\ufeffLABEL;note;Image\r\ndog;x;b c.png\r\n",
        "ITEM\ttarget\n1\tdog\n0\t\n",
        'path,label\n"train/b c.png","dog"\n\n',
        ",image_id,category\n0,b c,dog\n",
        "item,name,label\n0,train\\b c.png,dog\n",
        "image,id,choice,annotator\n/data/local-files/?d=train/b%20c.png,7,dog,ann\n",
        "id,file_name,label\n0,../upload/3/0a1b2c3d-b_c.png,dog\n",
    ],
)
def test_csv_under_other_headers(bench: Bench, text: str) -> None:
    (bench.root / "labels.csv").write_text(text, encoding="utf-8")
    assert bench.read("csv", bench.root / "labels.csv", bench.context("classification", ("cat", "dog"))) == {1: "dog"}


def test_a_list_from_another_campaign_goes_by_its_names(tmp_path: Path) -> None:
    """Its ids are other images' here: 0new.jpg came first."""
    for name in ("0new.jpg", "a.jpg", "b.jpg"):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("L", (2, 2)).save(tmp_path / "images" / name)
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), tmp_path)
    context = bench.context("classification", ("heron", "gull"))
    (tmp_path / "a.csv").write_text("item,name,label\n0,a.jpg,heron\n1,b.jpg,gull\n")
    assert bench.read("csv", tmp_path / "a.csv", context) == {1: "heron", 2: "gull"}
    (tmp_path / "a.csv").write_text("item,name,label\n0,elsewhere.jpg,heron\n")
    with pytest.raises(LabelError, match=r"images that the pool does not have: 1 \(elsewhere\.jpg\)"):
        bench.read("csv", tmp_path / "a.csv", context)


def test_ids_of_others_are_names(tmp_path: Path) -> None:
    for number in range(1, 13):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("L", (2, 2)).save(tmp_path / "images" / f"{number}.png")
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), tmp_path)
    context = bench.context("classification", ("cat", "dog"))
    (tmp_path / "train.csv").write_text("id,label\n1,cat\n12,dog\n")
    assert {bench.names[item]: label for item, label in bench.read("csv", tmp_path / "train.csv", context).items()} == {
        "1.png": "cat",
        "12.png": "dog",
    }
    (tmp_path / "train.csv").write_text("id,label\n0,cat\n")
    with pytest.raises(LabelError, match=r"images that the pool does not have: 1 \(0\)"):
        bench.read("csv", tmp_path / "train.csv", context)


def test_csv_ids_beyond_the_pool_are_names(bench: Bench) -> None:
    (bench.root / "labels.csv").write_text("item,label\n99,dog\n0,dog\n")
    with pytest.raises(LabelError, match=r"images that the pool does not have: 1 \(99\)"):
        bench.read("csv", bench.root / "labels.csv", bench.context("classification", ("cat", "dog")))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"is empty; its header line must name one of the image \(item, path, name"),
        ("image\nx\n", r"has the columns image; .* and one of the label \(label, class, category, choice, target\)"),
        ("image,label\nx,dog,3\n", "line 2 has 3 cells, its header 2; quote values that hold a separator"),
        ("image,label\nx\n", "line 2 ends before its label; write a separator for every column"),
        ('image,label\n"x,dog\ny,cat\n', "line 2 is not CSV: unexpected end of data"),
    ],
)
def test_wrong_csv_files_are_told(bench: Bench, text: str, sentence: str) -> None:
    (bench.root / "labels.csv").write_text(text)
    with pytest.raises(LabelError, match=sentence):
        bench.read("csv", bench.root / "labels.csv", bench.context("classification", ("cat", "dog")))


@pytest.mark.parametrize("mask", ["../mask.png", "/etc/hostname", "a/../../mask.png"])
def test_csv_masks_stay_below_their_folder(bench: Bench, mask: str) -> None:
    (bench.root / "in").mkdir()
    (bench.root / "in" / "labels.csv").write_text(f"image,label\nb c.png,{mask}\n")
    with pytest.raises(LabelError, match=f"the mask '{mask}' cannot be a file below"):
        bench.maps("csv", bench.root / "in" / "labels.csv", bench.context("segmentation", ("cat", "dog")))


def test_the_to_label_list_is_in_rank_order_everywhere(bench: Bench) -> None:
    asked = bench.asked(2, 0, 3, 1, prefix="/data/local-files/?d=photos/")
    order = ["val/déjà.png", "train/a.jpg", "val/sub/a.jpg", "train/b c.png"]
    assert bench.names == ["train/a.jpg", "train/b c.png", "val/déjà.png", "val/sub/a.jpg"]
    for name in ("csv", "text", "label-studio", "links"):
        formats.named(name, "ask").ask(bench.root / name, asked)
    assert (bench.root / "text").read_text() == "".join(f"{name}\n" for name in order)
    rows = list(csv.DictReader((bench.root / "csv").read_text().splitlines()))
    assert [(row["rank"], row["item"], row["name"], row["score"], row["label"]) for row in rows] == [
        (str(rank), str(item), name, f"{0.5 / rank:.6g}", "")
        for rank, item, name in zip(range(1, 5), (2, 0, 3, 1), order, strict=True)
    ]
    tasks = json.loads((bench.root / "label-studio").read_text())
    assert [task["data"]["name"] for task in tasks] == order
    assert tasks[3]["data"] == {
        "image": "/data/local-files/?d=photos/train/b%20c.png",
        "name": "train/b c.png",
        "item": 1,
        "round": 3,
        "rank": 4,
        "score": 0.125,
    }
    links = sorted((bench.root / "links").iterdir())
    assert [link.name for link in links] == ["0001_déjà.png", "0002_a.jpg", "0003_a.jpg", "0004_b c.png"]
    assert [link.read_bytes() for link in links] == [bench.pool.bytes(item) for item in (2, 0, 3, 1)]


def test_only_what_waits_is_on_the_list(bench: Bench) -> None:
    picks = (
        Pick(3, 2, 0.5),
        Pick(1, 3, 0.4, state=PickState.ANSWERED),
        Pick(0, 1, 0.0, held_out=True),
        Pick(2, 4, 0.1, state=PickState.LEASED),
    )
    asked = question(Round(1, RoundState.OPEN, "vaal", 0, picks), bench.pool)
    assert [(one.item, one.rank, one.score) for one in asked.asked] == [(0, 1, None), (3, 2, 0.5), (2, 4, 0.1)]
    with pytest.raises(RoundError, match="no round is open, so there is no to-label list; ask opens one"):
        question(None, bench.pool)


def test_names_that_cannot_be_written_are_told(bench: Bench, tmp_path: Path) -> None:
    from PIL import Image

    from pickwell.data.pool import Pool

    (tmp_path / "images").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "images" / "a\nb.png")
    odd = Bench(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), tmp_path)
    with pytest.raises(LabelError, match=r"the image 'a\\nb\.png' has a line break in its name; write the list as csv"):
        formats.named("text").ask(tmp_path / "out", odd.asked(0))
    context = odd.context("classification", ("cat", "dog"))
    for name in ("csv", "cvat", "label-studio", "fiftyone", "folders"):
        formats.named(name).write(tmp_path / name, odd.labelled(["cat"]), context)
        assert odd.read(name, tmp_path / name, context) == {0: "cat"}
    (tmp_path / "images" / "a\nb.png").rename(tmp_path / "images" / "a\x1bb.png")
    steering = Bench(Pool.create(tmp_path / "other pool", tmp_path / "images"), tmp_path)
    with pytest.raises(LabelError, match=r"the name 'a\\x1bb\.png' cannot be written as XML"):
        formats.named("cvat").write(tmp_path / "out", steering.labelled(["cat"]), context)
    assert not (tmp_path / "out").exists()
