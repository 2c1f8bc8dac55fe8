"""What does each code reach? Codings, hierarchies and groups in, one `pg:Reach` per way and time out.

A procedure code reaches itself, the groups and ranges that statements name and it lies in, the interventions
that it reported, and those above them. A diagnosis code reaches itself, the codes above it, their groups, the
conditions that they report, and those above them; where a coding only may apply, so does what lies above it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyoxigraph as ox

from payergraph.derivation.days import FIRST, OPEN, day, literal
from payergraph.derivation.queries import select
from payergraph.namespaces import name

__all__ = ["Reach", "describe"]


@dataclass(frozen=True, order=True)
class Reach:
    """One way from a code to something that statements name, with its first and last day."""

    code: str
    distance: int
    match: str
    target: str
    start: date = FIRST
    last: date = OPEN


@dataclass(frozen=True)
class _Coding:
    concept: str
    sure: bool
    start: date
    last: date


def describe(store: ox.Store) -> Iterator[ox.Triple]:
    """Yield the reaches of every code, and the closure of every hierarchy as `skos:broaderTransitive`."""
    broader = _broader(store)
    above = {narrower: _distances(narrower, broader) for narrower in broader}
    for narrower, ancestors in above.items():
        for ancestor in ancestors:
            yield ox.Triple(ox.NamedNode(narrower), name("skos:broaderTransitive"), ox.NamedNode(ancestor))
    by_code: dict[str, set[Reach]] = defaultdict(set)
    for reach in _reaches(store, above):
        by_code[reach.code].add(reach)
    for code, found in by_code.items():
        for number, reach in enumerate(sorted(found), 1):
            yield from _triples(ox.NamedNode(f"{code}#reach-{number}"), reach)


def _reaches(store: ox.Store, above: Mapping[str, Mapping[str, int]]) -> Iterator[Reach]:
    codings = _codings(store)
    groups, ranges = _groups(store)
    codes = [
        (row["code"].value, row["class"].value, row["system"].value, row["notation"].value)
        for row in select(store, "codes")
    ]
    notations = {code: (system, notation) for code, _, system, notation in codes}
    for code, kind, _, _ in codes:
        diagnosis = kind.endswith("DiagnosisCode")
        lineage = {code: 0, **(above.get(code, {}) if diagnosis else {})}
        concept, broader = ("condition", "broader-condition") if diagnosis else ("intervention", "broader-intervention")
        for ancestor, distance in lineage.items():
            yield Reach(code, distance, "parent" if distance else "code", ancestor)
            for group in groups.get(ancestor, ()):
                yield Reach(code, distance, "group", group)
            for coding in codings.get(ancestor, ()):
                names = (concept, broader) if coding.sure else None
                yield from _concepts(code, coding, above.get(coding.concept, {}), names)
        for group, first, last in ranges:
            if _lies_between(notations[code], notations.get(first), notations.get(last)):
                yield Reach(code, 0, "range", group)


def _concepts(
    code: str, coding: _Coding, ancestors: Mapping[str, int], names: tuple[str, str] | None
) -> Iterator[Reach]:
    """The ways to a coded concept and to those above it; `names` are the two matches, None where it may apply."""
    for target, distance in {coding.concept: 0, **ancestors}.items():
        match = names[distance > 0] if names else "may-apply"
        yield Reach(code, distance, match, target, coding.start, coding.last)


def _lies_between(code: tuple[str, str], first: tuple[str, str] | None, last: tuple[str, str] | None) -> bool:
    """Whether a notation lies in a range of its own system; only notations of one length compare."""
    if first is None or last is None:
        return False
    same = code[0] == first[0] == last[0] and len(code[1]) == len(first[1]) == len(last[1])
    return same and first[1] <= code[1] <= last[1]


def _codings(store: ox.Store) -> dict[str, list[_Coding]]:
    codings: dict[str, list[_Coding]] = defaultdict(list)
    for row in select(store, "codings"):
        coding = _Coding(
            concept=row["concept"].value,
            sure=row["match"].value.endswith("definite"),
            start=day(row["valid_from"]) or FIRST,
            last=day(row["valid_to"]) or OPEN,
        )
        codings[row["code"].value].append(coding)
    return codings


def _groups(store: ox.Store) -> tuple[dict[str, list[str]], list[tuple[str, str, str]]]:
    """The groups of each member, and the ranges."""
    groups: dict[str, list[str]] = defaultdict(list)
    ranges: list[tuple[str, str, str]] = []
    for row in select(store, "groups"):
        if row["member"] is not None:
            groups[row["member"].value].append(row["group"].value)
        else:
            ranges.append((row["group"].value, row["range_from"].value, row["range_to"].value))
    return groups, ranges


def _broader(store: ox.Store) -> dict[str, list[str]]:
    broader: dict[str, list[str]] = defaultdict(list)
    for row in select(store, "broader"):
        broader[row["narrower"].value].append(row["broader"].value)
    return broader


def _distances(start: str, broader: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many steps each concept above lies away; a cycle is not followed twice."""
    distances: dict[str, int] = {}
    frontier, steps = {start}, 0
    while frontier:
        steps += 1
        frontier = {up for node in frontier for up in broader.get(node, ())} - distances.keys() - {start}
        distances.update(dict.fromkeys(sorted(frontier), steps))
    return distances


def _triples(node: ox.NamedNode, reach: Reach) -> Iterator[ox.Triple]:
    yield ox.Triple(node, name("rdf:type"), name("pg:Reach"))
    yield ox.Triple(node, name("pg:code"), ox.NamedNode(reach.code))
    yield ox.Triple(node, name("pg:reaches"), ox.NamedNode(reach.target))
    yield ox.Triple(node, name("pg:matchedBy"), name(f"scheme:match-{reach.match}"))
    yield ox.Triple(node, name("pg:reachDistance"), ox.Literal(str(reach.distance), datatype=name("xsd:integer")))
    yield ox.Triple(node, name("pg:codedFrom"), literal(reach.start))
    yield ox.Triple(node, name("pg:codedTo"), literal(reach.last))
