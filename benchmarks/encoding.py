"""Encoding photographs end to end beside a bare loop over arrays in memory: `python -m benchmarks.encoding`.

Both by `lite0` in onnxruntime with as many threads as there are cores; end to end is reading, decoding, resizing,
encoding and writing, the bare loop hands images that are ready to the same session one at a time. Turns alternate.
"""

import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.made_up import peak
from pickwell import encoders
from pickwell.data.pool import Pool
from pickwell.data.threads import cores
from pickwell.experiments.data import sets
from pickwell.experiments.run.results_folder import DATA
from pickwell.features.encoding import encoded

IMAGES, TURNS = 3000, 3


def main() -> None:
    encoder: Any = encoders.load("lite0")
    session = encoder._run._session
    (name,) = (one.name for one in session.get_inputs())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        photographs = sets.find("clothing", Path(os.environ.get(DATA, ".")), root / "source").train.images
        pool = Pool.create(root / "pool", photographs, labels_from_folders=True)
        ready = np.stack([encoder.prepare(pool.pixels(item, encoder.least)) for item in range(256)])
        bare, whole = [], []
        for turn in range(TURNS):
            began = time.perf_counter()
            with ThreadPoolExecutor(cores()) as threads:
                done = sum(
                    threads.map(lambda at: len(session.run(None, {name: ready[at % 256][None]})[0]), range(IMAGES))
                )
            bare.append(done / (time.perf_counter() - began))
            began = time.perf_counter()
            table = encoded(pool, encoder, root / str(turn))
            whole.append(len(table) / (time.perf_counter() - began))
    print(
        json.dumps(
            {
                "images": len(pool), "cores": cores(), "bare_images_a_second": round(median(bare), 1),
                "end_to_end_images_a_second": round(median(whole), 1),
                "share": round(median(w / b for w, b in zip(whole, bare, strict=True)), 3), "peak_mib": round(peak()),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
