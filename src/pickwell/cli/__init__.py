"""The command line: parse, call one library function, print."""

from pickwell.cli.commands import main

__all__ = ["main"]
