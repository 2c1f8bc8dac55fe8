"""Terms: paths in, RDF nodes out, and back to the words that people use.

In:  paths below the base (`code/cpt/64454`), IRIs, nodes.
Out: nodes; keys of scheme concepts; ids; an order in which 2 comes before 10.
"""

import re
from functools import cache
from typing import Final

import pyoxigraph as ox

from payergraph.namespaces import BASE, DERIVED_GRAPH, PREFIXES, SOURCE_GRAPH

__all__ = [
    "CODES",
    "DERIVED",
    "MERGED",
    "PAYERS",
    "POLICIES",
    "SOURCES",
    "TYPE",
    "Term",
    "id_of",
    "kebab",
    "natural",
    "node",
    "text_of",
]

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple

MERGED: Final = ox.DefaultGraph()
"""The RDF merge of all named graphs, which every snapshot holds."""
CODES: Final = ox.NamedNode(f"{BASE}code/")
PAYERS: Final = ox.NamedNode(f"{BASE}payer/")
POLICIES: Final = ox.NamedNode(f"{BASE}policy/")
SOURCES: Final = ox.NamedNode(SOURCE_GRAPH)
DERIVED: Final = ox.NamedNode(DERIVED_GRAPH)
TYPE: Final = ox.NamedNode(f"{PREFIXES['rdf']}type")

_CODE: Final = "code/"
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGITS: Final = re.compile(r"(\d+)")


def node(path: str) -> ox.NamedNode | None:
    """The node at a path below our base; None where the path cannot be part of an IRI."""
    try:
        return ox.NamedNode(BASE + path)
    except ValueError:
        return None


def id_of(iri: str) -> str:
    """What is left of one of our IRIs without its register; a foreign IRI stays whole.

    >>> id_of("https://w3id.org/payergraph/payer/anthem")
    'anthem'
    >>> id_of("https://w3id.org/payergraph/code/cpt/64454")
    'cpt:64454'
    """
    path = iri.removeprefix(BASE)
    if path == iri:
        return iri
    rest = path.partition("/")[2] or path
    return rest.replace("/", ":", 1) if path.startswith(_CODE) else rest


@cache
def kebab(iri: str) -> str:
    """The local name of a class in lower case.

    >>> kebab("https://w3id.org/payergraph/ontology#ProcedureCode")
    'procedure-code'
    """
    return _HUMP.sub("-", iri.rpartition("#")[2]).lower()


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 10.

    >>> sorted(["#position-10", "#position-2"], key=natural)
    ['#position-2', '#position-10']
    """
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _DIGITS.split(text) if part)


def text_of(term: Term) -> str:
    """A term as text: an IRI, or the lexical form of a literal."""
    return str(term) if isinstance(term, ox.Triple) else term.value
