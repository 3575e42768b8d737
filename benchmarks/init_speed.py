"""How fast a pool is made of a folder of small JPEGs, and in how much memory; prints one JSON object.

python benchmarks/init_speed.py [--files 20000] [--side 64] [--threads N]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import simplejpeg

CLASSES = 20


def make_folder(root: Path, files: int, side: int, seed: int = 0) -> int:
    """Writes `files` JPEGs of smooth noise in folders of classes; returns their size in bytes together."""
    rng = np.random.default_rng(seed)
    total = 0
    for number in range(files):
        folder = root / f"class-{number % CLASSES:02d}"
        if number < CLASSES:
            folder.mkdir(parents=True)
        coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        jpeg = simplejpeg.encode_jpeg(coarse.repeat(8, axis=0).repeat(8, axis=1), quality=85)
        (folder / f"image-{number}.jpg").write_bytes(jpeg)
        total += len(jpeg)
    return total


def measure(images: Path, pool: Path, threads: int | None) -> dict[str, float]:
    """Makes the pool, then adds one more image to it, in this process."""
    from pickwell.data.pool import Pool

    began = time.perf_counter()
    made = Pool.create(pool, images, labels_from_folders=True, threads=threads)
    init = time.perf_counter() - began
    first = next(images.glob("*/*.jpg"))
    first.with_name("one-more.jpg").write_bytes(first.read_bytes())
    began = time.perf_counter()
    assert made.add(images).added == 1
    return {
        "files_per_second": round((len(made) - 1) / init),
        "seconds": round(init, 3),
        "seconds_to_add_one": round(time.perf_counter() - began, 3),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure / "images", chosen.measure / "pool", chosen.threads)))
        return
    with tempfile.TemporaryDirectory() as folder:
        total = make_folder(Path(folder) / "images", chosen.files, chosen.side)
        again = [sys.executable, __file__, *sys.argv[1:], "--measure", folder]
        # A process of its own, so that making the folder is not in its peak memory.
        measured = json.loads(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
    print(json.dumps({"files": chosen.files, "mib": round(total / 2**20, 1), **measured}))


if __name__ == "__main__":
    main()
