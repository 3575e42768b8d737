"""How sure a measured share is."""

from scipy.stats import binomtest

LEVEL = 0.95


def wilson(share: float, measured: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share that was measured on so many images.

    >>> [round(bound, 3) for bound in wilson(0.9, 50)]
    [0.786, 0.957]
    """
    found = binomtest(round(share * measured), measured).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)
