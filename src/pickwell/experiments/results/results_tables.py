"""What the cells hold as tidy tables: one row a measured number, one a pick, one a cell."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

Result = Mapping[str, Any]
KEY = [("variant", pa.string()), ("method", pa.string()), ("seed", pa.int64())]
PICK = [
    ("rank", pa.int64()),
    ("item", pa.int64()),
    ("name", pa.string()),
    ("score", pa.float64()),
    ("held_out", pa.bool_()),
]


def measured(found: Sequence[Result]) -> pa.Table:
    """One row a number: experiment's variant, method, seed, round, labels paid for, metric, value."""
    rows = [
        {**_key(result), "round": row["round"], "labels": row["labels"], "metric": metric, "value": value}
        for result in found for row in result["rounds"] for metric, value in _values(row)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=pa.schema([*KEY, *((n, pa.int64()) for n in ("round", "labels")),
                                                        ("metric", pa.string()), ("value", pa.float64())]))  # fmt: skip


def _values(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield from row["metrics"].items()
    for name in ("fit_seconds", "query_seconds"):
        if row[name] is not None:
            yield name, row[name]
    yield from ((f"share/{name}", share) for name, share in row["shares"].items())
    yield from ((name, value) for name, value in row["monitors"].items() if isinstance(value, int | float))


def picks(found: Sequence[Result]) -> pa.Table:
    """One row a labelled image: the index sets, round 0 being the first labels."""
    whose = pa.schema([*KEY, ("round", pa.int64())])
    parts = [_of_whom(row["picks"], {**_key(r), "round": row["round"]}, whose) for r in found for row in r["rounds"]]
    return pa.concat_tables([pa.schema([*whose, *pa.schema(PICK)]).empty_table(), *parts])


def _of_whom(picked: pa.Table, key: Mapping[str, Any], whose: pa.Schema) -> pa.Table:
    """The picks with the same key before each."""
    columns = [pa.repeat(pa.scalar(key[field.name], field.type), len(picked)) for field in whose]
    return pa.Table.from_arrays([*columns, *picked.columns], names=[*whose.names, *picked.column_names])


def runs_made(found: Sequence[Result]) -> pa.Table:
    """One row a cell: its code, data, label cost, seconds, versions, hardware and settings."""
    rows = [
        {**_key(r), "code": r["code"], "data": r["data"], "labels": r["rounds"][-1]["labels"],
         "resumes": r["resumes"],
         "seconds": sum(row["fit_seconds"] + (row["query_seconds"] or 0.0) for row in r["rounds"]),
         "absent": ", ".join(r["absent"]), "finished": r["finished"], "versions": json.dumps(r["versions"]),
         "hardware": json.dumps(r["hardware"]), "settings": json.dumps(r["facts"])}
        for r in found
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def _key(result: Result) -> dict[str, Any]:
    return {name: result[name] for name, _ in KEY}


def export(found: Sequence[Result], folder: Path) -> list[Path]:
    """Writes results, picks and cells as Parquet and as CSV; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"results": measured(found), "picks": picks(found), "cells": runs_made(found)}
    written = []
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        pa.csv.write_csv(table, folder / f"{name}.csv")
        written += [folder / f"{name}.parquet", folder / f"{name}.csv"]
    return written
