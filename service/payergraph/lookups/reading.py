"""Reading: a store and a node in, a record with its citation out.

In:  a store in which every triple stands in its named graph and, merged, in the default graph (as in a snapshot).
Out: instances of the record classes: dataclasses whose fields say, by `Of`, which property they hold.

A record has every key of its class: what no source states is null or an empty list, never a missing key.
"""

import types
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import pyoxigraph as ox

from payergraph.lookups.records import Citation, Doubt, Node, Of, Reference
from payergraph.lookups.terms import DERIVED, MERGED, SOURCES, TYPE, Term, id_of, kebab, natural, text_of
from payergraph.namespaces import PREFIXES, name

__all__ = ["Reader"]

_SCHEME: Final = PREFIXES["scheme"]
_BOUNDS: Final = frozenset({"0001-01-01", "9999-12-31"})
"""Days that stand for an unknown start and an open end in what is derived."""
Facts = Mapping[str, Sequence[Term]]


T = TypeVar("T", bound=Node)


@dataclass(frozen=True)
class _Slot:
    """A field of a record class: its property, the type of one value, and whether there may be several."""

    of: Of | None
    kind: type
    many: bool


class Reader:
    """Reads records from one store; labels and descriptions of sources are looked up once per reader."""

    def __init__(self, store: ox.Store) -> None:
        self.store = store
        self._references: dict[str, Reference] = {}
        self._sources: dict[str, Facts] = {}
        self._records: dict[tuple[str, str], Facts] = {}

    def objects(
        self, subject: ox.NamedNode, curie: str, graph: ox.NamedNode | ox.DefaultGraph = MERGED
    ) -> tuple[Term, ...]:
        """What a property of a node holds, in a natural order."""
        quads = self.store.quads_for_pattern(subject, name(curie), None, graph)
        return _sorted([quad.object for quad in quads])

    def text(self, subject: ox.NamedNode, curie: str, graph: ox.NamedNode | ox.DefaultGraph = MERGED) -> str | None:
        """The first value of a property, as text; None where there is none."""
        found = self.objects(subject, curie, graph)
        return text_of(found[0]) if found else None

    def subjects(self, curie: str, value: Term, graph: ox.NamedNode | ox.DefaultGraph = MERGED) -> list[ox.NamedNode]:
        """The nodes that have this value of a property, in a natural order."""
        quads = self.store.quads_for_pattern(None, name(curie), value, graph)
        found = {quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}
        ordered = found if len(found) < 2 else sorted(found, key=natural)
        return [ox.NamedNode(iri) for iri in ordered]

    def count(self, curie: str, value: Term) -> int:
        """How many nodes have this value of a property."""
        return sum(1 for _ in self.store.quads_for_pattern(None, name(curie), value, MERGED))

    def pairs(self, curie: str, graph: ox.NamedNode | ox.DefaultGraph = MERGED) -> Iterator[tuple[ox.NamedNode, Term]]:
        """Every node that has a property, with each of its values, as they come."""
        for quad in self.store.quads_for_pattern(None, name(curie), None, graph):
            if isinstance(quad.subject, ox.NamedNode):
                yield quad.subject, quad.object

    def classes(self, subject: ox.NamedNode) -> set[str]:
        """The classes of a node, as IRIs."""
        return {text_of(quad.object) for quad in self.store.quads_for_pattern(subject, TYPE, None, MERGED)}

    def home(self, subject: ox.NamedNode) -> ox.NamedNode | None:
        """The graph that says what a node is: for a statement the one of its source; None for what is nowhere."""
        graphs = (quad.graph_name for quad in self.store.quads_for_pattern(subject, TYPE, None, None))
        named = [graph for graph in graphs if isinstance(graph, ox.NamedNode) and graph != DERIVED]
        return min(named, key=lambda graph: graph.value, default=None)

    def facts(self, subject: ox.NamedNode, graph: ox.NamedNode | ox.DefaultGraph) -> Facts:
        """All that one graph says of a node: values by the IRI of the property."""
        found: dict[str, list[Term]] = defaultdict(list)
        for quad in self.store.quads_for_pattern(subject, None, None, graph):
            found[quad.predicate.value].append(quad.object)
        return found

    def reference(self, term: Term) -> Reference:
        """A node as its IRI, its short id and its label."""
        iri = text_of(term)
        if iri not in self._references:
            label = None
            if isinstance(term, ox.NamedNode):
                label = self.text(term, "skos:prefLabel") or self.text(term, "dcterms:title")
            self._references[iri] = Reference(iri, id_of(iri), label)
        return self._references[iri]

    def read(self, kind: type[T], subject: ox.NamedNode, graph: ox.NamedNode | None = None) -> T:
        """Fill a record with what its graph says of a node.

        :param graph: the graph to read; without it, or where it is silent, the one that says what the node is
        """
        facts = self.facts(subject, graph) if graph else {}
        if not facts:
            graph = self.home(subject)
            facts = self.facts(subject, graph) if graph else {}
        home = graph or SOURCES
        record: Any = kind
        values: dict[str, Any] = {
            field: self._field(field, slot, subject, home, facts) for field, slot in _slots(record).items()
        }
        return kind(**values)

    def doubts(self, subject: ox.NamedNode) -> tuple[Doubt, ...]:
        """The notes of ours on what is uncertain about a node."""
        return tuple(
            Doubt(_first(self.key, facts.get(name("pg:doubtKind").value)), _first(text_of, facts.get(_DESCRIPTION)))
            for facts in self._notes(subject, "pg:Doubt")
        )

    def citation(self, subject: ox.NamedNode, graph: ox.NamedNode, facts: Facts) -> Citation:
        """Where a statement stands, and how well that was read."""
        source = _first(lambda term: term, facts.get(name("pg:source").value)) if graph == SOURCES else graph
        source = source if isinstance(source, ox.NamedNode) else graph
        known = self._source(source)
        dates = self._record(source, facts)
        return Citation(
            source=source.value,
            title=_first(text_of, known.get(name("dcterms:title").value)),
            url=_first(text_of, known.get(name("foaf:page").value)),
            locator=_first(text_of, facts.get(name("pg:locator").value)),
            published=_first(_day, dates.get(name("pg:publishedOn").value) or known.get(name("dcterms:issued").value)),
            read_on=_first(_day, known.get(name("pg:readOn").value)),
            shown_current_on=_first(_day, dates.get(name("pg:shownCurrentOn").value)),
            reading_depth=_first(self.key, known.get(name("pg:readingDepth").value)),
            inferred=tuple(
                text_of(ground)
                for note in self._notes(subject, "pg:Inference")
                for ground in note.get(name("pg:ground").value, ())
            ),
        )

    def key(self, term: Term) -> str:
        """A scheme concept as its notation, which the schemes define; anything else as its text."""
        if isinstance(term, ox.NamedNode) and term.value.startswith(_SCHEME):
            return self.text(term, "skos:notation") or term.value.removeprefix(_SCHEME)
        return text_of(term)

    def _notes(self, subject: ox.NamedNode, kind: str) -> list[Facts]:
        """What notes of one class say about a node."""
        notes = (self.facts(note, SOURCES) for note in self.subjects("pg:about", subject, SOURCES))
        return [note for note in notes if name(kind) in note.get(TYPE.value, ())]

    def _source(self, source: ox.NamedNode) -> Facts:
        if source.value not in self._sources:
            self._sources[source.value] = self.facts(source, SOURCES)
        return self._sources[source.value]

    def _record(self, source: ox.NamedNode, facts: Facts) -> Facts:
        """What the source says of the version that a statement is about: its dates."""
        version = _first(text_of, facts.get(name("pg:version").value))
        if version is None:
            return {}
        key = (source.value, version)
        if key not in self._records:
            about = self.subjects("pg:version", ox.NamedNode(version), source)
            records = (self.facts(subject, source) for subject in about)
            kind = name("pg:VersionRecord")
            self._records[key] = next((record for record in records if kind in record.get(TYPE.value, ())), {})
        return self._records[key]

    def _field(self, field: str, slot: _Slot, subject: ox.NamedNode, graph: ox.NamedNode, facts: Facts) -> object:
        """What a field holds: the values of its property, or what every record has of itself."""
        if slot.of is None:
            return self._own(field, subject, graph, facts)
        terms: Sequence[Term]
        if slot.of.inverse:
            terms = self.subjects(slot.of.property, subject, graph)
        elif slot.of.derived:
            terms = self.objects(subject, slot.of.property, DERIVED)
        else:
            terms = _sorted(facts.get(name(slot.of.property).value, ()))
        values = [self._convert(slot.kind, term, graph) for term in terms]
        return tuple(values) if slot.many else next(iter(values), None)

    def _own(self, field: str, subject: ox.NamedNode, graph: ox.NamedNode, facts: Facts) -> object:
        if field == "iri":
            return subject.value
        if field == "id":
            return id_of(subject.value)
        if field == "kind":
            return next((kebab(text_of(kind)) for kind in facts.get(TYPE.value, ())), None)
        return self.doubts(subject) if field == "doubts" else self.citation(subject, graph, facts)

    def _convert(self, kind: type, term: Term, graph: ox.NamedNode) -> object:
        if kind is Reference:
            return self.reference(term)
        if isinstance(term, ox.NamedNode) and issubclass(kind, Node):
            return self.read(kind, term, graph)
        if kind is str:
            return self.key(term)
        return _day(term) if kind is date else _plain(term)


