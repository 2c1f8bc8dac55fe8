"""`POST /validate` over HTTP: every syntax in, the report as JSON and as RDF out, and bodies that are no RDF."""

from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
from rdflib import RDF, SH, Graph

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Server

BASE = "https://w3id.org/payergraph/"
SOURCE = f"{BASE}source/elevance/SURG.00142/2024-01-03"
POSITION = f"""@prefix pg: <{BASE}ontology#> .
@prefix scheme: <{BASE}scheme/> .
@prefix dcterms: <http://purl.org/dc/terms/> .

<{SOURCE}#position-90> a pg:CoveragePosition ;
  dcterms:description "A stance of this test."@en ;
  pg:condition <{BASE}condition/knee-pain> ;
  pg:criteriaKnown scheme:criteria-known-none-needed ;
  pg:intervention <{BASE}intervention/genicular-nerve-block> ;
  pg:locator "Position Statement" ;
  pg:stance scheme:stance-investigational ;
  pg:version <{BASE}policy/elevance/SURG.00142/2024-01-03> .
"""
NO_LOCATOR = POSITION.replace('  pg:locator "Position Statement" ;\n', "")
IN_GRAPH = (
    "\n".join(POSITION.splitlines()[:4]) + f"\n<{SOURCE}> {{\n" + "\n".join(NO_LOCATOR.splitlines()[4:]) + "\n}\n"
)


def post(
    server: "Server", body: str | bytes, media_type: str = "text/turtle", accept: str = "*/*"
) -> "tuple[int, str]":
    response = server.client.post("/validate", content=body, headers={"content-type": media_type, "accept": accept})
    return response.status_code, response.text


def findings(server: "Server", body: str | bytes, media_type: str = "text/turtle") -> list[dict[str, str]]:
    response = server.client.post("/validate", content=body, headers={"content-type": media_type})
    assert response.status_code == 200, response.text
    found: list[dict[str, str]] = response.json()["findings"]
    return found


def test_a_good_document_conforms_and_its_references_resolve_in_the_served_graph(shipped_server: "Server") -> None:
    response = shipped_server.client.post("/validate", content=POSITION, headers={"content-type": "text/turtle"})
    report = response.json()
    assert [found for found in report["findings"] if found["severity"] == "violation"] == []
    assert report["conforms"] is True
    assert report["snapshot"] == shipped_server.service.snapshot.id


def test_a_missing_locator_is_found_on_its_line(shipped_server: "Server") -> None:
    found = [finding for finding in findings(shipped_server, NO_LOCATOR) if finding["severity"] == "violation"]
    assert len(found) == 1
    assert found[0]["focus"] == f"{SOURCE}#position-90"
    assert found[0]["path"] == f"{BASE}ontology#locator"
    assert found[0]["line"]


@pytest.mark.parametrize(
    ("media_type", "syntax"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/ld+json", ox.RdfFormat.JSON_LD),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML),
        ("application/trig", ox.RdfFormat.TRIG),
        ("application/n-quads", ox.RdfFormat.N_QUADS),
    ],
)
def test_every_syntax_gives_the_same_findings(shipped_server: "Server", media_type: str, syntax: ox.RdfFormat) -> None:
    quads = list(ox.parse(IN_GRAPH.encode(), format=ox.RdfFormat.TRIG))
    content = quads if syntax.supports_datasets else [quad.triple for quad in quads]
    body = ox.serialize(content, format=syntax)
    assert body is not None
    found = findings(shipped_server, body, f"{media_type}; charset=utf-8")
    assert [finding["path"] for finding in found if finding["severity"] == "violation"] == [f"{BASE}ontology#locator"]


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("text/turtle", "turtle"),
        ("application/ld+json", "json-ld"),
        ("application/n-triples", "nt"),
        ("application/rdf+xml", "xml"),
    ],
)
def test_the_report_comes_as_rdf(shipped_server: "Server", accept: str, name: str) -> None:
    status, text = post(shipped_server, NO_LOCATOR, accept=accept)
    assert status == 200
    report = Graph().parse(data=text, format=name)
    roots = list(report.subjects(RDF.type, SH.ValidationReport))
    assert len(roots) == 1
    assert str(report.value(roots[0], SH.conforms)) == "false"
    focus = {str(report.value(result, SH.focusNode)) for result in report.objects(roots[0], SH.result)}
    assert focus == {f"{SOURCE}#position-90"}


def test_a_body_that_does_not_parse_is_a_problem_with_its_place(shipped_server: "Server") -> None:
    response = shipped_server.client.post(
        "/validate", content="@prefix pg: <x#> .\n<a> pg:b \n", headers={"content-type": "text/turtle"}
    )
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["line"] >= 2
    assert response.json()["column"]


def test_a_blank_node_is_refused_as_in_files(shipped_server: "Server") -> None:
    status, text = post(shipped_server, f"<{SOURCE}> <{BASE}ontology#about> [] .")
    assert status == 422
    assert "blank node" in text


@pytest.mark.parametrize("media_type", ["", "application/json", "text/plain"])
def test_a_type_that_is_no_rdf_is_refused(shipped_server: "Server", media_type: str) -> None:
    response = shipped_server.client.post("/validate", content=POSITION, headers={"content-type": media_type})
    assert response.status_code == 415
    assert "text/turtle" in response.json()["accepted"]


def test_a_body_over_the_limit_is_refused(start_server: "Callable[..., Server]", small_store: "Path") -> None:
    server = start_server(small_store, body_bytes=100)
    status, text = post(server, POSITION)
    assert status == 413
    assert "100 bytes" in text


def test_a_report_type_that_is_not_offered_is_not_acceptable(shipped_server: "Server") -> None:
    assert post(shipped_server, POSITION, accept="text/csv")[0] == 406


def test_an_empty_body_conforms(shipped_server: "Server") -> None:
    assert findings(shipped_server, "") == []
