"""init, add, encode, fit, ask, tell, run, status, undo, close, report: one library call each."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pickwell.cli import show
from pickwell.cli.bars import Bars
from pickwell.cli.options import Chosen, Json, Sets, Where, changes
from pickwell.errors import LabelError
from pickwell.spelling import printable

if TYPE_CHECKING:
    from pickwell.data.grey_levels import Greys


class Links(StrEnum):
    """Whether links that lead out of a folder are followed."""

    YES = "yes"
    NO = "no"


Source = Annotated[str, typer.Option(help="A folder, a CSV of paths, a Parquet set, or 'digits'.")]
FromFolders = Annotated[bool, typer.Option("--labels-from-folders", help="A folder's name is its images' known label.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="What to leave out of a folder: names or paths, e.g. 'thumb*' or 'raw/*'."),
]
FollowLinks = Annotated[
    Links, typer.Option("--follow-links", help="no: leave out what links lead to outside of the folder.")
]
GreyRange = Annotated[
    str | None,
    typer.Option("--greys", help="What is white in greys of more than 8 bits: 4095, or BLACK:WHITE; default: a guess."),
]
Masks = Annotated[
    str | None, typer.Option(help="For segmentation: a folder with the images' masks, a/b.png that of a/b.jpg.")
]


def init(
    where: Where,
    images: Source,
    task: Annotated[str, typer.Option(help="classification or segmentation")] = "classification",
    classes: Annotated[
        str | None,
        typer.Option(help="The class names, with commas, or @FILE with one a line; default: the known labels'."),
    ] = None,
    masks: Masks = None,
    mask_values: Annotated[
        str | None,
        typer.Option(help="What values or colours of masks mean: 255=lesion,#ff0000=lesion; !name for void."),
    ] = None,
    test: Annotated[str | None, typer.Option(help="Labelled images to measure on; like --images.")] = None,
    test_masks: Annotated[str | None, typer.Option(help="The masks of the images to measure on.")] = None,
    labels_from_folders: FromFolders = False,
    exclude: Exclude = None,
    follow_links: FollowLinks = Links.YES,
    greys: GreyRange = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN|folder", help="What belongs together, e.g. a patient: never on both sides."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="What looks at each image once (pickwell encoders); none: networks learn from the pixels."),
    ] = None,
    allow_unmatched: Annotated[
        bool,
        typer.Option("--allow-unmatched", help="Set images aside that features:FILE lacks, pass over others it has."),
    ] = False,
    finetune: Annotated[
        bool, typer.Option("--finetune", help="Train the encoder's own network on the images, in place of a head.")
    ] = False,
    encode: Annotated[
        bool, typer.Option("--encode/--later", help="Encode the images now, or when that is first needed.")
    ] = True,
    strategy: Chosen = None,
    seed: Annotated[int, typer.Option(help="Everything random derives from it.")] = 0,
    set_: Sets = None,
    json: Json = False,
) -> None:
    """Make a campaign: read the images, write its settings and an empty store."""
    from pickwell.loop.creation import create
    from pickwell.tasks.segmentation.mask_values import parse

    settings: dict[str, Any] = {"task.kind": task, "seed": seed} | changes(set_)
    if strategy:
        settings["strategy.name"] = strategy
    if encoder:
        settings["encoder"] = encoder
    if group:
        settings["validation.group"] = group
    if allow_unmatched:
        settings["allow_unmatched"] = True
    if finetune:
        settings["training.finetune"] = True
    with Bars(quiet=json) as progress:
        summary = create(
            where,
            images,
            classes=_names(classes),
            masks=masks,
            test=test,
            test_masks=test_masks,
            mask_values=parse(mask_values) if mask_values else None,
            settings=settings,
            labels_from_folders=labels_from_folders,
            exclude=exclude or (),
            follow_links=follow_links is Links.YES,
            greys=_range(greys),
            progress=progress,
        )
    with show.campaign(where, quiet=json) as campaign:
        count = campaign.encode() if encode else 0
        show.created(summary, where, images, campaign, count, json=json)


def add(
    where: Where,
    images: Source,
    masks: Masks = None,
    labels_from_folders: FromFolders = False,
    exclude: Exclude = None,
    follow_links: FollowLinks = Links.YES,
    greys: GreyRange = None,
    json: Json = False,
) -> None:
    """Append images that the pool does not have yet."""
    with show.campaign(where, quiet=json) as campaign:
        source: dict[str, Any] = {"labels_from_folders": labels_from_folders, "exclude": exclude or ()}
        source["follow_links"] = follow_links is Links.YES
        summary = campaign.add(images, masks=masks, greys=_range(greys), **source, progress=campaign.progress)
        gone = campaign.missing()
        said = (*show.masks(summary, campaign.task), *filter(None, [campaign.told_missing(gone)]))
        show.summary(summary, where, *said, json=json, missing=len(gone))


def encode(where: Where, json: Json = False) -> None:
    """Encode the images that are not encoded yet, of the pool and of the test set."""
    with show.campaign(where, quiet=json) as campaign:
        encoder, count = campaign.settings.encoder, campaign.encode()
    sentence = show.encoded_by(encoder, count) if count else "models learn from the pixels: nothing to encode"
    show.say({"encoder": encoder, "encoded": count}, sentence, json=json)


def fit(where: Where, strategy: Chosen = None, json: Json = False) -> None:
    """Train on what is labelled, and say how well the model does."""
    with show.campaign(where, quiet=json) as campaign:
        metrics = campaign.fit(strategy)
        show.metrics(metrics, campaign.task, json=json)


def ask(
    where: Where,
    budget: Annotated[int, typer.Option(help="How many images to label next.")],
    strategy: Chosen = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the to-label list; default DIR/to-label.csv.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Draw a first round at random rather than wait for images to be encoded.")
    ] = False,
    json: Json = False,
) -> None:
    """Pick the images to label next, and write the to-label list."""
    from pickwell.formats.to_label_csv import write_picks

    with show.campaign(where, quiet=json) as campaign:
        question = campaign.ask(budget, strategy, now=now)
        listed = out or where / "to-label.csv"
        show.note(write_picks(listed, question, campaign.pool, campaign.store.taken().tolist()))
        kept, chosen = campaign.store.details(question.number), strategy or campaign.settings.strategy["name"]
        instead = not kept.learnt and question.strategy != chosen
        show.question(question, campaign.pool, listed, kept.monitors, instead=instead, json=json)


def tell(
    where: Where,
    labels: Annotated[
        Path | None, typer.Argument(help="A CSV with the columns item and label: a class, or a mask's file.")
    ] = None,
    known: Annotated[
        bool, typer.Option("--known", help="Keep the labels that images came with, where they have none yet.")
    ] = False,
    imported: Annotated[bool, typer.Option("--import", help="Accept labels of images that were never asked.")] = False,
    json: Json = False,
) -> None:
    """Keep labels: all of the file, or nothing of it."""
    from pickwell.formats.to_label_csv import read_labels

    if (labels is None) != known:
        raise LabelError("tell takes a file of labels, or --known for those that images came with; give one of them")
    with show.opened(where) as campaign:
        if labels is None:
            told = campaign.tell_known()
        else:
            source, found = f"file {labels.name}", read_labels(labels, campaign.pool)
            told = campaign.tell(found, imported=imported, source=source, files=labels.parent)
        question = campaign.store.current()
    waiting = len(question.waiting) if question else 0
    sentence = (
        f"kept {told.answered} labels ({told.corrected} of them corrections), {told.skipped} skipped, "
        f"{told.ignored} ignored; {waiting} of the round wait"
    )
    show.say({**asdict(told), "waiting": waiting}, sentence, json=json)


def run(
    where: Where,
    rounds: Annotated[int, typer.Option(min=1, help="How many rounds.")],
    budget: Annotated[int, typer.Option(help="How many labels a round.")],
    strategy: Chosen = None,
    oracle: Annotated[
        str, typer.Option(help="simulated (known labels), noisy, or human (waits for labels).")
    ] = "simulated",
    rate: Annotated[float, typer.Option(help="The noisy oracle's share of wrong answers.")] = 0.1,
    json: Json = False,
) -> None:
    """Ask, answer and learn, round after round."""
    with show.campaign(where, quiet=json) as campaign:
        answering = campaign.oracle(oracle, rate=rate)
        if oracle == "human":
            # On stderr, because a program reads stdout when the run has ended.
            typer.echo(
                f"answer in a browser (pickwell serve {printable(where)}) or with pickwell ask and tell in another "
                "terminal; Ctrl-C ends, every label is kept",
                err=True,
            )
        metrics = campaign.run(answering, rounds, budget, strategy)
        show.metrics(metrics, campaign.task, json=json)


def status(where: Where, json: Json = False) -> None:
    """Say what is labelled, how well the model does, what is open, and what to do next."""
    from pickwell.campaign.status import status_of

    with show.opened(where) as campaign:
        show.status(status_of(campaign), campaign.task, json=json)


def undo(where: Where, json: Json = False) -> None:
    """Take back the last tell; what it had labelled waits again."""
    with show.opened(where) as campaign:
        labels = campaign.undo()
    sentence = f"took back {len(labels)} labels" if labels else "nothing to take back: no label is kept"
    show.say({"undone": [label.item for label in labels]}, sentence, json=json)


def close(where: Where, json: Json = False) -> None:
    """Close the open round; its unanswered images go back to the pool."""
    with show.opened(where) as campaign:
        closed = campaign.close_round()
    number, returned = closed.number, len(closed.waiting)
    sentence = f"closed round {number}; {returned} unanswered images are back in the pool"
    show.say({"round": number, "returned": returned}, sentence, json=json)


def report(
    where: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="The campaign's directory; several are compared.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; default DIR/report.html, of several ./report.html.")
    ] = None,
    json: Json = False,
) -> None:
    """Write report.html: one file that opens offline."""
    from pickwell.report.campaign_page import page, report_of
    from pickwell.report.combined_report import together
    from pickwell.report.page import write

    made = page(together({path: report_of(path) for path in where}))
    path = write(made, out or (where[0] if len(where) == 1 else Path()) / "report.html")
    show.say({"report": str(path)}, *show.wrote(path), json=json)


def _range(greys: str | None) -> "Greys | None":
    from pickwell.data.grey_levels import Greys

    return Greys.parse(greys) if greys else None


def _names(classes: str | None) -> list[str] | None:
    """The class names that `a,b,c`, `@FILE` or `FILE.txt` stand for."""
    from pickwell.labels import read_class_list

    if classes is None:
        return None
    if classes.startswith("@") or classes.endswith(".txt"):
        return read_class_list(classes.removeprefix("@"))
    return [name.strip() for name in classes.split(",")]
