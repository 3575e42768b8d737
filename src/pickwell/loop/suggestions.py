"""What the model makes of a round's picks: a suggestion, the nearest labelled images, an order to label in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from pickwell.learner import Learner
from pickwell.learner.item_stream import Stream
from pickwell.store import Labels

MOST_PICKS = 10_000
"""Picks that get hints, the best ranks first: walking through more would take longer than labelling them is worth."""
MOST_LABELLED = 5_000
"""Labelled images among which neighbours are looked for; of more, so many are drawn."""
NEIGHBOURS = 6
ROUNDING = 1e-12
"""Relative size below which a squared distance, in double precision, is rounding."""
WALKED = 64
"""Dimensions in which similar images are looked for: distances of random projections are nearly the features' own."""

Streams = Callable[[Tensor], Stream]
"""Makes a stream of the items of ascending ids."""


def hints_of(
    picks: Sequence[int],
    labels: Labels,
    classes: Sequence[str],
    learner: Learner,
    streams: Streams,
    rng: torch.Generator,
) -> list[dict[str, Any]]:
    """An entry for each pick, in the order of `picks`: suggestion, confidence, order, nearest labelled neighbours.

    The same again gives the same; of more than 10,000 picks the best ranks have one.
    Without `classes`, as for masks, nothing is suggested.
    Memory: the features of 5,000 labelled images, and of one batch of picks.
    """
    picks = picks[:MOST_PICKS]
    drawn = torch.randperm(len(labels), generator=rng)[:MOST_LABELLED].sort().values
    items = torch.from_numpy(labels.items)[drawn]
    known = torch.cat([learner.embed(images) for _, images in streams(items).batches()])
    # A mask's label is the name of its file, which tells people nothing.
    names = [value if value in classes else "" for value in (labels.values[place] for place in drawn.tolist())]
    found: dict[int, dict[str, Any]] = {}
    points: dict[int, Tensor] = {}
    axes: Tensor | None = None
    for ids, images in streams(torch.tensor(sorted(picks))).batches():
        features = learner.embed(images)
        if axes is None:
            axes = _axes(features.shape[1], rng).to(features.device)
        points |= zip(ids.tolist(), (features @ axes).cpu(), strict=True)
        said = suggestions(learner.predict(images), classes) if classes else repeat({}, len(ids))
        for item, guess, near in zip(ids.tolist(), said, nearest(features, known, NEIGHBOURS), strict=True):
            neighbours = [
                {"item": int(items[place]), "label": names[place], "distance": round(distance, 6)}
                for place, distance in near
            ]
            found[item] = {"item": item, **guess, "neighbours": neighbours}
    for order, place in enumerate(walk(torch.stack([points[item] for item in picks]))):
        found[picks[place]]["order"] = order
    return [found[item] for item in picks]


def _axes(width: int, rng: torch.Generator) -> Tensor:
    """Directions `(width, K)` to project on, K at most 64."""
    # Scaled so that lengths stay as they are on average.
    return torch.eye(width) if width <= WALKED else torch.randn(width, WALKED, generator=rng) / WALKED**0.5


def suggestions(probabilities: Tensor, classes: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The likeliest class and its probability of each row of `(B, C)`."""
    confidence, best = probabilities.max(dim=1)
    for sure, place in zip(confidence.tolist(), best.tolist(), strict=True):
        yield {"suggestion": classes[place], "confidence": round(sure, 6)}


def nearest(features: Tensor, known: Tensor, count: int) -> Iterator[list[tuple[int, float]]]:
    """Places in `known` and distances of the rows closest to each row of `features`, the nearest first."""
    # In double precision, as products round differently with how many rows they are of: beyond that, copies tie.
    left, right = features.double(), known.double()
    scale = left.square().sum(1)[:, None] + right.square().sum(1)
    distances = torch.addmm(scale, left, right.T, alpha=-2)
    distances = distances.masked_fill_(distances < ROUNDING * scale, 0).float()
    chosen = []
    for _ in range(min(count, len(known))):
        place = distances.argmin(dim=1)  # the first of equals: the lower id
        chosen.append(place)
        distances.scatter_(1, place[:, None], torch.inf)
    places = torch.stack(chosen, dim=1)
    # Products of matrices find neighbours fast, and lose the small distances of near-duplicates: those are taken anew.
    exact = (features[:, None] - known[places]).norm(dim=2)
    exact, order = exact.sort(dim=1, stable=True)
    for row, values in zip(places.gather(1, order).tolist(), exact.tolist(), strict=True):
        yield list(zip(row, values, strict=True))


def walk(points: Tensor) -> list[int]:
    """The places of the rows `(N, D)` on a way that begins at the first, and goes to the nearest one not yet seen."""
    left = torch.zeros(len(points))
    way, at = [], 0
    for _ in range(len(points)):
        way.append(at)
        left[at] = torch.inf
        at = int(((points - points[at]).square().sum(1) + left).argmin())
    return way
