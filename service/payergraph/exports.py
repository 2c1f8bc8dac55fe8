"""The whole dataset as a file: a snapshot in, its bytes in an RDF syntax out.

In:  a snapshot and a format.  Out: bytes, written piece by piece; equal data make equal bytes.

TriG, N-Quads and JSON-LD keep the named graphs. Turtle, N-Triples and RDF/XML have none: they hold the RDF merge, in
which a triple that two graphs state stands once.
"""

import gzip
import shutil
from collections.abc import Iterable, Iterator
from typing import IO, Final, cast

import pyoxigraph as ox

from payergraph.namespaces import BASE, PREFIXES
from payergraph.store import Snapshot

__all__ = ["FORMATS", "export"]

FORMATS: Final[dict[str, ox.RdfFormat]] = {
    "turtle": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
    "nquads": ox.RdfFormat.N_QUADS,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
}
"""Formats by the name that the command line and the settings use."""


def export(snapshot: Snapshot, output: IO[bytes], format_name: str) -> None:
    """Write the dataset of a snapshot to a binary file.

    :param format_name: a key of `FORMATS`
    """
    rdf_format = FORMATS[format_name]
    with gzip.open(snapshot.dataset) as lines:
        if rdf_format == ox.RdfFormat.N_QUADS:
            shutil.copyfileobj(lines, output)
            return
        quads = ox.parse(cast("IO[bytes]", lines), format=ox.RdfFormat.N_QUADS)
        content = _by_graph(quads) if rdf_format.supports_datasets else _merged(quads)
        ox.serialize(content, output, format=rdf_format, prefixes=PREFIXES, base_iri=BASE)


def _by_graph(quads: Iterable[ox.Quad]) -> list[ox.Quad]:
    """Order quads by graph, then as they came: each graph is written once."""
    return sorted(quads, key=lambda quad: str(quad.graph_name))


def _merged(quads: Iterable[ox.Quad]) -> Iterator[ox.Triple]:
    """Drop the graph names; quads come sorted, so equal triples stand together."""
    last: ox.Triple | None = None
    for quad in quads:
        if quad.triple != last:
            last = quad.triple
            yield last
