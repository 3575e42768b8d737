"""What people should know of a model that is handed over: a page of Markdown."""

from collections.abc import Mapping
from typing import Any

from pickwell.statistics.intervals import wilson


def model_card(facts: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """The card of a model with these facts (`ModelFile.facts`); `counts` are its labels by class."""
    measured = facts["measured"]
    return "\n".join(
        [
            f"# {facts['name']}",
            "",
            f"Names one of {len(counts)} classes for an image: the encoder {facts['encoder']} "
            f"({facts['encoder_licence']}), frozen, and a logistic regression on its features.",
            "",
            f"- Learnt from {facts['labels']} labels; picked by `{facts['strategy']}`, so they are no random "
            "draw of the images.",
            f"- {_accuracy(measured)}",
            f"- Probabilities are calibrated (temperature {facts['temperature']:.2f}): of answers given with 80 %, "
            "some 80 % are right, on images like those that were labelled.",
            "- How images enter, and the classes in the order of the outputs, stand in the file's metadata.",
            "",
            "| class | labels | right |",
            "|---|---|---|",
            *(
                f"| {_cell(name)} | {count} | {_share(measured.get(f'accuracy/{name}'))} |"
                for name, count in counts.items()
            ),
            "",
            f"Made by pickwell {facts['pickwell']}.",
            "",
        ]
    )


def _accuracy(measured: Mapping[str, Any]) -> str:
    if not measured["images"]:
        return "Its accuracy is not known: nothing was held out to measure on."
    share = measured["accuracy"]
    low, high = wilson(share, measured["images"])
    return (
        f"Accuracy {share:.3f} (95 % interval {low:.3f} to {high:.3f}) on {measured['images']} images that it did not "
        "learn from."
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _cell(name: str) -> str:
    return name.replace("|", "\\|")
