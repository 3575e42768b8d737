"""CPU seconds of the commands that need no torch, on a campaign of 60 images; prints one JSON object.

python benchmarks/start_up.py [--images 60] [--repeats 5]
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

COMMANDS = {
    "status": ["DIR"],
    "tell": ["DIR", "FOLDER/labels.csv"],
    "undo": ["DIR"],
    "import": ["DIR", "FOLDER/labels.csv", "--format", "csv"],
    "export": ["DIR", "--format", "csv", "--out", "DIR/labels.csv"],
    "close": ["DIR"],
    "report": ["DIR"],
}
"""In an order in which each has something to do, of a campaign with an open round."""


def make_campaign(folder: Path, images: int) -> None:
    """Makes `folder/campaign`, of small PNGs in two classes, with an open round; and `folder/labels.csv` for it."""
    rng = np.random.default_rng(0)
    for number in range(images):
        path = folder / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
    run("init", str(folder / "campaign"), "--images", str(folder / "images"), "--labels-from-folders")
    asked = json.loads(run("ask", str(folder / "campaign"), "--budget", "10", "--json"))
    lines = [f"{pick['item']},{pick['name'][0]}\n" for pick in asked["picks"][:5]]
    (folder / "labels.csv").write_text("item,label\n" + "".join(lines))


def run(*arguments: str) -> str:
    """What a command prints."""
    order = [sys.executable, "-m", "pickwell", *arguments]
    return subprocess.run(order, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(folder: Path) -> dict[str, float]:
    """The CPU seconds of each command, in user and system mode, one after the other on a fresh copy of the campaign."""
    copy, seconds = folder / "copy", {}
    shutil.copytree(folder / "campaign", copy)
    for name, arguments in COMMANDS.items():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(name, *(word.replace("DIR", str(copy)).replace("FOLDER", str(folder)) for word in arguments))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds[name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    shutil.rmtree(copy)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_campaign(Path(folder), chosen.images)
        found = [measure(Path(folder)) for _ in range(chosen.repeats)]
    # The least of several: other programs only ever add to it.
    print(json.dumps({name: round(min(one[name] for one in found), 2) for name in COMMANDS}))


if __name__ == "__main__":
    main()
