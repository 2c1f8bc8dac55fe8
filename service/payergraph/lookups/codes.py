"""Codes: a search or one code in, what sources say of it out, each fact with its citation.

In:  a store as a snapshot holds it.  Out: pages of `CodeSummary`, or `CodeFacts`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import pyoxigraph as ox

from payergraph.errors import NotFoundError, ParameterError
from payergraph.lookups.code_records import (
    CodeDescription,
    CodeEntry,
    CodeFacts,
    CodeRelease,
    CodeSummary,
    Coding,
    FeeScheduleEntry,
    Finding,
    ModifierUse,
    PathwayStep,
    ProcedureStep,
    Reach,
    UnitLimit,
)
from payergraph.lookups.finding import close_names, code_kind, find_code, register_keys
from payergraph.lookups.reaching import policy_of, reaches_of, versions_that_reach
from payergraph.lookups.reading import Reader
from payergraph.lookups.records import Page, Reference, page_of
from payergraph.lookups.terms import CODES, DERIVED, TYPE, Term, id_of, kebab, natural, text_of
from payergraph.namespaces import name

__all__ = ["code", "code_summary", "search_codes"]

_NAMING: Final = ("pg:describes", "pg:code", "pg:procedure", "pg:modifier")
"""How statements about a code name it."""
_COLUMNS: Final = ("pg:columnOne", "pg:columnTwo")
_SAID: Final[dict[str, type[Any]]] = {
    "descriptions": CodeDescription,
    "codings": Coding,
    "modifier_uses": ModifierUse,
    "unit_limits": UnitLimit,
    "fee_schedule_entries": FeeScheduleEntry,
    "procedure_steps": ProcedureStep,
    "findings": Finding,
}
"""The statements about a code that an answer lists, by its key; records and classes have the same names."""
_WORD: Final = re.compile(r"\w+")


def search_codes(
    store: ox.Store, q: str = "", system: str | None = None, limit: int = 50, offset: int = 0
) -> Page[CodeSummary]:
    """Codes whose notation starts with a text, or whose label has all its words, in that order.

    :param q: a notation or its beginning, or words or their beginnings; empty for all codes
    :param system: only this system, by the first part of its codes' ids
    :raises ParameterError: if there is no such system
    """
    entries = _index(store)
    if system is not None:
        keys = register_keys(Reader(store))
        if system not in keys:
            raise ParameterError("system", f"there is no system {system!r}", allowed=keys)
        entries = [entry for entry in entries if entry.system == system]
    asked, words = q.strip().casefold(), _WORD.findall(q.casefold())
    ranked = [(rank, entry) for entry in entries if (rank := _rank(entry, asked, words)) is not None]
    ranked.sort(key=lambda found: found[0])
    return page_of([entry for _, entry in ranked], limit, offset)


def code(store: ox.Store, system: str, notation: str) -> CodeFacts:
    """All that is known of one code.

    :param system: the first part of its id, as in `cpt:64454`
    :raises NotFoundError: if there is no such system or code; close ones are suggested
    """
    reader = Reader(store)
    keys = register_keys(reader)
    if system not in keys:
        raise NotFoundError("code system", system, close=close_names(system, keys))
    subject = find_code(reader, f"{system}:{notation}")
    return _facts(reader, subject)


def code_summary(reader: Reader, subject: ox.NamedNode) -> CodeSummary:
    """A code as a list shows it."""
    notation = reader.text(subject, "skos:notation", CODES) or ""
    identifier = id_of(subject.value)
    label = reader.reference(subject).label
    kind = code_kind(reader, subject) or ""
    return CodeSummary(subject.value, identifier, identifier.partition(":")[0], notation, label, kind)


@lru_cache(maxsize=1)
def _index(store: ox.Store) -> list[CodeSummary]:
    """Every code of an immutable store, in the order of ids; made once per store."""
    reader = Reader(store)
    found = (quad.subject for quad in store.quads_for_pattern(None, name("skos:notation"), None, CODES))
    summaries = [code_summary(reader, subject) for subject in found if isinstance(subject, ox.NamedNode)]
    return sorted((entry for entry in summaries if entry.kind), key=lambda entry: natural(entry.id))


def _rank(entry: CodeSummary, asked: str, words: Sequence[str]) -> int | None:
    """How well an entry fits: 0 the notation itself, 1 its beginning, 2 words of the label; None not at all."""
    notation, identifier = entry.notation.casefold(), entry.id.casefold()
    if asked in (notation, identifier):
        return 0
    if notation.startswith(asked) or identifier.startswith(asked) or notation.replace(".", "").startswith(asked):
        return 1
    label = _WORD.findall((entry.label or "").casefold())
    return 2 if words and all(any(part.startswith(word) for part in label) for word in words) else None


def _facts(reader: Reader, subject: ox.NamedNode) -> CodeFacts:
    statements = _statements(reader, subject)
    said: dict[str, Any] = {
        field: tuple(reader.read(kind, node, graph) for node, graph in statements[kebab(f"#{kind.__name__}")])
        for field, kind in _SAID.items()
    }
    before, after = _other_codings(reader, said["codings"])
    releases = tuple(_releases(reader, subject))
    targets = reaches_of(reader, subject)
    reported = [target for target, distance in targets.items() if distance == 0]
    return CodeFacts(
        **vars(reader.read(CodeEntry, subject, CODES)),
        **said,
        id=id_of(subject.value),
        lateralities=tuple(dict.fromkeys(release.laterality for release in releases if release.laterality)),
        broader=_references(reader, reader.objects(subject, "skos:broader")),
        narrower=_references(reader, reader.subjects("skos:broader", subject)),
        releases=releases,
        reported_before=before,
        reported_after=after,
        reaches=tuple(reader.read(Reach, node, DERIVED) for node, _ in statements["reach"]),
        replaces=_named(reader, said["descriptions"], "replaces", subject, "dcterms:isReplacedBy"),
        replaced_by=_named(reader, said["descriptions"], "replaced_by", subject, "dcterms:replaces"),
        usual_sites=_named(reader, said["descriptions"], "usual_sites"),
        edit_count=sum(reader.count(column, subject) for column in _COLUMNS),
        payment_count=reader.count("pg:observedCode", subject),
        pathway_before=_pathway(reader, reported, "pg:followingIntervention"),
        pathway_after=_pathway(reader, reported, "pg:precedingIntervention"),
        policy_count=len({policy_of(reader, version) for version in versions_that_reach(reader, subject)}),
        doubts=reader.doubts(subject),
    )


def _statements(reader: Reader, subject: ox.NamedNode) -> dict[str, list[tuple[ox.NamedNode, ox.NamedNode]]]:
    """The statements that name a code, by class, each with its graph, in a natural order."""
    found: dict[str, dict[ox.NamedNode, ox.NamedNode]] = defaultdict(dict)
    for curie in _NAMING:
        for quad in reader.store.quads_for_pattern(None, name(curie), subject, None):
            graph, node = quad.graph_name, quad.subject
            if isinstance(graph, ox.NamedNode) and isinstance(node, ox.NamedNode):
                for kind in reader.store.quads_for_pattern(node, TYPE, None, graph):
                    found[kebab(text_of(kind.object))][node] = graph
    ordered = {kind: sorted(nodes.items(), key=lambda item: natural(item[0].value)) for kind, nodes in found.items()}
    return defaultdict(list, ordered)


def _releases(reader: Reader, subject: ox.NamedNode) -> Iterator[CodeRelease]:
    """What files other than the register say of the code itself."""
    quads = reader.store.quads_for_pattern(subject, None, None, None)
    graphs = {quad.graph_name for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}
    for graph in sorted(graphs - {CODES, DERIVED}, key=lambda graph: graph.value):
        if isinstance(graph, ox.NamedNode):
            yield reader.read(CodeRelease, subject, graph)


def _other_codings(reader: Reader, codings: Iterable[Coding]) -> tuple[tuple[Coding, ...], tuple[Coding, ...]]:
    """Codings of the same by other codes: those that had ended when these began, and those that began after."""
    before: dict[str, Coding] = {}
    after: dict[str, Coding] = {}
    for coding in codings:
        if coding.valid_from is None and coding.valid_to is None:
            continue
        others = (reader.read(Coding, node) for node in reader.subjects("pg:codes", ox.NamedNode(coding.codes.iri)))
        for other in others:
            if other.code != coding.code and _ended(other, coding):
                before[other.iri] = other
            if other.code != coding.code and _ended(coding, other):
                after[other.iri] = other
    return tuple(before.values()), tuple(after.values())


def _ended(first: Coding, second: Coding) -> bool:
    """Whether one coding had ended when the other began; unknown days say nothing."""
    return first.valid_to is not None and second.valid_from is not None and first.valid_to < second.valid_from


def _pathway(reader: Reader, reported: Iterable[str], curie: str) -> tuple[PathwayStep, ...]:
    """The steps in which what the code reports stands in this place."""
    found = {node.value: node for target in reported for node in reader.subjects(curie, ox.NamedNode(target))}
    return tuple(reader.read(PathwayStep, found[iri]) for iri in sorted(found, key=natural))


def _named(
    reader: Reader,
    descriptions: Iterable[CodeDescription],
    field: str,
    subject: ox.NamedNode | None = None,
    inverse: str = "",
) -> tuple[Reference, ...]:
    """What descriptions name in a field, each once; and the codes whose descriptions name this one the other way."""
    named = [reference for description in descriptions for reference in getattr(description, field)]
    if subject is not None:
        others = reader.subjects(inverse, subject)
        named += [reader.reference(other) for node in others for other in reader.objects(node, "pg:describes")]
    return tuple(sorted(set(named), key=lambda reference: natural(reference.id)))


def _references(reader: Reader, terms: Iterable[Term]) -> tuple[Reference, ...]:
    return tuple(reader.reference(term) for term in terms)
