import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pickwell.errors import LabelError, PoolError, SettingsError, StoreError, VersionError
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, shade in (("heron", 30), ("gull", 200)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (100, 80), (shade + 9 * number, 0, 0)).save(tmp_path / "photos" / name / f"{number}.jpg")
    (tmp_path / "photos" / "gull" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return tmp_path / "photos"


def test_defaults_follow_from_the_images(photos: Path, tmp_path: Path) -> None:
    summary = create(tmp_path / "c", photos, labels_from_folders=True)
    assert (summary.added, summary.set_aside) == (6, 1)
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.settings.task.classes == ("gull", "heron")
        assert campaign.settings.encoder == "lite0"
        assert campaign.settings.model.name == "logistic"
        assert campaign.settings.strategy == {"name": "uherding"}
        assert campaign.settings.validation.share == 0.1
    for number, chosen in enumerate(({"encoder": "none"}, {"model.name": "resnet18"})):
        create(tmp_path / f"pixels{number}", photos, labels_from_folders=True, settings=chosen)
        with Campaign(tmp_path / f"pixels{number}") as campaign:
            assert (campaign.settings.encoder, campaign.settings.model.name) == ("none", "resnet18")
            assert campaign.settings.model.image_size == 80
    create(tmp_path / "d", "digits", settings={"seed": 3})
    with Campaign(tmp_path / "d") as campaign:
        assert (campaign.settings.model.name, campaign.settings.model.image_size) == ("small_cnn", 16)


def test_images_of_the_test_set_are_no_images_to_pick(photos: Path, tmp_path: Path) -> None:
    held, quick = tmp_path / "held", {"encoder": "none", "training.epochs": 1, "model.name": "small_cnn"}
    for name, shade in (("heron", 90), ("gull", 120)):
        (held / name).mkdir(parents=True)
        Image.new("RGB", (100, 80), (shade, 0, 0)).save(held / name / "9.jpg")
    (photos / "gull/9 copy.jpg").write_bytes((held / "gull/9.jpg").read_bytes())
    # Inside the images' folder, and copied there under another name.
    held = held.rename(photos / "held")
    given: dict[str, Any] = {"test": held, "labels_from_folders": True, "settings": quick}
    summary = create(tmp_path / "c", photos, classes=["gull", "heron", "held"], **given)
    assert (summary.added, summary.reasons) == (6, {"of the test set": 3, "truncated": 1})
    (photos / "again.jpg").write_bytes((held / "heron/9.jpg").read_bytes())
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.add(photos).added == 0
        assert ("again.jpg", "of the test set", "heron/9.jpg") in campaign.pool.set_aside()
        assert not any("9" in name for name in campaign.pool.manifest.names())
    with pytest.raises(PoolError, match=r"no image to use at '.*held': 2 set aside \(2 of the test set\); gull/9"):
        create(tmp_path / "d", held, classes=["gull", "heron"], **given)


def test_a_named_test_set_replaces_the_held_out_slice(photos: Path, tmp_path: Path) -> None:
    quick: dict[str, Any] = {"training.epochs": 1, "model.name": "small_cnn", "model.image_size": 16}
    (tmp_path / "held/gull").mkdir(parents=True)
    Image.new("RGB", (100, 80), (99, 0, 0)).save(tmp_path / "held/gull/1.jpg")
    settings = {**quick, "strategy.name": "random"}
    create(tmp_path / "c", photos, test=tmp_path / "held", labels_from_folders=True, settings=settings)
    with Campaign(tmp_path / "c") as campaign:
        campaign.tell({0: "gull", 3: "heron"}, imported=True)
        assert campaign.fit().measured == 1
        assert not campaign.store.labels().held_out.any()


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"settings": {"strategy.name": "vall"}}, SettingsError, "unknown strategy 'vall'; did you mean 'vaal'"),
        ({"settings": {"model.name": "resnet81"}}, SettingsError, "unknown model 'resnet81'; did you mean 'resnet18'"),
        ({"settings": {"training.augment": "flip"}}, SettingsError, "unknown augmentation 'flip'"),
        ({"settings": {"training.epoch": 1}}, SettingsError, "unknown setting 'training.epoch'"),
        ({"classes": ["gull"]}, SettingsError, "a class list needs at least 2 classes"),
        ({"classes": ["gull", "tern"]}, LabelError, "the images' known labels: unknown class 'heron'"),
        ({"labels_from_folders": False}, SettingsError, "no class list: none was given"),
    ],
)
def test_nothing_half_done_stays(
    photos: Path, tmp_path: Path, arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        create(tmp_path / "c", photos, **{"labels_from_folders": True, **arguments})
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_the_same_command_goes_on_where_the_store_is_elsewhere(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(root: str, **more: Any) -> None:
        settings = {"store.url": f"sqlite:///{tmp_path}/labels.db", **more}
        create(tmp_path / root, photos, labels_from_folders=True, settings=settings)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pickwell.campaign.directory._appear", stopped)
        with pytest.raises(KeyboardInterrupt):
            make("birds")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.db", "photos"]
    for root, more in (("others", {}), ("birds", {"seed": 1}), ("birds", {"training.epochs": 7})):
        with pytest.raises(StoreError, match=f"holds the campaign 'birds' already; make '{root}' elsewhere"):
            make(root, **more)
    make("birds")
    with Campaign(tmp_path / "birds") as campaign:
        campaign.tell({0: "gull"}, imported=True)
    (tmp_path / "birds").rename(tmp_path / "away")
    with pytest.raises(StoreError, match="holds the campaign 'birds' already; make 'birds' elsewhere"):
        make("birds")


def test_a_directory_in_use_is_left_alone(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "diary.txt").write_text("dear diary")
    with pytest.raises(PoolError, match="already exists and is not empty"):
        create(tmp_path / "c", photos, labels_from_folders=True)
    assert (tmp_path / "c" / "diary.txt").read_text() == "dear diary"


def test_an_unlabelled_test_set_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="has 6 images of 6 without a label"):
        create(tmp_path / "c", photos, classes=["gull", "heron"], test=photos)


def test_what_is_no_campaign_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no campaign at .*nowhere: no such directory"):
        Campaign(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"it has no campaign\.toml"):
        Campaign(tmp_path)


def test_newer_and_damaged_campaigns_are_refused(made: Path, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "c"
    shutil.copytree(made, root)
    text = (root / "campaign.toml").read_text()
    (root / "campaign.toml").write_text(text.replace("format = 2", "format = 3"))
    with pytest.raises(VersionError, match="made by a newer version"):
        Campaign(root)
    (root / "campaign.toml").write_text(text)
    (root / "pickwell.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"not a database|damaged"):
        Campaign(root)
