"""Records: the parts that all answers of the look-ups are made of.

A record is a frozen dataclass. A field that says `Of("pg:stance")` holds the values of that property: one or null, or
a list that may be empty; the type of the field says as what a value is read (a day, a reference, a nested record; a
concept of a scheme becomes its notation). What no source states is null or empty, never a missing key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

__all__ = ["Citation", "Doubt", "Node", "Of", "Page", "Reference", "Statement", "page_of"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Of:
    """Which property a field holds."""

    property: str
    derived: bool = False
    """Read what the derived graph says, not the statement's own graph."""
    inverse: bool = False
    """Read what points at the node by this property, not what the node points at."""


@dataclass(frozen=True)
class Reference:
    """A thing of the graph that is described elsewhere."""

    iri: str
    id: str
    label: str | None


@dataclass(frozen=True)
class Citation:
    """Who says so: the document, the place in it, and how well it was read."""

    source: str
    title: str | None
    url: str | None
    locator: str | None
    published: date | None
    read_on: date | None
    shown_current_on: date | None
    reading_depth: str | None
    inferred: tuple[str, ...]
    """Why something was concluded that the document does not print; empty where it does."""


@dataclass(frozen=True)
class Doubt:
    """A note of ours on what is uncertain."""

    kind: str | None
    description: str | None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A piece of a list, and how long the whole list is."""

    items: tuple[Item, ...]
    total: int
    limit: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class Node:
    """Anything with an IRI."""

    iri: str


@dataclass(frozen=True, kw_only=True)
class Statement(Node):
    """Something that one source says."""

    citation: Citation
    doubts: tuple[Doubt, ...]


def page_of(items: Sequence[Item], limit: int, offset: int) -> Page[Item]:
    """Cut a page out of a list that is whole; behind its end the page is empty.

    >>> page_of([1, 2, 3], 2, 2).items
    (3,)
    """
    return Page(tuple(items[offset : offset + limit]), len(items), limit, offset)
