"""predict, doubt, model: what the model says of images without a label, and of labels; and the model for others."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pickwell.cli import show
from pickwell.cli.label_files import Format
from pickwell.cli.options import Json, Where
from pickwell.cli.terminal import plain

if TYPE_CHECKING:
    pass


def predict(
    where: Where,
    out: Annotated[Path, typer.Option(help="The file or folder to write; it must not be there yet.")],
    images: Annotated[str | None, typer.Option(help="Images from elsewhere, as of init; default: the pool's.")] = None,
    format_: Format = "csv",
    accept: Annotated[
        float | None,
        typer.Option(
            min=0.5, max=0.999, help="Write only answers of which, with 95 % confidence, at least this share is right."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write what the model says of images without a label: the class, and how likely it is."""
    from pickwell import formats
    from pickwell.formats.exchange.found import Context
    from pickwell.prediction.guesses import guesses
    from pickwell.prediction.predictor import Predictor

    with show.campaign(where, quiet=json) as campaign, ExitStack() as stack:
        task = campaign.settings.task
        module = formats.named(format_, "write", task.kind)
        predictor = Predictor(campaign)
        least = 0.0 if accept is None else predictor.threshold(1 - accept)
        pool, stream = campaign.pool, predictor.unlabelled()
        if images is not None:
            pool, stream = stack.enter_context(predictor.pool(images))
        answers = [one for one in predictor.answers(stream) if one.raw >= least]
        module.write(out, guesses(answers, pool), Context(task.kind, task.classes, task.void))
    kept = f"{len(answers):,} of {len(stream):,}" if accept else f"{len(answers):,}"
    sure = f"calibrated on {predictor.found_on:,} labels (temperature {predictor.temperature:.2f})"
    if not predictor.found_on:
        sure = "not calibrated, for labels that the model did not learn from are too few"
    facts = {"written": str(out), "predicted": len(answers), "images": len(stream), "accepted_above": least,
             "temperature": predictor.temperature, "calibrated_on": predictor.found_on}  # fmt: skip
    show.say(facts, f"wrote {kept} predictions to {plain(out)}; probabilities are {sure}", json=json)


def doubt(
    where: Where,
    out: Annotated[Path | None, typer.Option(help="Where to write them as CSV; default DIR/doubts.csv.")] = None,
    json: Json = False,
) -> None:
    """List the labels that the others contradict, the likeliest wrong first, for somebody to look at again."""
    from pickwell.prediction.doubts import doubts, write_doubts
    from pickwell.prediction.predictor import Predictor

    with show.campaign(where, quiet=json) as campaign:
        found, listed = doubts(Predictor(campaign)), out or where / "doubts.csv"
        names = campaign.pool.manifest.names([one.item for one in found])
        write_doubts(listed, found, names)
    show.doubts(found, names, listed, where, json=json)


def model(
    where: Where,
    out: Annotated[Path, typer.Option(help="The file to write, .onnx or .safetensors; it must not be there yet.")],
    json: Json = False,
) -> None:
    """Write the model as one file for programs without pickwell, and a card that says what it is."""
    from pickwell.campaign.status import status_of
    from pickwell.formats.exchange.paths import appearing
    from pickwell.prediction.model_card import model_card
    from pickwell.prediction.model_file import ModelFile
    from pickwell.prediction.predictor import Predictor

    with show.campaign(where, quiet=json) as campaign:
        made, card = ModelFile(Predictor(campaign)), out.with_suffix(".md")
        with appearing(card) as page:
            made.write(out)
            page.write_text(model_card(made.facts(), status_of(campaign).classes), encoding="utf-8")
    show.say(
        {"written": str(out), "card": str(card), **made.facts()}, f"wrote {plain(out)}, and {plain(card)}", json=json
    )
