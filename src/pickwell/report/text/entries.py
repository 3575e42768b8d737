"""Values of a table as a person reads them, with the values themselves beside them."""

from pickwell.report.sections import Entry
from pickwell.report.text.phrases import DASH, MINUS, number, percent
from pickwell.statistics.estimates import UNKNOWN, Estimate, within

NONE = Entry(DASH, None)


def plain(value: float | None) -> Entry:
    """An accuracy, an IoU or a mean of them: three decimals."""
    return Entry(number(value), value)


def whole(value: float) -> Entry:
    """A number of labels, which straight lines may have put between two."""
    return Entry(f"{value:.0f}", value)


def level(estimate: Estimate) -> Entry:
    """A mean accuracy, or an area, with its interval: cut at 0 and 1, beyond which there is none.

    >>> level(Estimate(0.9, 0.75, 1.05, 3)).words
    '0.900 (0.750 to 1.000)'
    """
    return spread(within(estimate), "{:.3f}")


def points(difference: Estimate) -> Entry:
    """A difference of fractions in points.

    >>> points(Estimate(0.0123, -0.002, 0.03, 5)).words
    '+1.2 (−0.2 to +3.0)'
    """
    return spread(difference.scaled(100), "{:+z.1f}")


def spread(estimate: Estimate, form: str) -> Entry:
    """An estimate with its interval, each in this form; a dash for what is unknown."""
    if not estimate.n:
        return Entry(DASH, UNKNOWN)
    bounds = "" if estimate.low is None else f" ({form.format(estimate.low)} to {form.format(estimate.high)})"
    return Entry((form.format(estimate.mean) + bounds).replace("-", MINUS).replace("%", " %"), estimate)


def chance(p: float | None) -> Entry:
    """A p-value: three decimals, `< 0.001` below them."""
    return Entry("< 0.001" if p is not None and p < 0.001 else number(p), p)


def verdict(value: int | None) -> str:
    """What the corrected test says."""
    return {1: "above", -1: "below", 0: "not separable", None: "no test"}[value]


def share(value: float | None) -> Entry:
    """Whole per cent."""
    return Entry(percent(value), value)


def ratio(value: float | None) -> Entry:
    """Two places, none from 100 on: `0.01`, `31.26`, `1,063`."""
    return Entry(DASH if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}", value)


def seconds(value: float | None) -> Entry:
    """Three digits, but no power of ten where there are more: `0.0123`, `45.6`, `12,346`."""
    return Entry(DASH if value is None else f"{value:.3g}" if value < 999.5 else f"{value:,.0f}", value)
