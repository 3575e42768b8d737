import torch
from hypothesis import given
from hypothesis import strategies as st

from pickwell.data import tensor_cache
from pickwell.data.tensor_cache import TensorCache


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=30), st.integers(1, 3000))
def test_what_is_kept_stays_as_it_was(sizes: list[tuple[int, int]], block: int) -> None:
    before, tensor_cache.BLOCK = tensor_cache.BLOCK, block
    try:
        kept = TensorCache[int]()
        wanted = [torch.randint(256, size, dtype=torch.uint8) for size in sizes]
        for key, values in enumerate(wanted):
            assert key not in kept
            kept.put(key, passing := values.clone())
            passing.zero_()  # what is kept is a copy
        assert len(kept) == len(sizes)
        assert all(torch.equal(kept[key], values) for key, values in enumerate(wanted))
    finally:
        tensor_cache.BLOCK = before


def test_small_ones_share_a_block_and_large_ones_fit() -> None:
    kept = TensorCache[str]()
    one, other = (kept.put(name, torch.ones(3, 5, dtype=torch.uint8)) for name in ("one", "other"))
    assert other.data_ptr() - one.data_ptr() == 15
    large = kept.put("large", torch.ones(1, tensor_cache.BLOCK + 1, dtype=torch.uint8))
    assert large.shape == (1, tensor_cache.BLOCK + 1)
