"""The commands by name, and what becomes of errors."""

import io
import json
import os
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import Annotated, TextIO

import typer

from pickwell.cli import available, bench, campaign_commands, classes, demo, label_files, pool, predict, serve
from pickwell.errors import PickwellError, in_words
from pickwell.spelling import printable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pickwell {version('pickwell')}")
        raise typer.Exit


@app.callback()
def options(
    version_: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Picks the images worth labelling, round after round."""


# Commands import what they need as they run: help and mistakes are told without waiting for torch.
app.command()(demo.demo)
for name in ("init", "add", "encode", "fit", "ask", "tell", "run", "status", "undo", "close", "report"):
    app.command()(getattr(campaign_commands, name))
app.command()(classes.classes)
app.command()(pool.pool)
app.command()(pool.relocate)
app.command()(pool.renew)
app.command()(pool.remove)
app.command("import")(label_files.import_)
app.command()(label_files.export)
app.command()(predict.predict)
app.command()(predict.doubt)
app.command()(predict.model)
app.command()(serve.serve)
for name in ("strategies", "models", "formats", "encoders"):
    app.command()(getattr(available, name))
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Runs a command; whatever a person can mend is one sentence on stderr, and exit code 2 (75: busy)."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that cannot show a name shows its code
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(standalone_mode=True)
    except SystemExit as end:
        _explain(end)
        raise
    except BrokenPipeError:
        # Python flushes once more as it ends: into nothing, or it would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if (sentence := in_words(error)) is None:
            raise
        _say(sentence, **getattr(error, "facts", {}))
        raise SystemExit(getattr(error, "code", PickwellError.code)) from None


def _explain(end: SystemExit) -> None:
    """Says what typer leaves unsaid: that Ctrl-C lost nothing; to programs, what was wrong with the command."""
    if end.code == 130:
        _say("stopped; what was acknowledged is kept, the same command goes on from there")
    elif "--json" in sys.argv and (message := getattr(end.__context__, "format_message", None)):
        _write(sys.stdout, json.dumps({"error": message()}))


def _say(sentence: str, **facts: object) -> None:
    # Looked for in the arguments themselves: an error can come before they are understood.
    if "--json" in sys.argv:
        _write(sys.stdout, json.dumps({"error": sentence, **facts}))
    _write(sys.stderr, f"pickwell: {printable(sentence)}")


def _write(stream: TextIO | None, line: str) -> None:
    """Writes a line; where nobody can hear, the exit code has to do."""
    with suppress(OSError, ValueError):
        print(line, file=stream or io.StringIO(), flush=True)
