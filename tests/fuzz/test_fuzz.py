"""The fuzzer runs, goes on where it was ended, and finds what is wrong."""

import json
import random
from pathlib import Path

import pytest
from tests.fuzz import __main__ as fuzz
from tests.fuzz.corpus import Reader, readers


def test_some_inputs_of_every_reader_end_in_an_answer_or_a_sentence(tmp_path: Path) -> None:
    for reader in readers(tmp_path):
        for number in range(8):
            assert not fuzz.tried(reader, fuzz.mutated(reader.files[0], reader.files[-1], random.Random(number)))


@pytest.mark.parametrize("wrong", [KeyError("x"), MemoryError()])
def test_what_is_no_sentence_is_found(wrong: Exception) -> None:
    def read(_: bytes) -> None:
        raise wrong

    assert type(wrong).__name__ in fuzz.tried(Reader("broken", (b"",), read), b"")


def test_a_run_goes_on_where_it_was_ended(tmp_path: Path) -> None:
    note = tmp_path / "notes.jsonl"
    fuzz.read_on(0, 5, note)
    assert fuzz.main(["--inputs", "5", "--folder", str(tmp_path)]) == 0
    fuzz.read_on(5, 9, note)
    assert [json.loads(line)["done"] for line in note.read_text().splitlines()] == [5, 9]