_DESCRIPTION: Final = f"{PREFIXES['dcterms']}description"


@cache
def _slots(kind: type[Any]) -> dict[str, _Slot]:
    return {field: _slot(hint) for field, hint in get_type_hints(kind, include_extras=True).items()}


def _slot(hint: Any) -> _Slot:
    """Take a type hint apart: `Annotated[tuple[str, ...], Of("pg:stance")]`, `date | None`."""
    of = None
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        of = next((note for note in notes if isinstance(note, Of)), None)
    many = get_origin(hint) is tuple
    inner = get_args(hint)[0] if many else hint
    if get_origin(inner) in (Union, types.UnionType):
        choices = [choice for choice in get_args(inner) if choice is not type(None)]
        inner = choices[0] if len(choices) == 1 else object
    return _Slot(of, inner, many)


def _sorted(terms: Sequence[Term]) -> tuple[Term, ...]:
    return tuple(terms) if len(terms) < 2 else tuple(sorted(terms, key=_order))


def _first(convert: Any, terms: Sequence[Term] | None) -> Any:
    return convert(min(terms, key=_order)) if terms else None


def _order(term: Term) -> tuple[tuple[tuple[int, int, str], ...], str]:
    text = text_of(term)
    return natural(text), text


def _day(term: Term) -> date | None:
    text = text_of(term)
    return None if text in _BOUNDS else date.fromisoformat(text)


def _plain(term: Term) -> bool | int | float | str:
    """A literal as what it is in JSON; what is no number and no truth stays text."""
    text = text_of(term)
    datatype = term.datatype.value.removeprefix(PREFIXES["xsd"]) if isinstance(term, ox.Literal) else ""
    if datatype == "boolean":
        return text in ("true", "1")
    if datatype in ("integer", "decimal", "gYear"):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text
