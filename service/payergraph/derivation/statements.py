"""When, where and how firmly does each statement hold? Periods and stated facts in, short cuts out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import pyoxigraph as ox

from payergraph.derivation.days import FIRST, OPEN, day, day_after, literal
from payergraph.derivation.in_force import NEVER, Period
from payergraph.derivation.queries import select
from payergraph.namespaces import ONTOLOGY, PREFIXES

__all__ = ["describe"]

_SUPPORT: Final = f"{PREFIXES['scheme']}support-"


def describe(store: ox.Store, versions: Mapping[str, Period]) -> Iterator[ox.Triple]:
    """Yield the days of each statement, the areas and days of each application, and what backs each statement."""
    yield from _days_of_statements(store, versions)
    yield from _reach_of_applications(store)
    yield from _support(store)


def _days_of_statements(store: ox.Store, versions: Mapping[str, Period]) -> Iterator[ox.Triple]:
    for row in select(store, "statements"):
        version = versions.get(row["version"].value)
        own_start = day(row["valid_from"])
        if version is None or version.start_basis in NEVER:
            continue
        start = max((known for known in (version.start, own_start) if known), default=None)
        if start is None:
            continue
        before = min(version.before, day_after(day(row["valid_to"]) or OPEN))
        if start < before:
            yield ox.Triple(row["statement"], _pg("positionFrom"), literal(start))
            yield ox.Triple(row["statement"], _pg("positionBefore"), literal(before))


def _reach_of_applications(store: ox.Store) -> Iterator[ox.Triple]:
    parts: dict[str, set[str]] = defaultdict(set)
    for row in select(store, "areas"):
        parts[row["area"].value].add(row["part"].value)
    areas: dict[str, set[str]] = defaultdict(set)
    excepted: dict[str, set[str]] = defaultdict(set)
    for row in select(store, "applications"):
        application = row["application"]
        yield ox.Triple(application, _pg("appliesFrom"), literal(day(row["valid_from"]) or FIRST))
        yield ox.Triple(application, _pg("appliesBefore"), literal(day_after(day(row["valid_to"]) or OPEN)))
        if row["area"] is not None:
            areas[application.value].add(row["area"].value)
        if row["except_area"] is not None:
            excepted[application.value].add(row["except_area"].value)
    for name, stated in areas.items():
        covered = _covered(stated, parts) - _covered(excepted[name], parts)
        for area in covered if not excepted[name] else (area for area in covered if parts.get(area, set()) <= covered):
            yield ox.Triple(ox.NamedNode(name), _pg("appliesInArea"), ox.NamedNode(area))


def _covered(stated: Iterable[str], parts: Mapping[str, set[str]]) -> set[str]:
    """Areas with all that lies in them, and any area whose parts are all among them."""
    covered: set[str] = set()
    frontier = set(stated)
    while frontier:
        covered |= frontier
        frontier = {part for area in frontier for part in parts.get(area, ())} - covered
    return covered | {area for area, inside in parts.items() if inside <= covered}


def _support(store: ox.Store) -> Iterator[ox.Triple]:
    for row in select(store, "support"):
        backing = _backing(row["origin"].value, row["depth"].value, inferred=row["inferred"].value == "true")
        yield ox.Triple(row["statement"], _pg("support"), ox.NamedNode(f"{_SUPPORT}{backing}"))


def _backing(origin: str, depth: str, *, inferred: bool) -> str:
    """The support that origin and reading depth give; an own document that was not read itself counts as told."""
    if inferred:
        return "inferred"
    if origin.endswith("official-data"):
        return "official-data"
    if origin.endswith("own-document") and not depth.endswith("secondary"):
        return "own-full" if depth.endswith("full") else "own-excerpt"
    return "third-party"


def _pg(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"{ONTOLOGY}{name}")
