"""What every format must keep to; subclass it in a test and say which module yours is.

class TestMine(FormatContract):
    def make(self) -> ModuleType:
        return my_package.my_format
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pickwell import formats, tasks
from pickwell.errors import LabelError
from pickwell.tasks.segmentation.label_maps import Mask
from pickwell.testing.format_bench import Bench, four_images

RUBBISH = (
    b"", b"\x00" * 100, b"\xff\xfe\x00", b"{}", b"[]", b"null", b"[[]]", b"[1]", b'{"labels": NaN}', b"[" * 200_000,
    b'{"images":' * 50_000, b"[" + b"9" * 5000 + b"]", b"<annotations/>", b"<annotations><image/></annotations>",
    b"image,label\n", b"image,label\n" + b'"' * 100_000,
)  # fmt: skip


class FormatContract(ABC):
    """A pool of four images; a test of what the format cannot do, or not for that kind of task, is skipped."""

    classes: Sequence[str] = ("road", "a & <b>", 'été "1"', "x,y;z", "background")
    """What labels are of; a format that knows certain classes alone names some of these."""

    @abstractmethod
    def make(self) -> ModuleType:
        """The format."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        """The images, and an empty folder."""
        (tmp_path / "files").mkdir()
        return Bench(four_images(tmp_path), tmp_path / "files")

    def made_for(self, *doing: str) -> list[str]:
        """The kinds of task for which the format can do that; the test is skipped where there is none."""
        made = self.make()
        kinds = formats.tasks_of(made) if all(hasattr(made, name) for name in doing) else []
        return kinds or pytest.skip("it is not for that")

    def able(self, kind: str) -> ModuleType:
        """The format, if it reads and writes labels of a kind of task; else the test is skipped."""
        return self.make() if kind in self.made_for("read", "write") else pytest.skip("it is not for that")

    def test_it_says_what_it_is_for(self) -> None:
        made = self.make()
        assert made.__doc__
        assert {*formats.tasks_of(made)} <= {*tasks.available()}
        assert any(hasattr(made, name) for name in ("read", "write", "ask"))

    def test_classes_come_back(self, bench: Bench) -> None:
        made, context = self.able("classification"), bench.context("classification", self.classes)
        labels = [self.classes[at] for at in (1, 2, 1, 0)]
        made.write(bench.root / "out", bench.labelled(labels), context)
        assert bench.read(made, bench.root / "out", context) == dict(enumerate(labels))
        assert [path.name for path in bench.root.iterdir()] == ["out"]

    def test_a_class_that_the_campaign_lacks_is_refused(self, bench: Bench) -> None:
        made = self.able("classification")
        theirs = bench.context("classification", ("cat", "dgo"))
        made.write(bench.root / "out", bench.labelled(["dgo", "cat"]), theirs)
        ours = bench.context("classification", ("cat", "dog"))
        with pytest.raises(LabelError, match=r"of a class that the campaign does not have: 1 \(unknown class 'dgo'"):
            bench.read(made, bench.root / "out", ours)
        assert bench.read(made, bench.root / "out", ours, skip=True) == {1: "cat"}

    @pytest.mark.parametrize("fill", [255, 0, -1])
    def test_masks_come_back(self, bench: Bench, fill: int) -> None:
        """Ignored pixels, the first class and the last one: whole images, and a single pixel of another."""
        made, context = self.able("segmentation"), bench.context("segmentation", self.classes)
        value = fill % len(self.classes) if fill < 0 else fill
        masks: list[Mask] = [np.full(bench.size(item)[::-1], value, dtype=np.uint8) for item in range(4)]
        masks[0][-1, -1] = 1
        made.write(bench.root / "out.file", bench.labelled(masks), context)
        found = bench.maps(made, bench.root / "out.file", context)
        assert found == {item: mask.tolist() for item, mask in enumerate(masks)}

    def test_nothing_is_written_over(self, bench: Bench) -> None:
        for kind in self.made_for("write"):
            label = self.classes[0] if tasks.named(kind).typed else np.zeros((6, 9), np.uint8)
            (bench.root / "there").write_text("mine")
            with pytest.raises(LabelError, match="is there already; name another place, or remove it"):
                self.make().write(bench.root / "there", bench.labelled([label]), bench.context(kind, self.classes))
            assert (bench.root / "there").read_text() == "mine"
            assert [path.name for path in bench.root.iterdir()] == ["there"]

    def refusals(self, bench: Bench, where: Path) -> Iterator[str]:
        """The sentences that reading a place ends in, one a kind of task; nothing is kept."""
        for kind in self.made_for("read"):
            with pytest.raises(LabelError) as caught:
                bench.read(self.make(), where, bench.context(kind, self.classes))
            assert "\n" not in str(caught.value)
            assert bench.kept == []
            yield str(caught.value)

    def test_a_place_that_is_not_there(self, bench: Bench) -> None:
        assert all("nowhere" in said for said in self.refusals(bench, bench.root / "nowhere"))

    def test_an_empty_folder(self, bench: Bench) -> None:
        said = list(self.refusals(bench, bench.root))
        assert all(str(bench.root) in one or "holds no label" in one for one in said)

    def test_a_pipe_is_not_waited_for(self, bench: Bench) -> None:
        os.mkfifo(bench.root / "pipe")
        assert list(self.refusals(bench, bench.root / "pipe"))

    @pytest.mark.parametrize("data", RUBBISH, ids=range(len(RUBBISH)))
    def test_a_file_of_rubbish(self, bench: Bench, data: bytes) -> None:
        (bench.root / "file").write_bytes(data)
        assert list(self.refusals(bench, bench.root / "file"))
