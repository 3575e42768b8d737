"""The methods paragraph of an experiment, from its settings and from what its cells recorded."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.judge.judgement import Judgement, committees
from pickwell.report.live import duration
from pickwell.report.text.phrases import listing, plural
from pickwell.statistics.comparisons import RESAMPLES


def uneven_seeds(judged: Judgement) -> Iterator[str]:
    """Of each variant whose methods have not the same seeds, which they share and which they do not."""
    for variant in dict.fromkeys(variant for variant, _ in judged.seeds):
        own = {method: seeds for (of, method), seeds in judged.seeds.items() if of == variant}
        shared = set.intersection(*map(set, own.values()))
        further: dict[tuple[int, ...], list[str]] = {}
        for method, seeds in own.items():
            further.setdefault(tuple(seed for seed in seeds if seed not in shared), []).append(method)
        parts = [
            f"{listing(names)}{' also' if shared else ':'} {spans(seeds)}" for seeds, names in further.items() if seeds
        ]
        if parts:
            where = f" ({variant})" if variant else ""
            common = f"all have {spans(sorted(shared))}" if shared else "no seed is shared by all"
            yield (
                f"The methods have not the same seeds{where}: {'; '.join([common, *parts])}. Each mean is of a "
                "method's own seeds, so levels differ by chance too; each difference is of the seeds that both have."
            )


def spans(numbers: Sequence[int]) -> str:
    """Rising numbers, those that follow one another as a range.

    >>> spans([0, 1, 2, 5, 6])
    '0 to 2, 5 and 6'
    """
    told = []
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        each = [str(value) for _, value in run]
        told += each if len(each) < 3 else [f"{each[0]} to {each[-1]}"]
    return listing(told)


def methods_paragraph(experiment: Experiment, found: Sequence[Mapping[str, Any]], seconds: float) -> Iterator[str]:
    """How it was measured, sentence by sentence."""
    yield _data(experiment, found)
    yield _learning(experiment, found)
    if experiment.variants:
        yield _variants(experiment)
    yield _statistics(experiment, found)
    yield _machines(found, seconds)


def _data(experiment: Experiment, found: Sequence[Mapping[str, Any]]) -> str:
    data, start, rounds = experiment.data, experiment.start, experiment.rounds
    measured = int(found[0]["rounds"][-1]["metrics"].get("measured", 0))
    aside = f", {data.validation:,} are set aside and not used" if data.validation else ""
    pool = f"{found[0]['pool']:,} images to pick from"
    absent = ""
    if start.absent:
        names = start.absent if isinstance(start.absent, tuple) else ()
        shown = "shows any" if experiment.task == "segmentation" else "is one"
        absent = (
            f", none of which {shown} of {listing(names) if names else f'{start.absent} classes that the seed draws'}"
        )
    noise = _noise(experiment)
    same = "Pool, test images and features" if data.features else "Pool and test images"
    kind = {"vae": "features of the pool's own VAE", "network": "features of a network"}.get(data.features, "images")
    return (
        f"Data: {data.set} ({kind}; fingerprint {found[0]['data']}), {pool}{aside}, {measured:,} to measure on that "
        f"nothing is trained or chosen on. {start.labels:,} images are labelled at first ({start.draw} draw{absent}), "
        f"then {rounds.budget:,} a round for {plural(rounds.count, 'round')}; under one seed every method has the same "
        f"first labels. {same} are the same under all seeds, so that intervals say nothing of other ones. "
        f"Labels count all that was paid for, validation included.{noise}"
    )


def _noise(experiment: Experiment) -> str:
    share = experiment.oracle.noise
    if not share:
        return ""
    if experiment.task == "segmentation":
        return f" In every mask told, each class that occurs is mistaken with probability {share:.0%}."
    return f" {share:.0%} of the labels are wrong."


def _learning(experiment: Experiment, found: Sequence[Mapping[str, Any]]) -> str:
    model, training, features = experiment.model, experiment.training, found[0]["features"]
    width = f" at {model.width:g} of its width" if model.width != 1 else ""
    sight = f"on {features} features" if features else f"at {model.image_size} pixels"
    if experiment.task == "segmentation":
        sight = f"on crops of {model.image_size} pixels (measured and picked on whole scenes at their own size)"
    return (
        f"Learning: {model.name}{width} {sight}, trained anew after every round for {training.epochs} "
        f"epochs of the labelled images, Adam, learning rate {training.learning_rate:g} ({training.schedule}), batch "
        f"{training.batch_size}, weight decay {training.weight_decay:g}, augmentation "
        f"{'none' if features else training.augment}."
        f"{_committees(found)}"
    )


def _committees(found: Sequence[Mapping[str, Any]]) -> str:
    """Whose accuracy is that of several networks."""
    sizes: dict[str, dict[str, int]] = {}
    for (variant, method), count in committees(found).items():
        sizes.setdefault(method, {})[variant] = count
    if not sizes:
        return ""
    each = listing([f"{name} has {_sizes(counts)}" for name, counts in sizes.items()])
    return (
        " Committees are measured by the mean prediction of their networks, which alone makes a part of a difference: "
        f"{each}."
    )


def _sizes(counts: Mapping[str, int]) -> str:
    """One number, or those of the variants that have one."""
    if len(set(counts.values())) == 1:
        return str(next(iter(counts.values())))
    return listing([f"{count} in {variant}" for variant, count in counts.items()])


def _variants(experiment: Experiment) -> str:
    """What the sentences about the experiment as it stands do not hold for."""
    each = [f"{name} ({_changes(changes)})" for name, changes in experiment.variants.items()]
    return f"Variants change what is said above: {'; '.join(each)}."


def _changes(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in changes.items()) or "nothing"


def _statistics(experiment: Experiment, found: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter((result["variant"], result["method"]) for result in found if result["method"] != FULL)
    least, most = min(counts.values(), default=0), max(counts.values(), default=0)
    seeds = plural(most, "seed") if least == most else f"{least} to {plural(most, 'seed')} a method"
    first = f"; of the first {plural(experiment.judged_alone, 'round')} alone" if experiment.judged_alone else ""
    return (
        f"Statistics: {seeds}. AUBC is the area under the curve of {experiment.measure} over labels, "
        f"divided by the labels' range{first}. Methods are compared by paired t tests over seeds; all comparisons of "
        "this report, over methods and variants, are one family, corrected by Holm's procedure at 5 %, at least half "
        f"of it weighted to those with {experiment.baseline}. Intervals are each comparison's own, not corrected. "
        f"Labels saved are read off mean curves made to rise (isotonic regression), with percentiles of {RESAMPLES:,} "
        "bootstrap resamples of the seeds."
    )


def _machines(found: Sequence[Mapping[str, Any]], seconds: float) -> str:
    kinds: dict[str, int] = {}
    for result in found:
        facts = result["hardware"]
        name = f"{facts['name']} ({facts['device']}, {facts['precision']}, {facts['cores']} cores)"
        kinds[name] = kinds.get(name, 0) + 1
    where = listing([f"{plural(count, 'cell')} on {name}" for name, count in kinds.items()])
    versions = ", ".join(f"{name} {number}" for name, number in found[0]["versions"].items())
    again = sum(result["resumes"] > 0 for result in found)
    stopped = f" {plural(again, 'cell')} went on after a stop." if again else ""
    return f"Machines: {where}; {duration(seconds)} of fits and queries in all.{stopped} {versions}."
