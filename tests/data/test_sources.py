import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pickwell.data import sources
from pickwell.data.decode import decode
from pickwell.data.image_errors import ImageError
from pickwell.data.sources import find, parquet, restore, same
from pickwell.data.sources.folder import FolderTree
from pickwell.errors import PoolError, SettingsError, VersionError

Encode = Callable[..., bytes]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def names(where: str | Path, **options: Any) -> list[str]:
    return list(find(where, **options).listing()["name"].to_pylist())


def column(where: str | Path, name: str, **options: Any) -> list[Any]:
    return list(find(where, **options).listing()[name].to_pylist())


class TestFolder:
    def test_natural_order_and_kinds(self, tmp_path: Path) -> None:
        touch(tmp_path, "img10.jpg", "img2.JPEG", "b/1.png", "B/2.webp", "a.tif", "z.bmp", "y.gif", "img02.jpg")
        touch(tmp_path, "notes.txt", ".hidden.jpg", ".cache/x.jpg", "labels.csv", "film.mp4", "noend")
        expected = ["a.tif", "B/2.webp", "b/1.png", "img2.JPEG", "img02.jpg", "img10.jpg", "y.gif", "z.bmp"]
        assert names(tmp_path) == expected

    def test_odd_names_are_kept(self, tmp_path: Path) -> None:
        odd = ["a b.jpg", 'comma,quote".jpg', "new\nline.jpg", "ünïcödé-图片.jpg", "percent%20.jpg", "²3.jpg"]
        touch(tmp_path, *odd)
        assert sorted(names(tmp_path)) == sorted(odd)

    def test_names_that_are_no_text_are_set_aside(self, tmp_path: Path) -> None:
        os.makedirs(os.fsencode(tmp_path), exist_ok=True)  # noqa: PTH103 - bytes
        (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
        listed = find(tmp_path).listing().to_pylist()
        assert [(row["name"], row["reason"]) for row in listed] == [("caf\\udce9.jpg", "name is not UTF-8")]

    def test_folders_are_classes_if_asked(self, tmp_path: Path) -> None:
        touch(tmp_path, "cat/1.jpg", "dog/puppy/2.jpg", "3.jpg")
        assert column(tmp_path, "known") == [None, None, None]
        assert names(tmp_path) == ["3.jpg", "cat/1.jpg", "dog/puppy/2.jpg"]
        assert column(tmp_path, "known", labels_from_folders=True) == [None, "cat", "puppy"]

    def test_a_folder_called_like_an_image_is_walked_into(self, tmp_path: Path) -> None:
        touch(tmp_path, "x.jpg/1.png")
        assert names(tmp_path) == ["x.jpg/1.png"]

    def test_links_are_followed_once_and_never_in_circles(self, tmp_path: Path) -> None:
        root, other = tmp_path / "root", tmp_path / "other"
        touch(root, "a/1.jpg")
        touch(other, "deep/2.jpg")
        (root / "a" / "up").symlink_to(root)
        (root / "a" / "way-up").symlink_to("/")
        (root / "again").symlink_to(root / "a")
        (root / "z").symlink_to(other)
        (root / "z2").symlink_to(other / "deep")
        (other / "back").symlink_to(root)
        (other / "deep" / "self").symlink_to(other)
        (root / "file.jpg").symlink_to(other / "deep" / "2.jpg")
        (root / "gone.jpg").symlink_to(tmp_path / "nothing")
        assert names(root) == ["a/1.jpg", "file.jpg", "gone.jpg", "z/deep/2.jpg"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
    def test_a_closed_folder_is_set_aside(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.jpg", "closed/b.jpg")
        (tmp_path / "closed").chmod(0)
        assert column(tmp_path, "reason") == [None, "unreadable file"]
        (tmp_path / "closed").chmod(0o755)

    def test_a_part_of_a_tree_keeps_the_trees_names(self, tmp_path: Path) -> None:
        touch(tmp_path, "new/1.jpg", "old/2.jpg")
        part = same(find(tmp_path / "new", labels_from_folders=True), find(tmp_path))
        assert isinstance(part, FolderTree)
        assert part.listing().select(["name", "known"]).to_pylist() == [{"name": "new/1.jpg", "known": "new"}]
        assert same(find(tmp_path), find(tmp_path / "new")) is None


class TestCsv:
    def listed(self, folder: Path, text: str, name: str = "list.csv") -> list[tuple[str, str | None, str | None]]:
        (folder / name).write_text(text, encoding="utf-8")
        rows = find(folder / name).listing().to_pylist()
        return [(row["name"], row["known"], row["reason"]) for row in rows]

    @pytest.mark.parametrize(
        "text",
        [
            "path,label\na.jpg,cat\nb/c.jpg,\n",
            "\ufefflabel,image\r\ncat,a.jpg\r\n\r\n,./b/c.jpg\r\n",
            "file,label,other\na.jpg, cat ,1\nb/c.jpg\n",
            "id,PATH,Label\n1,a.jpg,cat\n2,b/x/../c.jpg,",
            "item;name;Filename;target\n7;a.jpg;x;cat\n2;b/c.jpg;y;\n",
            "label,file_name\ncat,a.jpg\n,b\\c.jpg\n",
            ",photo,category\n0,a.jpg,cat\n1,.\\b\\c.jpg,\n",
        ],
    )
    def test_columns_by_name_or_place(self, tmp_path: Path, text: str) -> None:
        assert self.listed(tmp_path, text) == [("a.jpg", "cat", None), ("b/c.jpg", None, None)]

    def test_without_a_header(self, tmp_path: Path) -> None:
        assert self.listed(tmp_path, "a.JPG\nb.png\n") == [("a.JPG", None, None), ("b.png", None, None)]

    def test_tabs_quotes_and_newlines(self, tmp_path: Path) -> None:
        assert self.listed(tmp_path, "path\tlabel\na, b.jpg\tx\n", "list.tsv") == [("a, b.jpg", "x", None)]
        assert self.listed(tmp_path, 'path\n"a\nb"".jpg"\n') == [('a\nb".jpg', None, None)]

    def test_a_row_without_a_path_is_set_aside(self, tmp_path: Path) -> None:
        assert self.listed(tmp_path, "label,path\ncat,\ndog\n") == [
            ("", "cat", "missing file"),
            ("", "dog", "missing file"),
        ]

    def test_relative_and_absolute_paths_are_read(self, tmp_path: Path) -> None:
        touch(tmp_path, "other/a.jpg", "lists/b.jpg")
        text = f"path\n../other/a.jpg\nb.jpg\n{tmp_path}/other/a.jpg\n"
        assert [name for name, _, _ in self.listed(tmp_path / "lists", text)][2] == f"{tmp_path}/other/a.jpg"
        source = find(tmp_path / "lists" / "list.csv")
        for name in source.listing()["name"].to_pylist():
            assert source.read(name, None, 10) == b"x"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"path\n\xff\xfe.jpg\n", "is not UTF-8 text"),
            (b'path\n"a.jpg\n', r"list\.csv line 2 is not CSV: unexpected end"),
        ],
    )
    def test_broken_tables_are_told(self, tmp_path: Path, data: bytes, said: str) -> None:
        (tmp_path / "list.csv").write_bytes(data)
        with pytest.raises(PoolError, match=said):
            find(tmp_path / "list.csv").listing()


