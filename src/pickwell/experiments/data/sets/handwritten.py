"""scikit-learn's handwritten digits: nothing to download."""

from pathlib import Path

from pickwell.experiments.data.sets.layout import Layout, Part


def find(name: str, data: Path, into: Path) -> Layout:
    """The 1,797 digits; a part of them becomes the test set."""
    return Layout(Part(Path("digits")))


SETS = {"digits": find}
