"""The whole dataset over HTTP."""

from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
from pyoxigraph import Quad, RdfFormat

if TYPE_CHECKING:
    from tests.conftest import Server

WITH_GRAPHS = {"nq": RdfFormat.N_QUADS, "trig": RdfFormat.TRIG, "jsonld": RdfFormat.JSON_LD}
MERGED = {"ttl": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES, "rdf": RdfFormat.RDF_XML}


@pytest.mark.parametrize("suffix", WITH_GRAPHS)
def test_what_has_graphs_keeps_them(server: "Server", small_quads: list[Quad], suffix: str) -> None:
    for encoding in ("gzip", "identity"):
        response = server.client.get(f"/dataset.{suffix}", headers={"accept-encoding": encoding})
        assert response.status_code == 200
        assert set(ox.parse(response.content, format=WITH_GRAPHS[suffix])) == set(small_quads)


@pytest.mark.parametrize("suffix", MERGED)
def test_what_has_none_is_the_merge(server: "Server", small_quads: list[Quad], suffix: str) -> None:
    response = server.client.get(f"/dataset.{suffix}")
    got = [quad.triple for quad in ox.parse(response.content, format=MERGED[suffix])]
    assert len(got) == server.service.snapshot.manifest.triples
    assert set(got) == {quad.triple for quad in small_quads}


def test_accept_chooses_and_the_suffix_beats_it(server: "Server") -> None:
    by_accept = server.client.get("/dataset", headers={"accept": "application/trig"})
    by_suffix = server.client.get("/dataset.trig", headers={"accept": "text/turtle"})
    assert by_accept.headers["content-type"] == by_suffix.headers["content-type"] == "application/trig"
    assert by_accept.content == by_suffix.content
    assert server.client.get("/dataset", headers={"accept": "image/png"}).status_code == 406
    assert server.client.get("/dataset.docx").status_code == 404


def test_head_and_etag_spare_the_body(server: "Server") -> None:
    head = server.client.head("/dataset.ttl")
    assert (head.status_code, head.content) == (200, b"")
    again = server.client.get("/dataset.ttl", headers={"if-none-match": head.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert 'rel="alternate"' in head.headers["link"]