def write(path: Path, images: list[Any], **columns: Any) -> None:
    table = pa.table({"index": list(range(len(images))), "img": images, **columns})
    pq.write_table(table, path, row_group_size=3)


class TestParquet:
    def test_structs_with_labels_by_number(self, tmp_path: Path, encode: Encode) -> None:
        bytes_ = [encode(Image.new("RGB", (4, 4), (i, 0, 0)), "PNG") for i in range(8)]
        images = [{"bytes": b, "path": f"p/{i}.png"} for i, b in enumerate(bytes_)]
        table = pa.table({"img": images, "label": [0, 1, 2, -1, None, 0, 1, 2]})
        info = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
        pq.write_table(
            table.replace_schema_metadata({"huggingface": json.dumps(info)}), tmp_path / "a.parquet", row_group_size=3
        )
        source = find(tmp_path / "a.parquet")
        listed = source.listing()
        assert listed["name"].to_pylist() == [f"p/{i}.png" for i in range(8)]
        assert listed["known"].to_pylist() == ["cat", "dog", None, None, None, "cat", "dog", None]
        for row in (7, 0, 3, 2, 6):
            assert source.read("a.parquet", row, 1000) == bytes_[row]

    @pytest.mark.parametrize(
        ("labels", "metadata", "known"),
        [
            (pa.array([1, 0]), {"classes": "cat, dog"}, ["dog", "cat"]),
            (pa.array([1, 0]), {}, ["1", "0"]),
            (pa.array(["x", ""]), {}, ["x", None]),
            (pa.array(["x", None]).dictionary_encode(), {}, ["x", None]),
            (pa.array([1, 0]), {"huggingface": "no json"}, ["1", "0"]),
        ],
    )
    def test_labels(self, tmp_path: Path, labels: pa.Array, metadata: dict[str, str], known: list[str | None]) -> None:
        table = pa.table({"image": pa.array([b"a", b"b"]), "label": labels}).replace_schema_metadata(metadata)
        pq.write_table(table, tmp_path / "a.parquet")
        assert column(tmp_path / "a.parquet", "known") == known

    @pytest.mark.parametrize(
        ("labels", "said"),
        [
            (pa.array([["x"], ["y"]]), r"list<element: string>: .*"),
            (pa.array([{"x": 1}, {"x": 2}]), r"struct<x: int64>: .*"),
            (pa.array([b"x", b"\xff"]), r"binary: .*"),
        ],
    )
    def test_labels_that_are_no_text_are_told(self, tmp_path: Path, labels: pa.Array, said: str) -> None:
        pq.write_table(pa.table({"image": [b"a", b"b"], "label": labels}), tmp_path / "a.parquet")
        sentence = rf"the column 'label' of .*a\.parquet is no text \({said}\); it may hold text in UTF-8 or numbers"
        with pytest.raises(PoolError, match=sentence):
            names(tmp_path / "a.parquet")

    def test_paths_that_are_no_text_are_told(self, tmp_path: Path) -> None:
        write(tmp_path / "a.parquet", [{"bytes": b"x", "path": b"\xff"}])
        with pytest.raises(PoolError, match=r"the column 'img\.path' of .*a\.parquet is no text \(binary: "):
            names(tmp_path / "a.parquet")

    @pytest.mark.parametrize("rows", [0, 2])
    def test_a_row_that_is_there_no_more_is_told(self, tmp_path: Path, rows: int) -> None:
        images = pa.array([{"bytes": b"x", "path": str(i)} for i in range(8)])
        write(tmp_path / "a.parquet", images)
        record = {"kind": "parquet", **find(tmp_path / "a.parquet").record()}
        write(tmp_path / "a.parquet", images[:rows])
        for row in (2, 7):
            with pytest.raises(ImageError, match=f"^missing file: row {row} of a.parquet, which now has {rows} rows"):
                restore(record).read("a.parquet", row, 9)

    def test_rows_are_numbered_where_paths_are_not_their_own(self, tmp_path: Path) -> None:
        write(tmp_path / "a.parquet", [{"bytes": b"x", "path": p} for p in ("same", "same", None)])
        source = find(tmp_path)
        assert source.listing()["name"].to_pylist() == ["a.parquet/000000", "a.parquet/000001", "a.parquet/000002"]
        assert restore({"kind": "parquet", **source.record()}).record() == source.record()
        # The choice is kept: names given once stay, even if another would now be made.
        write(tmp_path / "a.parquet", [{"bytes": b"x", "path": "own"}])
        kept = restore({"kind": "parquet", **source.record()})
        assert kept.listing()["name"].to_pylist() == ["a.parquet/000000"]

    def test_plain_binary_and_null_images(self, tmp_path: Path) -> None:
        write(tmp_path / "a.parquet", pa.array([b"x", None]))
        write(tmp_path / "b.parquet", [{"bytes": b"y", "path": "1"}, {"bytes": None, "path": "2"}, None])
        plain, structs = find(tmp_path / "a.parquet"), find(tmp_path / "b.parquet")
        assert plain.read("a.parquet", 0, 9) == b"x"
        assert structs.read("b.parquet", 0, 9) == b"y"
        for source, file, row in ((plain, "a.parquet", 1), (structs, "b.parquet", 1), (structs, "b.parquet", 2)):
            with pytest.raises(ImageError, match=f"^no image in the row: row {row} of {file}"):
                source.read(file, row, 9)
        with pytest.raises(ImageError, match=r"^too large: 1 bytes"):
            plain.read("a.parquet", 0, 0)

    def test_folders_and_patterns_name_many_files(self, tmp_path: Path) -> None:
        for number in (10, 9):
            write(tmp_path / f"train-{number}.parquet", [{"bytes": b"x", "path": f"{number}/{i}"} for i in range(2)])
        write(tmp_path / "test.parquet", [{"bytes": b"x", "path": "t"}])
        assert names(tmp_path) == ["t", "9/0", "9/1", "10/0", "10/1"]
        assert names(tmp_path / "train-*.parquet") == ["9/0", "9/1", "10/0", "10/1"]
        assert names(f"{tmp_path}/train-10.parquet") == ["10/0", "10/1"]

    def test_a_folder_that_also_holds_images_is_a_folder(self, tmp_path: Path) -> None:
        write(tmp_path / "meta.parquet", [{"bytes": b"x", "path": "t"}])
        touch(tmp_path, "sub/a.jpg")
        assert names(tmp_path) == ["sub/a.jpg"]

    def test_a_large_set_is_not_kept_in_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(parquet, "CACHE_BYTES", 1000)
        write(tmp_path / "a.parquet", [{"bytes": bytes([i]) * 200, "path": str(i)} for i in range(12)])
        source = find(tmp_path / "a.parquet")
        assert isinstance(source, parquet.ParquetSet)
        for row in (0, 11, 5, 8, 1):
            assert source.read("a.parquet", row, 999) == bytes([row]) * 200
            assert sum(group.nbytes for group in source._groups.values()) <= 1000

    def test_what_is_no_image_table_is_told(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "a.parquet")
        with pytest.raises(PoolError, match=r"a\.parquet has no image column: none of a, b is a struct"):
            names(tmp_path / "a.parquet")
        (tmp_path / "b.parquet").write_bytes(b"hello")
        with pytest.raises(PoolError, match=r"b\.parquet is no Parquet file"):
            names(tmp_path / "b.parquet")


