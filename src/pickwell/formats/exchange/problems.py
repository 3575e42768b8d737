"""What of a file cannot be used: counted, listed, and told in one sentence."""

from collections.abc import Iterable

from pickwell.spelling import printable

SHOWN = 5
LONGEST = 300


class Problems(dict[str, list[str]]):
    """Reasons, and the subjects that each of them holds of."""

    def add(self, reason: str, *subjects: str) -> None:
        """Notes more of one reason."""
        self.setdefault(reason, []).extend(subjects)

    def __str__(self) -> str:
        """All reasons with their counts and first subjects.

        >>> problems = Problems()
        >>> problems.add("images not in the pool", "x.jpg")
        >>> print(problems)
        images not in the pool: 1 (x.jpg)
        """
        return "; ".join(f"{reason}: {len(names):,} ({_first(names)})" for reason, names in self.items())


def _first(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f", and {len(every) - SHOWN:,} more" if len(every) > SHOWN else ""
    return ", ".join(_short(name) for name in every[:SHOWN]) + more


def _short(name: str) -> str:
    """The subject on one line: names of files may hold anything."""
    said = printable(name)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
