"""The best 10,000 of 10 million streamed scores: exact for any chunking, in memory O(b + chunk)."""

import json
import time

import torch

from benchmarks.made_up import peak
from pickwell.acquisition.streaming import TopB

N, B = 10_000_000, 10_000


def chunk(start: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores that a position gives itself, with many ties: nothing of the stream is kept."""
    ids = torch.arange(start, min(start + count, N))
    return ids, ((ids * 2654435761) % 1_000_003).float() / 1_000_003


def streamed(count: int) -> tuple[list[int], float]:
    began, kept = time.perf_counter(), TopB(B)
    for start in range(0, N, count):
        kept.update(*chunk(start, count))
    return kept.ids().tolist(), time.perf_counter() - began


def main() -> None:
    before = peak()
    first, seconds = streamed(50_000)
    rise = peak() - before
    same = all(streamed(count)[0] == first for count in (7_001, 1_000_000))
    ids, scores = chunk(0, N)
    order = (scores.sort(descending=True, stable=True).indices)[:B]
    exact = ids[order].tolist() == first
    print(json.dumps({"figure": "top-b", "seconds": seconds, "rise_mib": rise, "same": same, "equals_sort": exact}))


if __name__ == "__main__":
    main()
