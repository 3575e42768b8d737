"""Numbers as a person writes them; imports nothing heavy, so that a live table starts at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pickwell.statistics.estimates import Estimate

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


def number(value: float | None) -> str:
    """The value with three decimals, or a dash.

    >>> number(0.9312), number(None)
    ('0.931', '–')
    """
    return DASH if value is None else f"{value:.3f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """A difference of fractions in points, with its sign.

    >>> signed(-0.0214), signed(-0.0001)
    ('−2.1', '+0.0')
    """
    return DASH if value is None else f"{100 * value:+z.1f}".replace("-", MINUS)


def percent(value: float | None) -> str:
    """A share in whole per cent.

    >>> percent(0.847)
    '85 %'
    """
    return DASH if value is None else f"{value:.0%}".replace("%", " %")


def interval(estimate: Estimate) -> str:
    """`0.910 to 0.945`, or a dash where there is no interval."""
    return DASH if estimate.low is None else f"{number(estimate.low)} to {number(estimate.high)}"


def listing(names: Sequence[str]) -> str:
    """The names as prose.

    >>> listing(["7", "8", "9"])
    '7, 8 and 9'
    """
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def plural(count: int, noun: str) -> str:
    """`1 seed`, `5 seeds`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def spans(numbers: Sequence[int]) -> str:
    """Rising numbers, those that follow one another as a range.

    >>> spans([0, 1, 2, 5, 6])
    '0 to 2, 5 and 6'
    """
    told = []
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        each = [str(value) for _, value in run]
        told += each if len(each) < 3 else [f"{each[0]} to {each[-1]}"]
    return listing(told)


def capital(words: str) -> str:
    """The words with the first letter a capital."""
    return words[:1].upper() + words[1:]


def where(variant: str, text: str) -> str:
    """The text with the variant in brackets, if there is one."""
    return f"{text} ({variant})" if variant else text


def file_name(*words: str) -> str:
    """The words as the name of a file: small letters and figures alone.

    >>> file_name("picks", "VAAL (own)", "")
    'picks-vaal--own'
    """
    joined = "-".join(word for word in words if word)
    return "".join(letter if letter.isalnum() else "-" for letter in joined).strip("-").lower()


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(84), duration(7.2), duration(7300)
    ('1 min 24 s', '7 s', '2 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
