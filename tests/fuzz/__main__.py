"""A fuzzer over the readers of images, masks and label files: `make fuzz`, or `python -m tests.fuzz --inputs 100000`.

Input number n is a whole file of the n-th reader, changed as a generator with the seed n says. How far it came and what
it found stays in a folder, so that it goes on where it was ended. A process of its own reads the inputs, its memory
bounded; when it dies or hangs, the input is found out and the next process goes on behind it.
"""

import argparse
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fuzz.corpus import Reader, readers

from pickwell.errors import PickwellError

SECONDS, PATIENCE = 1.0, 30
"""What an input may take of the processor, and after how long without news of the next 500 the process is ended."""
MEMORY = 2 << 30
BLOCK = 500
EDGES = [bytes([value]) * length for value in (0, 0x7F, 0x80, 0xFF) for length in (1, 2, 4)]
TOKENS = [b'"', b",", b"\n", b"{", b"]", b"<", b">", b"&", b"=", b"1e999", b"-1", b"null", b"\xc3", b"\xed\xa0\x80"]


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """The file changed in one to six ways; `other` is a second one of its kind."""
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        # Heads are where lengths and kinds stand.
        at = chance.randrange(min(len(data), chance.choice((64, 512, 1 << 20))) + 1)
        start, length = chance.randrange(len(other) + 1), chance.choice((1, 2, 4, 16, 256))
        new, gone = chance.choice(
            (
                (bytes([(data[at] if at < len(data) else 0) ^ 1 << chance.randrange(8)]), 1),
                (chance.randbytes(length % 9), length % 9),
                (edge := chance.choice(EDGES), len(edge)),
                (chance.choice(EDGES + TOKENS), 0),
                (b"", length),
                (data[at : at + length] * 8, 0),
                (other[start : start + length * 4], length),
                (b"", len(data)),
            )
        )
        data = data[:at] + new + data[at + gone :]
    return data


def tried(reader: Reader, data: bytes) -> str:
    """What is wrong with how the reader takes the bytes: what it raises beside a sentence, or how long it takes."""
    began, found = time.process_time(), ""
    try:
        reader.read(data)
    except PickwellError as error:
        found = f"a sentence of several lines: {error}" if "\n" in str(error) else ""
    except BaseException:
        found = traceback.format_exc()
    took = time.process_time() - began
    return f"took {took:.1f} s; {found}" if took > SECONDS else found


def read_on(first: int, last: int, note: Path) -> None:
    """Reads the inputs from `first` to before `last`, and notes how far it came and what went wrong."""
    with tempfile.TemporaryDirectory() as folder, note.open("a", encoding="utf-8") as notes:
        known = readers(Path(folder))
        for number in range(first, last):
            reader = known[number % len(known)]
            chance = random.Random(number)
            data = mutated(chance.choice(reader.files), chance.choice(reader.files), chance)
            if found := tried(reader, data):
                note.with_name(f"{number}.input").write_bytes(data)
                notes.write(json.dumps({"input": number, "reader": reader.name, "found": found}) + "\n")
            if found or number % BLOCK == BLOCK - 1 or number == last - 1:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                notes.write(json.dumps({"done": number + 1, "peak_mib": peak}) + "\n")
                notes.flush()


def _lines(note: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in note.read_text("utf-8").splitlines()] if note.exists() else []


def _done(note: Path) -> int:
    return max((line["done"] for line in _lines(note) if "done" in line), default=0)


def _command(first: int, last: int, note: Path) -> list[str]:
    return [sys.executable, "-m", "tests.fuzz", "--first", str(first), "--inputs", str(last), "--note", str(note)]


def supervise(inputs: int, note: Path) -> None:
    """Reads on until so many inputs are read in all, in processes that may die."""
    while (done := _done(note)) < inputs:
        command = [
            sys.executable,
            "-m",
            "tests.fuzz",
            "--first",
            str(done),
            "--inputs",
            str(inputs),
            "--note",
            str(note),
        ]
        with subprocess.Popen(command) as process:
            seen = time.monotonic()
            while process.poll() is None:
                time.sleep(0.2)
                if (now := _done(note)) > done:
                    done, seen = now, time.monotonic()
                if time.monotonic() - seen > PATIENCE:
                    process.send_signal(signal.SIGKILL)
        if process.returncode == 1:
            sys.exit("the fuzzer itself has failed")
        if process.returncode:
            _find(done, min(done + BLOCK, inputs), note, process.returncode)


def _find(first: int, last: int, note: Path, code: int) -> None:
    """Reads a block one input a process, to find the one that ends it; a whole block is passed over in any case."""
    with note.open("a", encoding="utf-8") as notes:
        for number in range(first, last):
            try:
                ended = subprocess.run(_command(number, number + 1, note), timeout=PATIENCE, check=False).returncode
            except subprocess.TimeoutExpired:
                ended = -signal.SIGKILL
            if ended:
                notes.write(json.dumps({"input": number, "reader": "?", "found": f"the process ended: {ended}"}) + "\n")
                notes.write(json.dumps({"done": number + 1, "peak_mib": 0}) + "\n")
                notes.flush()
                return
        notes.write(json.dumps({"input": first, "reader": "?", "found": f"a process ended once: {code}"}) + "\n")
        notes.write(json.dumps({"done": last, "peak_mib": 0}) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads on, says how many inputs were read in all and what was found; 1 if anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many, those of earlier runs included")
    parser.add_argument("--folder", type=Path, default=Path("fuzz"), help="where what was found is kept")
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--note", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.first is not None:
        warnings.simplefilter("error")
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        read_on(chosen.first, chosen.inputs, chosen.note)
        return 0
    chosen.folder.mkdir(parents=True, exist_ok=True)
    note = chosen.folder / "notes.jsonl"
    supervise(chosen.inputs, note)
    lines = _lines(note)
    found = [line for line in lines if "found" in line]
    peak = max((line["peak_mib"] for line in lines if "done" in line), default=0)
    print(f"{_done(note):,} inputs read, {len(found)} findings, at most {peak:,} MiB; see {note}")
    for line in found[:20]:
        print(f"  {line['input']} ({line['reader']}): {line['found'].strip().splitlines()[-1]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
