"""The table of features: appended to, resumed, memory-mapped, whatever a killed writer left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from pickwell.errors import BusyError, PoolError
from pickwell.features import table as room
from pickwell.features.table import FeatureTable, Rows
from pickwell.features.vectors import Vectors, moments, vectors_of


def rows(count: int, start: int = 0, length: int = 5) -> Rows:
    return (np.arange(count * length, dtype=np.float32) + start * length).reshape(count, length)


def whole(table: FeatureTable) -> Rows:
    return np.concatenate(table.shards())


@pytest.mark.parametrize("parts", [[23], [1] * 23, [7, 7, 9], [8, 8, 7], [16, 7]])
def test_rows_come_back_however_they_were_appended(
    parts: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SHARD", 8)
    table, done = FeatureTable(tmp_path / "t", 5), 0
    for part in parts:  # each in a writing of its own: as `add` appends
        with table.appending() as append:
            append(rows(part, done))
        done += part
        assert len(table) == done
    assert [len(shard) for shard in table.shards()] == [8, 8, 7]
    assert np.array_equal(whole(table), rows(23))
    assert not table.shards()[0].flags.writeable


def test_half_a_row_is_written_again(tmp_path: Path) -> None:
    table = FeatureTable(tmp_path, 5)
    with table.appending() as append:
        append(rows(3))
    with (tmp_path / "000000.f32").open("ab") as file:
        file.write(b"half a row")
    assert len(table) == 3
    with table.appending() as append:
        append(rows(2, 3))
    assert np.array_equal(whole(table), rows(5))


def test_a_file_cut_short_ends_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after it would be rows of other items."""
    monkeypatch.setattr(room, "SHARD", 4)
    table = FeatureTable(tmp_path, 5)
    with table.appending() as append:
        append(rows(10))
    os.truncate(tmp_path / "000000.f32", 45)
    assert len(table) == 2
    with table.appending() as append:
        append(rows(8, 2))
    assert np.array_equal(whole(table), rows(10))


def test_an_error_on_the_way_leaves_whole_rows(tmp_path: Path) -> None:
    table = FeatureTable(tmp_path, 5)

    def stopped() -> None:
        with table.appending() as append:
            append(rows(3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert np.array_equal(whole(table), rows(3))


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    table = FeatureTable(tmp_path, 5)
    with table.appending(), pytest.raises(BusyError, match="another process is encoding"), table.appending():
        pass


WRITER = """
import sys, time, numpy as np
from pathlib import Path
from pickwell.features.table import FeatureTable
table = FeatureTable(Path(sys.argv[1]), 5)
with table.appending() as append:
    print("go", flush=True)
    for start in range(len(table), 4000, 3):
        count = min(3, 4000 - start)
        append((np.arange(count * 5, dtype=np.float32) + start * 5).reshape(count, 5))
        time.sleep(0.0002)
"""


def test_killed_at_any_moment_no_row_is_lost_or_written_twice(tmp_path: Path) -> None:
    table, chance = FeatureTable(tmp_path, 5), np.random.default_rng(0)
    before = -1
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(float(chance.uniform(0.01, 0.15)))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert len(table) > before
        before = len(table)
        assert np.array_equal(whole(table), rows(before))
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=True, capture_output=True)
    assert np.array_equal(whole(table), rows(4000))


def test_a_full_disk_is_told_and_leaves_whole_rows(tmp_path: Path) -> None:
    """No file may grow beyond 50,010 bytes here, which is as a full disk: half a row fits at the end."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_010, 50_010)){WRITER}"
    ended = subprocess.run([sys.executable, "-c", limited, str(tmp_path)], capture_output=True, text=True, check=False)
    assert f"OSError: [Errno 27] File too large: '{tmp_path}/000000.f32'" in ended.stderr.splitlines()[-1]
    table = FeatureTable(tmp_path, 5)
    assert (tmp_path / "000000.f32").stat().st_size == 50_000
    assert np.array_equal(whole(table), rows(2500))
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=True, capture_output=True)
    assert np.array_equal(whole(table), rows(4000))


def test_vectors_are_standardised_by_their_own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SHARD", 16)
    table, values = FeatureTable(tmp_path, 3), np.random.default_rng(0).normal(5, 2, (40, 3)).astype(np.float32)
    values[:, 2] = 7  # says nothing: it becomes zero
    with table.appending() as append:
        append(values)
    ids = torch.tensor([39, 0, 15, 16, 17, 0])
    found = vectors_of(table).get(ids)
    expected = (values - values.mean(0)) / np.where(values.std(0) > 1e-6, values.std(0), 1)
    assert found.numpy() == pytest.approx(expected[ids.numpy()], abs=1e-5)
    assert [part.tolist() for part, _ in vectors_of(table).batches(ids, 4)] == [[39, 0, 15, 16], [17, 0]]
    assert len(vectors_of(table)) == 40
    with pytest.raises(PoolError, match="unknown item 40"):
        vectors_of(table).get(torch.tensor([40]))


def test_a_test_set_is_standardised_by_the_pool(tmp_path: Path) -> None:
    pool, test = FeatureTable(tmp_path / "pool", 5), FeatureTable(tmp_path / "test", 5)
    for table, values in ((pool, rows(9)), (test, rows(2, 50))):
        with table.appending() as append:
            append(values)
    mean, deviation = moments(pool)
    found = vectors_of(test, pool).get(torch.arange(2))
    assert torch.allclose(found, (torch.from_numpy(rows(2, 50)) - mean) / deviation)


def test_moments_follow_a_table_that_grows(tmp_path: Path) -> None:
    table = FeatureTable(tmp_path, 5)
    with table.appending() as append:
        append(rows(4))
    first, _ = moments(table)
    with table.appending() as append:
        append(rows(4, 4))
    assert torch.equal(moments(table)[0], torch.from_numpy(rows(8).mean(0)))
    assert not torch.equal(first, moments(table)[0])


def test_vectors_without_moments_are_as_they_are() -> None:
    assert torch.equal(Vectors([rows(6)]).get(torch.tensor([5, 1])), torch.from_numpy(rows(6)[[5, 1]]))