def test_digits_are_drawn_from_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    source, found = find("digits"), load_digits()
    listed = source.listing()
    assert listed["known"].to_pylist() == [str(n) for n in found.target]
    assert (listed["name"][0].as_py(), listed["name"][1796].as_py()) == ("digits/0000", "digits/1796")
    pixels = decode(source.read("", 17, 1 << 20)).astype(float)
    assert pixels.shape == (16, 16, 3)
    assert (pixels == pixels[..., :1]).all()
    halves = pixels[..., 0].reshape(8, 2, 8, 2).mean(axis=(1, 3))
    assert np.corrcoef(halves.ravel(), found.images[17].ravel())[0, 1] > 0.97
    assert abs(pixels.mean() - found.images[17].mean() * 255 / 16) < 3


def test_what_is_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        PoolError, match=r"no images at '/nowhere/x': there is nothing at /nowhere/x; name a folder of images, a \.csv"
    ):
        find("/nowhere/x")
    touch(tmp_path, "a.txt", "one.jpg")
    with pytest.raises(PoolError, match=r"a\.txt': it is of another kind"):
        find(tmp_path / "a.txt")
    with pytest.raises(PoolError, match=f"one.jpg' is a single image; name the folder that holds it: '{tmp_path}'"):
        find(tmp_path / "one.jpg")
    with pytest.raises(SettingsError, match="labels from folders were asked for, but 'digits' is no folder"):
        find("digits", labels_from_folders=True)


def test_a_source_of_a_newer_pickwell_is_told() -> None:
    with pytest.raises(VersionError, match="kind 'hologram', unknown here; install a newer pickwell"):
        restore({"kind": "hologram"})


@pytest.mark.parametrize("where", ["digits", "folder", "folder/list.csv", "folder/a.parquet"])
def test_every_source_comes_back_from_its_record(where: str, tmp_path: Path) -> None:
    touch(tmp_path / "folder", "x/a.jpg")
    (tmp_path / "folder" / "list.csv").write_text("path\nx/a.jpg\n")
    write(tmp_path / "folder" / "a.parquet", [{"bytes": b"x", "path": "t"}])
    found = find(where if where == "digits" else tmp_path / where)
    listed = found.listing()
    assert listed.schema == sources.LISTING
    record = json.loads(json.dumps({"kind": found.kind, **found.record()}))
    again = restore(record)
    assert same(found, again) is not None
    assert again.place == found.place
    assert again.listing().equals(listed)
    row = listed.slice(0, 1).to_pylist()[0]
    path = row["name"] if row["path"] is None else row["path"]
    assert again.read(path, row["row"], 1 << 20) == found.read(path, row["row"], 1 << 20)
