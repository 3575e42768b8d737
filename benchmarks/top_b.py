"""The best 10,000 of 10 million streamed scores: exact for any chunking and sharding, in memory O(b + chunk)."""

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


def streamed(count: int, shards: int = 1) -> tuple[list[int], float]:
    began, kept = time.perf_counter(), [TopB(B) for _ in range(shards)]
    for number, start in enumerate(range(0, N, count)):
        kept[number % shards].update(*chunk(start, count))
    for other in kept[1:]:
        kept[0].merge(other)
    return kept[0].ids().tolist(), time.perf_counter() - began


def main() -> None:
    before = peak()
    first, seconds = streamed(50_000)
    rise = peak() - before
    same = all(streamed(count, shards)[0] == first for count, shards in ((7_001, 1), (1_000_000, 1), (50_000, 8)))
    ids, scores = chunk(0, N)
    order = (scores.sort(descending=True, stable=True).indices)[:B]
    exact = ids[order].tolist() == first
    print(json.dumps({"figure": "top-b", "seconds": seconds, "rise_mib": rise, "same": same, "equals_sort": exact}))


if __name__ == "__main__":
    main()
