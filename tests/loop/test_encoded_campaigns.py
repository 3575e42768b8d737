"""Campaigns whose images an encoder has looked at: tables, heads, first rounds, changes and kills."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pickwell import encoders
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.encoders.parts.network_encoder import NetworkEncoder
from pickwell.errors import EncoderError, SettingsError
from pickwell.features.encoding import encoded, name_of
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create

KINDS = ("checks", "stripes", "dots")


def picture(kind: str, number: int) -> Image.Image:
    """A pattern in colours of its own."""
    rng = np.random.default_rng([KINDS.index(kind), number])
    y, x = np.ogrid[:48, :64]
    period = int(rng.integers(3, 9))
    pattern = {
        "checks": (x // period + y // period) % 2,
        "stripes": (x // period + 0 * y) % 2,
        "dots": ((x % (2 * period) - period) ** 2 + (y % (2 * period) - period) ** 2 < (0.6 * period) ** 2).astype(int),
    }[kind]
    colours = rng.integers(0, 256, (2, 3))
    return Image.fromarray(np.clip(colours[pattern] + rng.integers(-9, 9, (48, 64, 1)), 0, 255).astype(np.uint8))


def pictures(root: Path, first: int, count: int) -> Path:
    for kind in KINDS:
        (root / kind).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            picture(kind, number).save(root / kind / f"{number:03d}.png")
    return root


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 pictures of three kinds to pick from, 24 to measure on."""
    root = tmp_path_factory.mktemp("town")
    pictures(root / "train", 0, 15)
    pictures(root / "test", 100, 8)
    return root


