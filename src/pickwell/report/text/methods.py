"""How it was measured: the statistics of any report, and an experiment's settings and what its cells recorded."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pickwell.experiments.experiment import Experiment
from pickwell.report.text.phrases import duration, listing, plural
from pickwell.statistics.judgement import Judgement
from pickwell.statistics.label_savings import RESAMPLES


def statistics(judged: Judgement, metric: str) -> str:
    """How runs were compared, and what was claimed by."""
    counts = [len(seeds) for seeds in judged.seeds.values()]
    least, most = min(counts, default=0), max(counts, default=0)
    seeds = plural(most, "seed") if least == most else f"{least} to {plural(most, 'seed')} a method"
    first = f"; of the first {plural(judged.judged, 'round')} alone" if judged.judged else ""
    told = (
        f"Statistics: {seeds}. AUBC is the area under the curve of {metric} over labels, by trapezoids, divided by the "
        f"labels' range{first}. A lone run has the interval of its measurement, if any."
    )
    if not judged.comparisons:
        return told
    return (
        f"{told} Methods are compared by paired t tests over seeds; all comparisons of this report, over methods and "
        "variants, are one family, corrected by Holm's procedure at 5 %, at least half of it weighted to those with "
        f"{judged.baseline}. Intervals are each comparison's own, not corrected. Labels saved are read off mean curves "
        f"made to rise (isotonic regression), with percentiles of {RESAMPLES:,} bootstrap resamples of the seeds."
    )


def methods_paragraph(
    experiment: Experiment, judged: Judgement, found: Sequence[Mapping[str, Any]], seconds: float
) -> Iterator[str]:
    """How an experiment was measured, sentence by sentence."""
    yield _data(experiment, found)
    yield _learning(experiment, judged, found)
    if experiment.variants:
        yield _variants(experiment)
    yield statistics(judged, experiment.measure)
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
    kind = {
        "vae": "features of the pool's own VAE",
        "network": "features of a network",
        "encoder": f"features of {data.encoder}",
    }.get(data.features, "images")
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


def _learning(experiment: Experiment, judged: Judgement, found: Sequence[Mapping[str, Any]]) -> str:
    model, training, features = experiment.model, experiment.training, found[0]["features"]
    width = f" at {model.width:g} of its width" if model.width != 1 else ""
    sight = f"on {features} features" if features else f"at {model.image_size} pixels"
    if experiment.task == "segmentation":
        sight = f"on crops of {model.image_size} pixels (measured and picked on whole scenes at their own size)"
    if model.name == "logistic":
        weights = "balanced class weights" if training.class_weight == "balanced" else "no class weights"
        return (
            f"Learning: logistic regression {sight}, solved anew after every round (C {training.C:g}, {weights})."
            f"{_committees(judged)}"
        )
    return (
        f"Learning: {model.name}{width} {sight}, trained anew after every round for {training.epochs} "
        f"epochs of the labelled images, Adam, learning rate {training.learning_rate:g} ({training.schedule}), batch "
        f"{training.batch_size}, weight decay {training.weight_decay:g}, augmentation "
        f"{'none' if features else training.augment}."
        f"{_committees(judged)}"
    )


def _committees(judged: Judgement) -> str:
    """Whose accuracy is that of several networks."""
    sizes: dict[str, dict[str, int]] = {}
    for (variant, method), count in judged.committees.items():
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
    changed = {
        name: ", ".join(f"{key} = {value}" for key, value in changes.items()) or "nothing"
        for name, changes in experiment.variants.items()
    }
    return f"Variants change what is said above: {'; '.join(f'{name} ({told})' for name, told in changed.items())}."


def _machines(found: Sequence[Mapping[str, Any]], seconds: float) -> str:
    facts = [result["hardware"] for result in found]
    kinds = Counter(f"{f['name']} ({f['device']}, {f['precision']}, {f['cores']} cores)" for f in facts)
    where = listing([f"{plural(count, 'cell')} on {name}" for name, count in kinds.items()])
    versions = ", ".join(f"{name} {number}" for name, number in found[0]["versions"].items())
    again = sum(result["resumes"] > 0 for result in found)
    stopped = f" {plural(again, 'cell')} went on after a stop." if again else ""
    return f"Machines: {where}; {duration(seconds)} of fits and queries in all.{stopped} {versions}."
