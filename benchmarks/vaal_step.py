"""VAAL at the paper's size, as ratios from one run: `python -m benchmarks.vaal_step [--quick]`.

`step`: one step of Algorithm 1 (VGG-16 with batch norm, VAE 128-256-512-1024, 64 + 64 images of 32 x 32) in the best
precision, against a plain float32 step in the released code's order: two passes of the VAE, one for each pool, and
the whole VAE run twice again for D's step.

`scoring`: a pool of 20,000 scored, monitors and top-b included, against the bare encoder on the same batches, as it is
and as it scores (batch norms folded), and against a full float32 pass of the VAE, which is how the released code
queries.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pickwell import models
from pickwell.learner import Batch, Devices
from pickwell.strategies.vaal import VAAL, paper_size
from pickwell.strategies.vaal.losses import (
    adversarial_loss,
    discriminator_loss,
    negative_elbo,
    reparameterise,
    transductive_loss,
    vae_loss,
)
from pickwell.strategies.vaal.networks import PAPER_WIDTHS, VAE, Discriminator
from pickwell.testing.fakes import FakeView

SIDE, HALF, LATENT = 32, 64, 32


def seconds(function: Callable[[], object], repeats: int) -> float:
    """The median time of a call; the first, which warms up, is not counted."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def ours(batch: Batch, devices: Devices) -> Callable[[], object]:
    strategy = VAAL(**paper_size(LATENT))
    strategy.begin(devices, batch)
    network = devices.setup(models.load("vgg16_bn", 10, image_size=SIDE)).train()
    optimiser = devices.adam(network, 5e-4)

    def step() -> None:
        strategy.train_step(batch, lambda: batch)
        with devices.autocast():
            logits = network(batch.x_l)
        descend(optimiser, cross_entropy(logits.float(), batch.y_l))

    return step


def plain(batch: Batch) -> Callable[[], object]:
    vae, discriminator = VAE(SIDE, LATENT, PAPER_WIDTHS), Discriminator(LATENT, 512)
    network = models.load("vgg16_bn", 10, image_size=SIDE).train()
    optimisers = [torch.optim.Adam(module.parameters(), lr=5e-4) for module in (network, vae, discriminator)]

    def look(x: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = vae.encode(x)
        reconstruction = vae.decode(reparameterise(mu, logvar))
        return mu, negative_elbo(x, reconstruction, mu, logvar, beta=1.0, observation="calibrated")

    def step() -> None:
        descend(optimisers[0], cross_entropy(network(batch.x_l), batch.y_l))
        (mu_l, bound_l), (mu_u, bound_u) = look(batch.x_l), look(batch.x_u)
        contest = adversarial_loss(discriminator(mu_l), discriminator(mu_u))
        descend(optimisers[1], vae_loss(transductive_loss(bound_l, bound_u), contest))
        with torch.no_grad():
            (mu_l, _), (mu_u, _) = look(batch.x_l), look(batch.x_u)
        descend(optimisers[2], discriminator_loss(discriminator(mu_l), discriminator(mu_u)))

    return step


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def steps(repeats: int) -> dict[str, float]:
    devices = Devices("auto")
    x_l, x_u = (devices.put(torch.rand(HALF, 3, SIDE, SIDE)) for _ in range(2))
    batch = Batch(x_l, torch.randint(10, (HALF,), device=devices.device), x_u)
    plain_batch = Batch(*(part.cpu().contiguous() for part in (batch.x_l, batch.y_l, batch.x_u)))
    quick, long = ours(batch, devices), plain(plain_batch)
    turns = [(seconds(quick, 1), seconds(long, 1)) for _ in range(repeats)]
    fast, slow = (statistics.median(times) for times in zip(*turns, strict=True))
    return {
        "ours_images_a_second": 2 * HALF / fast,
        "plain_images_a_second": 2 * HALF / slow,
        "times_the_speed": statistics.median(s / f for f, s in turns),
    }


def scoring(pool: int, repeats: int) -> dict[str, float]:
    devices = Devices("auto")
    strategy = VAAL(**paper_size(LATENT))
    images = devices.put(torch.rand(pool, 3, SIDE, SIDE))
    view = FakeView(images, [], batch_size=256, every=1)
    strategy.begin(devices, Batch(images[:2], torch.zeros(2), images[:2]))
    pair = strategy.trained()
    quick = pair.encoding()
    part = images[: max(256, pool // 10)].cpu().contiguous()
    vae = VAE(SIDE, LATENT, PAPER_WIDTHS).eval()

    def bare(encoder: Callable[[Tensor], tuple[Tensor, ...]]) -> None:
        with torch.inference_mode(), devices.autocast():
            for _, batch in view.unlabelled.batches():
                encoder(batch)[0].sum().item()

    @torch.inference_mode()
    def released() -> None:
        for batch in part.split(64):
            mu, logvar = vae.encode(batch)
            vae.decode(reparameterise(mu, logvar))

    # In turns, so that whatever else the machine does falls on both.
    functions = (
        lambda: bare(pair.scoring_encoder),
        lambda: bare(quick),
        lambda: strategy.select(view, pool // 20),
        released,
    )
    turns = [tuple(seconds(function, 1) for function in functions) for _ in range(repeats)]
    query = statistics.median(select for _, _, select, _ in turns)
    full = statistics.median(part_full for *_, part_full in turns) * pool / len(part)
    return {
        "pool": pool,
        "images_a_second": pool / query,
        "times_the_bare_encoder": statistics.median(select / encode for encode, _, select, _ in turns),
        "times_the_folded_encoder": statistics.median(select / encode for _, encode, select, _ in turns),
        "full_pass_images_a_second": pool / full,
        "times_the_full_passes_speed": statistics.median(f * pool / len(part) / select for _, _, select, f in turns),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a pool of 1,024, and no repetition")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    values = {
        "figure": "vaal-step",
        "precision": Devices("auto").precision,
        "threads": chosen.threads,
        "step": steps(1 if chosen.quick else 5),
        "scoring": scoring(1024 if chosen.quick else 20_000, 1 if chosen.quick else 3),
    }
    print(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
