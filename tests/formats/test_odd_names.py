"""Odd names of images and classes go out and come back the same, whichever goes with which."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pickwell import formats
from pickwell.data.pool import Pool
from pickwell.labels import check_classes
from pickwell.testing.format_bench import Bench

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
"""With a joiner, which is no character to print."""
NAMES = (
    "Müller.png",
    "Mu\u0308ller.png",
    f"{PERSIAN}.png",
    "猫\u3000白.png",
    "10\u00a0mm.png",
    "\U0001f469\u200d\U0001f33e.png",
    "Screenshot at 3.45.01\u202fPM.png",
    "gpj\u202e.png",
    "bell\x7f.png",
    "two\nlines\r\t.png",
    "a, b; \"c\" 'd'.png",
    "=1+2.png",
    "'-x.png",
    " around .png",
    "a.png.jpg",
    "plain.jpg",
    "plain.png",
    "0a1b2c3d-plain.png",
    "a_png.rf.0123456789abcdef.png",
    "100%20#?&d=x.png",
    "C:\\photos\\1.png",
    "sub/1.png",
    "12.png",
    "\ufeffmark.png",
    f"{'long' * 60}.png",
)
CLASSES = (
    PERSIAN,
    "猫\u3000白",
    "10\u00a0mm",
    "\U0001f469\u200d\U0001f33e",
    "Mu\u0308ller",
    "=SUM(A1)",
    "'-x",
    "a, b; \"c\" 'd'",
    "<b>&amp;",
    "0",
    "null",
    "café/thé: #1",
    "skip",
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    root = tmp_path_factory.mktemp("odd")
    for grey, name in enumerate(NAMES):
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2), grey).save(root / "images" / name)
    bench = Bench(Pool.create(root / "pool", root / "images"), root)
    assert sorted(bench.names) == sorted(NAMES)
    return bench


@pytest.mark.parametrize("name", ["csv", "cvat", "fiftyone", "label-studio"])
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.sampled_from(CLASSES), min_size=len(NAMES), max_size=len(NAMES)))
def test_odd_names_and_classes_come_back_the_same(name: str, odd: Bench, tmp_path: Path, said: list[str]) -> None:
    context = odd.context("classification", check_classes(CLASSES))
    (tmp_path / "out").unlink(missing_ok=True)
    formats.named(name).write(tmp_path / "out", odd.labelled(said), context)
    assert odd.read(name, tmp_path / "out", context) == dict(enumerate(said))
