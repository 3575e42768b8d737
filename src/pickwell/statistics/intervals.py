"""How sure a measured share is."""

from math import sqrt

Z = 1.959963984540054
"""The normal distribution's quantile for 95 %, both sides."""


def wilson(share: float, measured: int) -> tuple[float, float]:
    """The 95 % interval of a share that was measured on so many images (Wilson 1927).

    >>> [round(bound, 3) for bound in wilson(0.9, 50)]
    [0.786, 0.957]
    """
    share, weight = round(share * measured) / measured, Z * Z / measured
    middle, reach = share + weight / 2, Z * sqrt(share * (1 - share) / measured + weight / measured / 4)
    return max(0.0, (middle - reach) / (1 + weight)), min(1.0, (middle + reach) / (1 + weight))
