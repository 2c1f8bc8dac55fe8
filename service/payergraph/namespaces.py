"""The IRIs of payergraph: prefixes, registers and the graphs that are not documents.

In:  nothing.  Out: constants, `name` and `shorten`; `PREFIXES` is what every serialisation and query page of the
project uses.

Every fact stands in the named graph of the document that states it; the graph's name is the document's IRI.
The graphs named here are the project's own: registers of shared things, and what is derived.
"""

from functools import cache
from typing import Final

import pyoxigraph as ox

__all__ = ["BASE", "DERIVED_GRAPH", "ONTOLOGY", "PREFIXES", "QUERY_GRAPH", "SHAPES", "SOURCE_GRAPH", "name", "shorten"]

BASE: Final = "https://w3id.org/payergraph/"
"""Every resource of the graph lies below this IRI; the server answers the same paths under its own host."""

ONTOLOGY: Final = f"{BASE}ontology#"
SHAPES: Final = f"{BASE}shapes#"

SOURCE_GRAPH: Final = f"{BASE}source/"
"""What is known of documents: our own graph, never the documents' graphs."""
DERIVED_GRAPH: Final = f"{BASE}derived/"
"""What `build` computes; never typed in by hand."""
QUERY_GRAPH: Final = f"{BASE}query/"
"""The named queries, described in RDF."""

PREFIXES: Final[dict[str, str]] = {
    "pg": ONTOLOGY,
    "pgs": SHAPES,
    "scheme": f"{BASE}scheme/",
    "cpt": f"{BASE}code/cpt/",
    "hcpcs": f"{BASE}code/hcpcs/",
    "icd10cm": f"{BASE}code/icd10cm/",
    "modifier": f"{BASE}code/modifier/",
    "pos": f"{BASE}code/pos/",
    "intervention": f"{BASE}intervention/",
    "condition": f"{BASE}condition/",
    "payer": f"{BASE}payer/",
    "organization": f"{BASE}organization/",
    "area": f"{BASE}area/",
    "jurisdiction": f"{BASE}jurisdiction/",
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spex": "https://purl.expasy.org/sparql-examples/ontology#",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Prefixes in the order in which files declare them: ours first, then the standards'."""


@cache
def name(curie: str) -> ox.NamedNode:
    """The node of a name with one of our prefixes.

    >>> name("pg:stance").value
    'https://w3id.org/payergraph/ontology#stance'
    """
    prefix, _, local = curie.partition(":")
    return ox.NamedNode(PREFIXES[prefix] + local)


def shorten(iri: str) -> str:
    """An IRI with the longest of our prefixes that fits; else as it is.

    >>> shorten("https://w3id.org/payergraph/code/cpt/64454")
    'cpt:64454'
    """
    prefix, namespace = max(
        ((prefix, namespace) for prefix, namespace in PREFIXES.items() if iri.startswith(namespace)),
        key=lambda pair: len(pair[1]),
        default=("", ""),
    )
    return f"{prefix}:{iri.removeprefix(namespace)}" if prefix else iri
