"""The form of a file: facts in, the lines that state them out.

In:  the quads of one file, the names to write IRIs with, and the reading order.
Out: blocks of text, one for each subject, in graphs or bare.

pyoxigraph's own serialiser was tried and is not used: it knows neither bare blocks nor line breaks between objects,
and it writes blank nodes as labels, while shapes live from `[ … ]` and `( … )`. What it writes well, literals and
their escapes, is taken from it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import pyoxigraph as ox

from payergraph.formatting.prefixes import Names
from payergraph.formatting.reading_order import NaturalKey, ReadingOrder, natural
from payergraph.namespaces import PREFIXES

__all__ = ["WIDTH", "GraphLayout", "SharedBlankNodeError"]

WIDTH: Final = 110
"""Columns beyond which several objects, a list or a blank node's facts stand one a line."""

_RDF, _XSD = PREFIXES["rdf"], PREFIXES["xsd"]
_TYPE: Final = ox.NamedNode(f"{_RDF}type")
_FIRST: Final = ox.NamedNode(f"{_RDF}first")
_REST: Final = ox.NamedNode(f"{_RDF}rest")
_NIL: Final = ox.NamedNode(f"{_RDF}nil")

_BARE: Final = {
    f"{_XSD}integer": re.compile(r"[+-]?[0-9]+"),
    f"{_XSD}decimal": re.compile(r"[+-]?[0-9]*\.[0-9]+"),
    f"{_XSD}boolean": re.compile(r"true|false"),
}
"""Lexical forms that Turtle reads as literals of the datatype without quotes (Turtle, section 2.5.2 and 2.5.3)."""

_ESCAPE: Final = re.compile(r"\\(?:(?P<line>n)|(?P<tab>t)|(?P<quote>\"(?!\\\"|\Z))|.)", re.DOTALL)

Subject = ox.NamedNode | ox.BlankNode | ox.Triple
Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


class SharedBlankNodeError(ValueError):
    """A blank node that more than one fact refers to, or that refers to itself: it needs an IRI."""


