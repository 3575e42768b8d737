"""How long work tells how far it has come: one signature, for bars, files and tables alike."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much is done, and how much there is; a comma in the first begins a note on it.

One with a method `losses` is told the losses of a training step as well, by name and before each call.
"""
