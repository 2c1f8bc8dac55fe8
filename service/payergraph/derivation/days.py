"""Days: RDF literals to dates and back, and the arithmetic that periods need.

Periods are half open: from the first day, before the day after the last. `FIRST` and `OPEN` stand for an unknown
start and an open end, so that a query compares two bound dates and needs no OPTIONAL.
"""

from datetime import date, timedelta
from typing import Final

import pyoxigraph as ox

from payergraph.namespaces import PREFIXES

__all__ = ["FIRST", "OPEN", "day", "day_after", "literal", "year_after"]

FIRST: Final = date(1, 1, 1)
OPEN: Final = date(9999, 12, 31)
_XSD_DATE: Final = ox.NamedNode(f"{PREFIXES['xsd']}date")


def day(term: object) -> date | None:
    """The date of an `xsd:date` literal; None for an unbound variable."""
    return date.fromisoformat(term.value) if isinstance(term, ox.Literal) else None


def day_after(last: date) -> date:
    """The day after; `OPEN` stays as it is."""
    return last if last == OPEN else last + timedelta(days=1)


def year_after(first: date) -> date:
    """The first day that is more than twelve months after a day."""
    try:
        anniversary = first.replace(year=first.year + 1)
    except ValueError:  # 29 February
        anniversary = date(first.year + 1, 2, 28)
    return day_after(anniversary)


def literal(value: date) -> ox.Literal:
    """The `xsd:date` literal of a date."""
    return ox.Literal(value.isoformat(), datatype=_XSD_DATE)
