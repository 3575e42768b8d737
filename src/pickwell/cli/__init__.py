"""The command line: parse, call one library function, print."""

from pickwell.cli.app import main

__all__ = ["main"]
