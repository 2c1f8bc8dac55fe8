"""When, where and how firmly does each statement hold? Periods and stated facts in, short cuts out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import pyoxigraph as ox

from payergraph.derivation.days import FIRST, OPEN, day, day_after, literal
from payergraph.derivation.in_force import NEVER, Period
from payergraph.derivation.queries import select
from payergraph.namespaces import name

__all__ = ["describe"]


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
            yield ox.Triple(row["statement"], name("pg:positionFrom"), literal(start))
            yield ox.Triple(row["statement"], name("pg:positionBefore"), literal(before))


def _reach_of_applications(store: ox.Store) -> Iterator[ox.Triple]:
    parts: dict[str, set[str]] = defaultdict(set)
    for row in select(store, "areas"):
        parts[row["area"].value].add(row["part"].value)
    areas: dict[str, set[str]] = defaultdict(set)
    excepted: dict[str, set[str]] = defaultdict(set)
    for row in select(store, "applications"):
        node = row["application"]
        yield ox.Triple(node, name("pg:appliesFrom"), literal(day(row["valid_from"]) or FIRST))
        yield ox.Triple(node, name("pg:appliesBefore"), literal(day_after(day(row["valid_to"]) or OPEN)))
        if row["area"] is not None:
            areas[node.value].add(row["area"].value)
        if row["except_area"] is not None:
            excepted[node.value].add(row["except_area"].value)
    for application, stated in areas.items():
        covered = _covered(stated, parts) - _covered(excepted[application], parts)
        if excepted[application]:  # what has lost a part is no longer reached as a whole
            covered = {area for area in covered if parts.get(area, set()) <= covered}
        for area in covered:
            yield ox.Triple(ox.NamedNode(application), name("pg:appliesInArea"), ox.NamedNode(area))


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
        yield ox.Triple(row["statement"], name("pg:support"), name(f"scheme:support-{backing}"))


def _backing(origin: str, depth: str, *, inferred: bool) -> str:
    """The support that origin and reading depth give; an own document that was not read itself counts as told."""
    if inferred:
        return "inferred"
    if origin.endswith("official-data"):
        return "official-data"
    if origin.endswith("own-document") and not depth.endswith("secondary"):
        return "own-full" if depth.endswith("full") else "own-excerpt"
    return "third-party"