@pytest.fixture(scope="module")
def made(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with the defaults, encoded."""
    root = tmp_path_factory.mktemp("made") / "c"
    create(root, town / "train", test=town / "test", labels_from_folders=True)
    with Campaign(root) as campaign:
        assert campaign.encode() == 45 + 24
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "c"))


def change(root: Path, **settings: object) -> None:
    with OpenCampaign(root) as campaign:
        changed = campaign.settings.changed({key.replace("__", "."): value for key, value in settings.items()})
    (root / "campaign.toml").write_text(changed.toml())


def test_the_features_are_what_the_encoder_gives(made: Path, town: Path) -> None:
    with Campaign(made) as campaign:
        ids, rows = campaign.features()
        names = campaign.pool.manifest.names()
    assert ids.tolist() == list(range(45))
    images = [np.asarray(Image.open(town / "train" / name)) for name in names]
    assert np.array_equal(rows, encoders.load("lite0").encode(images))


def test_two_rounds_learn_what_there_is_to_learn(root: Path) -> None:
    with Campaign(root) as campaign:
        metrics = campaign.run(campaign.oracle("simulated"), rounds=2, budget=9)
        rounds = campaign.store.rounds()
    assert metrics.measured == 24
    assert metrics.values["accuracy"] > 0.8
    assert [question.strategy for question in rounds] == ["uherding", "uherding"]


def test_the_first_round_is_a_cover_whatever_picks_later(root: Path) -> None:
    with Campaign(root) as campaign:
        assert campaign.ask(6, "margin").strategy == "maxherding"
        again = campaign.ask(6)
        shown = {campaign.pool.item(pick.item).known for pick in again.picks}
    assert shown == set(KINDS)


def test_who_does_not_wait_for_the_encoder_gets_a_draw(town: Path, tmp_path: Path, root: Path) -> None:
    create(tmp_path / "new", town / "train", labels_from_folders=True)
    with Campaign(tmp_path / "new") as campaign:
        question = campaign.ask(6, now=True)
        assert question.strategy == "random"
        assert not campaign.directory.features.exists()
        campaign.tell({pick.item: campaign.pool.item(pick.item).known or "" for pick in question.picks})
        assert campaign.ask(6, now=True).strategy == "uherding"  # from now on features are needed
    with Campaign(root) as campaign:
        assert campaign.ask(6, now=True).strategy == "uherding"  # encoded already: a cover


@pytest.mark.parametrize("strategy", ["random", "core-set", "badge", "mc-dropout", "dbal", "qbc", "typiclust",
                                      "probcover", "dropquery", "vaal", "vaal-diverse", "vaal-no-vae"])  # fmt: skip
def test_every_kind_of_strategy_picks_from_vectors(strategy: str, root: Path) -> None:
    quick: dict[str, Any] = {"steps": 3} if strategy.startswith("vaal") else {}
    with Campaign(root) as campaign:
        campaign.tell({0: "checks", 1: "checks", 16: "dots", 17: "dots", 31: "dots"}, imported=True)
        question = campaign.ask(5, strategy, **quick)
        details = campaign.store.details(question.number)
    assert len({pick.item for pick in question.picks}) == 5
    assert details.learnt
    if strategy.startswith("vaal"):
        assert question.settings["representation"] == "features"


def test_a_representation_of_pixels_that_was_chosen_is_refused(root: Path) -> None:
    with (
        Campaign(root) as campaign,
        pytest.raises(SettingsError, match=r'looks at images, .* representation = "features"'),
    ):
        campaign.ask(5, "vaal", representation="patches")


def test_images_that_are_added_are_encoded_and_no_other_again(root: Path, tmp_path: Path) -> None:
    more = pictures(tmp_path / "more", 50, 2)
    seen: list[tuple[str, int, int]] = []
    with Campaign(root, progress=lambda *told: seen.append(told)) as campaign:
        before = campaign.features()[1].copy()
        campaign.add(more, labels_from_folders=True)
        after = campaign.features()[1]
        assert len(campaign.images) == 51
    assert np.array_equal(after[:45], before)
    assert [told for told in seen if told[0] == "encoding"][-1] == ("encoding", 6, 6)


def test_another_encoder_has_a_table_of_its_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Campaign(root) as campaign:
        campaign.tell({0: "checks", 20: "dots"}, imported=True)
        first = campaign.fit()
        folder = campaign.directory.features / name_of(encoders.load("lite0"))
    kept = {path: path.read_bytes() for path in folder.iterdir() if path.suffix == ".f32"}
    monkeypatch.setattr("pickwell.encoders.parts.lite_encoder.CROP", 0.9)  # as if its preprocessing had changed
    with Campaign(root) as campaign:
        campaign.fit()
        tables = sorted(path.name for path in campaign.directory.features.iterdir() if path.name != "test")
        keys = [path.name for path in campaign.directory.fits.glob("*.safetensors")]
    assert len(tables) == 2
    assert len(keys) == 2
    assert {path: path.read_bytes() for path in kept} == kept
    assert first.labels == 2


def test_an_encoder_that_is_not_there_is_told_and_people_go_on_labelling(root: Path) -> None:
    change(root, encoder="timm:resnet18")
    with Campaign(root) as campaign:
        campaign.tell({0: "checks"}, imported=True)  # what needs no features goes on
        with pytest.raises(EncoderError, match=r"pip install .*timm"):
            campaign.ask(3)
    change(root, encoder="lit")
    with Campaign(root) as campaign, pytest.raises(SettingsError, match="unknown encoder 'lit'; did you mean 'lite"):
        campaign.ask(3)


def test_an_encoder_that_is_not_there_makes_no_campaign(town: Path, tmp_path: Path) -> None:
    for name, error in (("lite9", SettingsError), ("onnx:gone.onnx", EncoderError)):
        with pytest.raises(error):
            create(tmp_path / "c", town / "train", labels_from_folders=True, settings={"encoder": name})
        assert not (tmp_path / "c").exists()


def test_a_head_for_pixels_and_an_encoder_are_refused_together(town: Path, tmp_path: Path) -> None:
    chosen = {"encoder": "lite0", "model.name": "resnet18"}
    with pytest.raises(SettingsError, match=r"model.name is 'resnet18'.* set it to linear or logistic or mlp"):
        create(tmp_path / "c", town / "train", labels_from_folders=True, settings=chosen)


def test_a_head_for_vectors_and_no_encoder_are_refused_together(root: Path, town: Path, tmp_path: Path) -> None:
    chosen = {"encoder": "none", "model.name": "logistic"}
    said = r"model.name is 'logistic', which learns from vectors, and encoder is \"none\"; name an encoder .* resnet18"
    with pytest.raises(SettingsError, match=said):
        create(tmp_path / "new", town / "train", labels_from_folders=True, settings=chosen)
    change(root, encoder="none")
    with Campaign(root) as campaign, pytest.raises(SettingsError, match=said):
        campaign.ask(3)


def test_an_image_of_which_no_vector_can_be_made_is_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pickwell.features.encoding.BATCH", 8)

    def mean(broken: float) -> NetworkEncoder:
        """The mean of an image, NaN where it is `broken`."""
        return NetworkEncoder(
            "mean",
            lambda pixels: pixels.mean(axis=(0, 1, 2), keepdims=True).astype(np.float32)[0, 0],
            lambda means: np.where(means == broken, np.nan, means),
            least=8,
            identity="d" * 64,
            licence="none",
        )

    with Campaign(root) as campaign:
        worst = float(np.float32(campaign.pool.pixels(20, 8).mean()))
        said = r"^dots/005.png: mean makes values that are not finite of 1 of 8 images, the first of them image 4"
        with pytest.raises(EncoderError, match=said):
            encoded(campaign.pool, mean(worst), tmp_path)
        assert len(encoded(campaign.pool, mean(-1), tmp_path)) == 45


def test_a_full_disk_while_encoding_is_a_sentence_and_encoding_goes_on_afterwards(town: Path, tmp_path: Path) -> None:
    root = tmp_path / "c"
    create(root, town / "train", labels_from_folders=True)
    # No file may grow beyond 100,000 bytes, 19 rows and a half, which is as a full disk.
    command = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
    command += "from pickwell.cli import main; sys.argv = ['pickwell', 'encode', sys.argv[1]]; main()"
    ended = subprocess.run([sys.executable, "-c", command, str(root)], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"pickwell: {root}/features/lite0-")
    assert ended.stderr.endswith(
        "/000000.f32: File too large; choose a disk that takes larger files and repeat the command\n"
    )
    told: list[int] = []
    with Campaign(root, progress=lambda what, done, total: told.append(total)) as campaign:
        assert campaign.encode() == 45
    assert told[0] == 45 - 100_000 // (4 * 1280)


def test_an_image_that_is_gone_is_left_out_until_it_is_back(town: Path, tmp_path: Path) -> None:
    images = Path(shutil.copytree(town / "train", tmp_path / "images"))
    create(tmp_path / "c", images, labels_from_folders=True)
    (images / "stripes" / "014.png").unlink()
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.encode() == 45
        assert np.isnan(campaign.features()[1][:, 0]).nonzero()[0].tolist() == [44]
    picture("stripes", 14).save(images / "stripes" / "014.png")
    told: list[str] = []
    with Campaign(tmp_path / "c", progress=lambda what, done, total: told.append(what)) as campaign:
        assert campaign.encode() == 45
        assert not np.isnan(campaign.features()[1]).any()
    assert told == []  # what was encoded before is not encoded again


def test_a_campaign_of_the_first_format_opens_as_it_was(town: Path, tmp_path: Path) -> None:
    create(tmp_path / "c", town / "train", labels_from_folders=True, settings={"encoder": "none"})
    path = tmp_path / "c" / "campaign.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("encoder", "C = ", "class_weight"))]
    path.write_text("\n".join(lines).replace("format = 2", "format = 1"))
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.settings.encoder == "none"
        assert campaign.settings.model.name == "small_cnn"
        with pytest.raises(SettingsError, match='encoder is "none", so there are no features'):
            campaign.features()


def test_the_test_set_follows_the_pool_that_it_is_standardised_by(root: Path, tmp_path: Path) -> None:
    more = pictures(tmp_path / "more", 50, 3)
    with Campaign(root) as campaign:
        assert campaign.test_images is not None
        campaign.add(more, labels_from_folders=True)
        at_once = [rows for _, rows in campaign.test_images.chunks(torch.arange(4))]
    with Campaign(root) as again:
        assert again.test_images is not None
        opened = [rows for _, rows in again.test_images.chunks(torch.arange(4))]
    assert torch.equal(torch.cat(opened), torch.cat(at_once))


def test_a_file_beside_the_campaign_is_found_from_anywhere(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors(tmp_path, NAMES)
    monkeypatch.chdir(tmp_path)
    create("c", town / "train", labels_from_folders=True, settings={"encoder": "features:v.npy"})
    monkeypatch.chdir(town)
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.features()[1].shape == (45, 7)
        assert len(campaign.ask(6).picks) == 6
        assert campaign.settings.encoder == f"features:{tmp_path / 'v.npy'}"


def vectors(place: Path, names: Sequence[str]) -> str:
    """A file of made-up vectors of images, as an encoder's name."""
    np.save(place / "v.npy", np.random.default_rng(0).normal(size=(len(names), 7)).astype(np.float32))
    (place / "v.names.txt").write_text("\n".join(names))
    return f"features:{place}/v.npy"


NAMES = [f"{kind}/{number:03d}.png" for kind in sorted(KINDS) for number in range(15)]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (NAMES[:-2], r"no vector for 2 names \(stripes/013.png, stripes/014.png\); name its rows as `pickwell export`"),
        (
            [*NAMES, "dots/99.png"],
            r"has vectors for 1 name \(dots/99.png\), which are no images .*allow-unmatched",
        ),
        ([name.upper() for name in NAMES], r"no vector for 45 names .* and vectors for 45 names \(CHECKS/000.PNG, "),
    ],
)
def test_names_that_do_not_agree_make_no_campaign(names: list[str], said: str, town: Path, tmp_path: Path) -> None:
    chosen = {"encoder": vectors(tmp_path, names)}
    with pytest.raises(EncoderError, match=said):
        create(tmp_path / "c", town / "train", labels_from_folders=True, settings=chosen)
    assert not (tmp_path / "c").exists()


