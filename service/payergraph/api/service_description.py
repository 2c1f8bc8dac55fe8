"""The service description: what this endpoint is and can, as RDF.

In:  the address of the endpoint, the running service, an RDF media type.  Out: bytes.

Rules: https://www.w3.org/TR/sparql11-service-description/.
"""

from collections.abc import Iterator
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize

from payergraph.api.service import Service
from payergraph.namespaces import PREFIXES

__all__ = ["describe_service"]

SD: Final = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS: Final = "http://www.w3.org/ns/formats/"
_RESULTS: Final = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV",
    "Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG", "N-Quads",
)  # fmt: skip


def describe_service(endpoint: str, service: Service, media_type: str) -> bytes:
    """Return the description of the endpoint, with the size of its data and its limits."""
    rdf_format = RdfFormat.from_media_type(media_type) or RdfFormat.TURTLE
    prefixes = {"sd": SD} | {name: PREFIXES[name] for name in ("rdf", "rdfs", "void", "xsd")}
    return serialize(_triples(endpoint, service), format=rdf_format, prefixes=prefixes) or b""


def _triples(endpoint: str, service: Service) -> Iterator[Triple]:
    this, dataset, merged = NamedNode(endpoint), BlankNode("dataset"), BlankNode("merged")
    manifest, settings = service.snapshot.manifest, service.settings
    a, comment = NamedNode(f"{PREFIXES['rdf']}type"), NamedNode(f"{PREFIXES['rdfs']}comment")
    yield Triple(this, a, NamedNode(f"{SD}Service"))
    yield Triple(this, NamedNode(f"{SD}endpoint"), this)
    yield Triple(this, NamedNode(f"{SD}supportedLanguage"), NamedNode(f"{SD}SPARQL11Query"))
    for name in _RESULTS:
        yield Triple(this, NamedNode(f"{SD}resultFormat"), NamedNode(_FORMATS + name))
    limits = (
        f"Queries only: updates and SERVICE are refused. A query is ended after {settings.query_seconds:g} seconds or "
        f"at {settings.query_memory_mb} MiB of memory; {settings.query_workers} run at once. "
        "The default graph is the RDF merge of all named graphs; several default graphs of a request are merged too."
    )
    yield Triple(this, comment, Literal(limits, language="en"))
    yield Triple(this, NamedNode(f"{SD}defaultDataset"), dataset)
    yield Triple(dataset, a, NamedNode(f"{SD}Dataset"))
    yield Triple(dataset, NamedNode(f"{SD}defaultGraph"), merged)
    yield Triple(merged, a, NamedNode(f"{SD}Graph"))
    yield Triple(merged, NamedNode(f"{PREFIXES['void']}triples"), Literal(manifest.triples))