class GraphLayout:
    """Lays out the facts of one graph.

    :param long_strings: whether literals with line breaks keep them, between triple quotes
    """

    def __init__(self, quads: Iterable[ox.Quad], names: Names, order: ReadingOrder, *, long_strings: bool) -> None:
        self._facts: dict[Subject, dict[ox.NamedNode, list[Term]]] = {}
        for quad in dict.fromkeys(quads):
            self._facts.setdefault(quad.subject, defaultdict(list))[quad.predicate].append(quad.object)
        self._uses: Counter[Term] = Counter(
            term
            for facts in self._facts.values()
            for terms in facts.values()
            for term in terms
            if isinstance(term, ox.BlankNode)
        )
        self._names = names
        self._order = order
        self._long_strings = long_strings

    def blocks(self, *, sort: bool, indent: str) -> list[str]:
        """Return a block of text for each subject that is no part of another.

        :param sort: order the subjects for the reader; else they keep the order in which they came
        :raises SharedBlankNodeError: if a blank node cannot be written inside the one fact that refers to it
        """
        subjects = [subject for subject in self._facts if not self._uses[subject]]
        if any(count > 1 for count in self._uses.values()) or len(self._parts(subjects)) < len(self._facts):
            raise SharedBlankNodeError
        if sort:
            subjects.sort(key=self._subject_key)
        return [self._block(subject, indent) for subject in subjects]

    def _parts(self, subjects: Iterable[Subject]) -> set[Subject]:
        """Return the subjects and the blank nodes that are written inside them."""
        found: set[Subject] = set()
        waiting = list(subjects)
        while waiting:
            subject = waiting.pop()
            found.add(subject)
            terms = (term for objects in self._facts[subject].values() for term in objects)
            waiting += (term for term in terms if isinstance(term, ox.BlankNode) and term in self._facts)
        return found

    def _subject_key(self, subject: Subject) -> tuple[tuple[int, NaturalKey], ...]:
        """Return the sort key of a subject; a fragment of another subject of the graph follows that one."""
        whole = ox.NamedNode(subject.value.partition("#")[0]) if isinstance(subject, ox.NamedNode) else subject
        return tuple(self._rank(node) for node in dict.fromkeys((whole, subject)) if node in self._facts)

    def _rank(self, subject: Subject) -> tuple[int, NaturalKey]:
        types = (term.value for term in self._facts[subject].get(_TYPE, ()) if isinstance(term, ox.NamedNode))
        return self._order.subject(str(subject).strip("<>"), types)

    def _block(self, subject: Subject, indent: str) -> str:
        name = "[]" if isinstance(subject, ox.BlankNode) else self._flat(subject)
        first, *others = self._lines(subject, f"{indent}  ", len(name) - 1)
        return " ;\n".join([f"{indent}{name} {first.lstrip()}", *others]) + " ."

    def _lines(self, subject: Subject, indent: str, lead: int = 0) -> list[str]:
        """Return the facts of a subject, one text for each predicate; the first has `lead` columns less."""
        lines: list[str] = []
        for predicate, terms in self._ordered(subject):
            verb = "a" if predicate == _TYPE else self._names.short(predicate.value)
            flat = f"{indent}{verb} {' , '.join(map(self._flat, terms))}"
            if len(terms) > 1 and not self._fits(flat, 0 if lines else lead):
                objects = (f"{indent}  {self._object(term, f'{indent}  ', 0)}" for term in terms)
                lines.append(f"{indent}{verb}\n" + " ,\n".join(objects))
            elif len(terms) > 1:
                lines.append(flat)
            else:
                column = len(verb) + 1 + (0 if lines else lead)
                lines.append(f"{indent}{verb} {self._object(terms[0], indent, column)}")
        return lines

    def _object(self, term: Term, indent: str, column: int) -> str:
        """Return an object that starts in that column after the indent: flat where it fits or cannot be broken."""
        flat = self._flat(term)
        if not isinstance(term, ox.BlankNode) or self._fits(f"{indent}{flat}", column):
            return flat
        if (items := self._items(term)) is not None:
            lines = [f"{indent}  {self._object(item, f'{indent}  ', 0)}" for item in items]
            return "\n".join(["(", *lines, f"{indent})"])
        facts = [f"{line} ;" for line in self._lines(term, f"{indent}  ")]
        return "\n".join(["[", *facts, f"{indent}]"])

    def _fits(self, text: str, column: int) -> bool:
        return len(text) + column + 2 <= WIDTH and "\n" not in text

    def _flat(self, term: Term) -> str:
        """Return a term on one line (or, with long strings, on the lines that it has)."""
        if isinstance(term, ox.NamedNode):
            return "()" if term == _NIL else self._names.short(term.value)
        if isinstance(term, ox.Literal):
            return self._literal(term)
        if isinstance(term, ox.Triple):
            return str(term)
        if (items := self._items(term)) is not None:
            return f"( {' '.join(map(self._flat, items))} )"
        facts = (
            f"{'a' if predicate == _TYPE else self._names.short(predicate.value)} {' , '.join(map(self._flat, terms))}"
            for predicate, terms in self._ordered(term)
        )
        return f"[ {' ; '.join(facts)} ]" if term in self._facts else "[]"

    def _literal(self, literal: ox.Literal) -> str:
        datatype = literal.datatype.value
        if datatype in _BARE and _BARE[datatype].fullmatch(literal.value):
            return literal.value
        quoted = str(ox.Literal(literal.value))
        if self._long_strings and "\n" in literal.value:
            quoted = f'""{_ESCAPE.sub(_unescape, quoted[:-1])}"""'
        if literal.language:
            return quoted + str(ox.Literal("", language=literal.language, direction=literal.direction))[2:]
        return quoted if datatype == f"{_XSD}string" else f"{quoted}^^{self._names.short(datatype)}"

    def _items(self, head: Term) -> list[Term] | None:
        """Return the items of a list that can be written as `( … )`; None for any other node."""
        items: list[Term] = []
        cell = head
        while isinstance(cell, ox.BlankNode):
            facts = self._facts.get(cell, {})
            if facts.keys() != {_FIRST, _REST} or any(len(terms) > 1 for terms in facts.values()):
                return None
            items += facts[_FIRST]
            cell = facts[_REST][0]
        return items if cell == _NIL else None

    def _ordered(self, subject: Subject) -> Iterator[tuple[ox.NamedNode, list[Term]]]:
        """Yield the predicates and objects of a subject for the reader; blank nodes keep their order."""
        facts = self._facts.get(subject, {})
        for predicate in sorted(facts, key=lambda predicate: self._order.predicate(predicate.value)):
            key = self._type_key if predicate == _TYPE else _term_key
            yield predicate, sorted(facts[predicate], key=key)

    def _type_key(self, term: Term) -> tuple[int, NaturalKey]:
        return self._order.type(term.value) if isinstance(term, ox.NamedNode) else (-1, natural(str(term)))


def _term_key(term: Term) -> tuple[int, NaturalKey]:
    if isinstance(term, ox.NamedNode):
        return 0, natural(term.value)
    if isinstance(term, ox.Literal):
        return 1, (natural(term.value)[0], str(term))
    return 2, natural("")


def _unescape(match: re.Match[str]) -> str:
    """Write what triple quotes allow as it is: line breaks, tabs, and quotes that end nothing."""
    if match["line"]:
        return "\n"
    return "\t" if match["tab"] else match["quote"] or match[0]