def test_images_without_a_vector_are_set_aside_where_that_is_allowed(
    town: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = {"encoder": vectors(tmp_path, [*NAMES[:-2], "gone.png"]), "allow_unmatched": True}
    summary = create(tmp_path / "c", town / "train", labels_from_folders=True, settings=chosen)
    assert str(summary) == "43 images added, 43 in the pool; 2 set aside (2 without a vector)"
    assert "no vector for 2 names (stripes/013.png, stripes/014.png) and vectors for 1 name (gone.png), " in caplog.text
    with Campaign(tmp_path / "c") as campaign:
        assert len(campaign.ask(43).picks) == 43
        assert [name for name, *_ in campaign.pool.set_aside()] == NAMES[-2:]
        vectors(tmp_path, NAMES)
    with Campaign(tmp_path / "c") as campaign:  # the file has them now
        assert campaign.add(town / "train", labels_from_folders=True).added == 2
        assert campaign.pool.set_aside() == []
        assert campaign.features()[1].shape == (45, 7)


def test_images_that_a_file_of_vectors_lacks_are_not_added(town: Path, tmp_path: Path) -> None:
    chosen = {"encoder": vectors(tmp_path, NAMES)}
    create(tmp_path / "c", town / "train", labels_from_folders=True, settings=chosen)
    with Campaign(tmp_path / "c") as campaign:
        with pytest.raises(EncoderError, match=r"no vector for 24 names \(checks/100.png, .*allow_unmatched"):
            campaign.add(town / "test", labels_from_folders=True)
        assert len(campaign.pool) == 45


def test_another_file_of_vectors_must_have_the_whole_pool(town: Path, root: Path, tmp_path: Path) -> None:
    change(root, encoder=vectors(tmp_path, NAMES[:-1]))
    with Campaign(root) as campaign, pytest.raises(EncoderError, match=r"no vector for 1 name .*give each image a vec"):
        campaign.ask(3)


def test_one_name_in_the_pool_and_the_test_set_is_refused(town: Path, tmp_path: Path) -> None:
    chosen = {"encoder": vectors(tmp_path, NAMES)}
    with pytest.raises(EncoderError, match=r"one vector for 45 names .*, of which there are two images"):
        create(tmp_path / "c", town / "train", test=town / "train", labels_from_folders=True, settings=chosen)
    assert not (tmp_path / "c").exists()


@pytest.mark.slow
def test_killed_at_any_moment_the_table_is_the_same(town: Path, made: Path, tmp_path: Path) -> None:
    """The command itself, killed ten times; then every row is there once, with the same bytes."""
    root = tmp_path / "c"
    images = pictures(tmp_path / "images", 0, 120)
    create(root, images, labels_from_folders=True)
    create(tmp_path / "straight", images, labels_from_folders=True)
    command = "import sys; from pickwell.loop.campaign import Campaign; Campaign(sys.argv[1]).encode()"
    chance, before = np.random.default_rng(0), 0
    for _ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", command, str(root)])
        time.sleep(float(chance.uniform(2.5, 4.5)))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        files = list((root / "features").glob("*/*.f32"))
        rows = sum(path.stat().st_size for path in files) // (4 * 1280)
        assert rows >= before
        before = rows
    with Campaign(root) as campaign, Campaign(tmp_path / "straight") as straight:
        assert np.array_equal(campaign.features()[1], straight.features()[1])
    assert before > 0
