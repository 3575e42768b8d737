import torch

from pickwell.learner.generators import generator, isolated
from pickwell.seeds import derive


def test_seeds_do_not_collide_over_purposes() -> None:
    seeds = {derive(seed, purpose, number) for seed in range(20) for purpose in ("a", "b") for number in range(20)}
    assert len(seeds) == 20 * 2 * 20
    assert derive(1, "2") == derive(1, 2)
    assert derive(1, "ab", "c") != derive(1, "a", "bc")


def test_derived_seeds_are_the_same_everywhere() -> None:
    assert derive(0, "round", 1) == 7649006451828478897
    assert torch.rand(1, generator=generator(0, "x")).item() == torch.rand(1, generator=generator(0, "x")).item()


def test_isolated_puts_the_random_state_back() -> None:
    before = torch.get_rng_state()
    with isolated():
        torch.manual_seed(1)
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
