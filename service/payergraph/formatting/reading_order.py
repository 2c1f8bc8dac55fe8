"""In what order a reader wants things: what the ontology declares first comes first.

In:  `ontology/payergraph.ttl`.  Out: sort keys for predicates, classes and names.

Naming comes first in every block (`rdf:type`, labels, titles), then the standards' facts, then our own properties in
the order in which the ontology declares them. The order of subjects is that of their classes; a class is read with
its superclass, so that the criteria of a tree stay together whatever their kind.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from payergraph import resources
from payergraph.namespaces import ONTOLOGY, PREFIXES

__all__ = ["NaturalKey", "ReadingOrder", "natural", "reading_order"]

NaturalKey = tuple[tuple[str | int, ...], str]

_NAMING: Final = (
    "rdf:type rdfs:label skos:prefLabel skos:altLabel skos:hiddenLabel dcterms:title dcterms:alternative "
    "rdfs:subClassOf rdfs:subPropertyOf skos:definition skos:scopeNote skos:example dcterms:description "
    "dcterms:identifier skos:notation skos:topConceptOf skos:inScheme skos:broader rdfs:domain rdfs:range "
    "dcterms:isVersionOf prov:wasRevisionOf dcterms:publisher foaf:page dcterms:issued dcterms:rights dcterms:license "
    "dcterms:references owl:versionIRI owl:versionInfo "
    "sh:targetClass sh:target sh:targetSubjectsOf sh:targetObjectsOf sh:targetNode sh:path sh:closed "
    "sh:ignoredProperties sh:property sh:name sh:minCount sh:maxCount sh:nodeKind sh:datatype sh:class sh:prefix "
    "sh:namespace"
)
"""Properties of the standards that a reader expects before ours."""

_CLOSING: Final = (
    "sh:severity sh:message sh:description sh:prefixes sh:select sh:declare "
    "skos:closeMatch rdfs:seeAlso skos:editorialNote rdfs:isDefinedBy"
)
"""Properties of the standards that a reader expects at the end."""

_STATEMENT: Final = f"{ONTOLOGY}Statement"
"""The class of all that documents say: too wide to be read as one group."""


@dataclass(frozen=True)
class ReadingOrder:
    """Ranks by IRI; what has no rank comes after all that has, before what closes a block."""

    predicates: Mapping[str, int]
    classes: Mapping[str, int]
    groups: Mapping[str, int]
    """The rank of the class with which a class is read: its topmost superclass in the ontology."""

    def predicate(self, iri: str) -> tuple[int, str]:
        """Return the sort key of a predicate."""
        return self.predicates.get(iri, len(self.predicates)), iri

    def type(self, iri: str) -> tuple[int, NaturalKey]:
        """Return the sort key of a class among the types of one subject."""
        return self.classes.get(iri, len(self.classes)), natural(iri)

    def subject(self, iri: str, types: Iterable[str]) -> tuple[int, NaturalKey]:
        """Return the sort key of a subject: its class, then its name."""
        last = len(self.classes)
        return min((self.groups.get(name, last) for name in types), default=last), natural(iri)


@cache
def reading_order(path: Path = resources.ONTOLOGY / "payergraph.ttl") -> ReadingOrder:
    """Return the order that an ontology file declares."""
    rdf_type, sub_class = f"{PREFIXES['rdf']}type", f"{PREFIXES['rdfs']}subClassOf"
    classes: dict[str, int] = {}
    properties: list[str] = []
    parents: dict[str, str] = {}
    for triple in ox.parse(path=path, format=ox.RdfFormat.TURTLE):
        subject, predicate, term = str(triple.subject)[1:-1], triple.predicate.value, str(triple.object)[1:-1]
        if predicate == rdf_type and term.endswith("Class"):
            classes.setdefault(subject, len(classes))
        elif predicate == rdf_type and term.endswith("Property"):
            properties.append(subject)
        elif predicate == sub_class and term.startswith(ONTOLOGY) and term != _STATEMENT:
            parents.setdefault(subject, term)
    groups = {name: classes.get(_top(name, parents), len(classes)) for name in classes}
    return ReadingOrder(_predicate_ranks(properties), classes, groups)


@lru_cache(maxsize=65_536)
def natural(name: str) -> NaturalKey:
    """Return a sort key by which numbers in names count as numbers: `position-2` comes before `position-10`.

    >>> sorted(["p-10", "p-2"], key=natural)
    ['p-2', 'p-10']
    """
    parts = re.split(r"([0-9]+)", name)
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), name


def _top(name: str, parents: Mapping[str, str]) -> str:
    seen = {name}
    while (parent := parents.get(name)) and parent not in seen:
        seen.add(parent)
        name = parent
    return name


def _predicate_ranks(properties: list[str]) -> dict[str, int]:
    """Rank the naming properties, then ours; those that close a block come after everything."""
    ordered = [*map(_expand, _NAMING.split()), *properties]
    ranks = {iri: rank for rank, iri in enumerate(dict.fromkeys(ordered))}
    closing = _CLOSING.split()
    behind = len(ranks) + len(closing) + 1
    return ranks | {_expand(name): behind + index for index, name in enumerate(closing)}


def _expand(name: str) -> str:
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local
