"""The commands by name, and what becomes of errors."""

import json
import os
import sys

import typer

from pickwell.cli import bench, campaign, demo, serve
from pickwell.errors import PickwellError

app = typer.Typer(
    help="Picks the images worth labelling, round after round.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo.demo)
app.command()(campaign.init)
app.command()(campaign.add)
app.command()(campaign.fit)
app.command()(campaign.ask)
app.command()(campaign.tell)
app.command()(campaign.run)
app.command()(campaign.status)
app.command()(campaign.undo)
app.command()(campaign.close)
app.command()(campaign.report)
app.command()(serve.serve)
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Runs a command; whatever a person can mend is one sentence on stderr and exit code 2."""
    try:
        app(standalone_mode=True)
    except PickwellError as error:
        _say(str(error))
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        _say("stopped; what was acknowledged is kept, the same command goes on from there")
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except OSError as error:
        _say(f"{error.filename or 'the operating system'}: {error.strerror}")
        raise SystemExit(2) from None


def _say(sentence: str) -> None:
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"error": sentence}) + "\n")
    sys.stderr.write(f"pickwell: {sentence}\n")
