"""Reaching: a code or a payer in, the policy versions that speak of it out, by what the derived graph says.

In:  a reader and nodes.  Out: versions; silence notes never count, for they say that nothing was found.
"""

from collections.abc import Iterator
from datetime import date

import pyoxigraph as ox

from payergraph.lookups.reading import Reader
from payergraph.lookups.terms import DERIVED, POLICIES, text_of
from payergraph.namespaces import name

__all__ = ["covers", "policy_of", "reaches_of", "versions_of_payer", "versions_that_reach"]


def reaches_of(reader: Reader, code: ox.NamedNode, on: date | None = None) -> dict[str, int]:
    """What a code is found by in statements, with the distance; on a day, or ever."""
    found: dict[str, int] = {}
    for reach in reader.subjects("pg:code", code, DERIVED):
        if on is None or covers(reader, reach, "pg:codedFrom", "pg:codedTo", on, last=True):
            facts = reader.facts(reach, DERIVED)
            distance = int(text_of(facts[name("pg:reachDistance").value][0]))
            for target in facts[name("pg:reaches").value]:
                found[text_of(target)] = min(distance, found.get(text_of(target), distance))
    return found


def versions_that_reach(reader: Reader, code: ox.NamedNode, on: date | None = None) -> set[str]:
    """The versions with a statement that names what the code reaches; on a day, or ever."""
    statements = {
        statement.value: statement
        for target in reaches_of(reader, code, on)
        for statement in reader.subjects("pg:names", ox.NamedNode(target), DERIVED)
    }
    return {
        version
        for statement in statements.values()
        if on is None or covers(reader, statement, "pg:positionFrom", "pg:positionBefore", on)
        for version in [reader.text(statement, "pg:version")]
        if version and name("pg:SilenceNote").value not in reader.classes(statement)
    }


def versions_of_payer(reader: Reader, payer: ox.NamedNode, on: date | None = None) -> set[str]:
    """The versions that apply to a payer: all of a policy, or the one that is pinned; on a day, or ever."""
    return {
        version
        for application in reader.subjects("pg:payer", payer)
        if name("pg:Application").value in reader.classes(application)
        and (on is None or covers(reader, application, "pg:appliesFrom", "pg:appliesBefore", on))
        for version in _applied(reader, application)
    }


def policy_of(reader: Reader, version: str) -> str:
    """The policy that a version belongs to; empty for what is no version."""
    return reader.text(ox.NamedNode(version), "dcterms:isVersionOf", POLICIES) or ""


def covers(reader: Reader, node: ox.NamedNode, start: str, end: str, on: date, *, last: bool = False) -> bool:
    """Whether a derived period holds on a day; without a start it holds on none.

    :param last: the end is the last day that belongs to the period, not the first that does not
    """
    first, until = reader.text(node, start, DERIVED), reader.text(node, end, DERIVED)
    day = on.isoformat()
    return first is not None and until is not None and first <= day and (day <= until if last else day < until)


def _applied(reader: Reader, application: ox.NamedNode) -> Iterator[str]:
    pinned = reader.objects(application, "pg:pinnedVersion")
    if pinned:
        yield from (version.value for version in pinned if isinstance(version, ox.NamedNode))
        return
    for policy in reader.objects(application, "pg:policy"):
        yield from (version.value for version in reader.subjects("dcterms:isVersionOf", policy, POLICIES))
