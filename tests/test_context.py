"""The JSON-LD context: a term for every property, and documents that mean the same with it as without."""

import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from rdflib import OWL, RDF, Dataset, Graph

from docs.generate import snake_case
from payergraph.namespaces import BASE, PREFIXES
from payergraph.namespaces import ONTOLOGY as PG
from payergraph.resources import DATA, ONTOLOGY

ROOT = Path(__file__).parents[1]
CONTEXT: dict[str, Any] = json.loads((ONTOLOGY / "context.jsonld").read_text(encoding="utf-8"))["@context"]
SAMPLES = [
    DATA / "policies" / "elevance" / "SURG.00142.trig",
    DATA / "reports" / "openpayer-cpt-64454.trig",
    DATA / "payers.trig",
    ROOT / "docs" / "examples" / "rule-conditions.trig",
]


def properties() -> set[str]:
    graph = Graph().parse(ONTOLOGY / "payergraph.ttl")
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty)
    return {str(term).removeprefix(PG) for kind in kinds for term in graph.subjects(RDF.type, kind)}


def graphs(path: Path) -> list[Graph]:
    """The named graphs of a file, each as a graph of its own."""
    dataset = Dataset()
    dataset.parse(path, publicID=BASE)
    found = []
    for named in dataset.graphs():
        graph = Graph()
        for triple in named:
            graph.add(triple)
        found.append(graph)
    return [graph for graph in found if graph]


def test_every_property_has_its_term_in_snake_case() -> None:
    terms = {term: value["@id"] for term, value in CONTEXT.items() if isinstance(value, dict)}
    assert terms == {snake_case(name): f"pg:{name}" for name in properties()}


def test_every_prefix_is_ours_and_none_hides_a_term() -> None:
    prefixes = {name: value for name, value in CONTEXT.items() if isinstance(value, str) and not value.startswith("@")}
    assert prefixes == {name: value for name, value in PREFIXES.items() if name in prefixes}
    assert set(PREFIXES) - set(prefixes) <= {snake_case(name) for name in properties()}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_json_ld_with_the_context_means_the_same(path: Path) -> None:
    for graph in graphs(path):
        text = graph.serialize(format="json-ld", context=CONTEXT)
        assert set(Graph().parse(data=text, format="json-ld")) == set(graph)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_another_parser_reads_the_same(path: Path) -> None:
    for graph in graphs(path):
        read = ox.parse(graph.serialize(format="json-ld", context=CONTEXT), format=ox.RdfFormat.JSON_LD)
        stated = ox.parse(graph.serialize(format="nt"), format=ox.RdfFormat.N_TRIPLES)
        assert {quad.triple for quad in read} == {quad.triple for quad in stated}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_no_property_of_ours_needs_a_prefix(path: Path) -> None:
    for graph in graphs(path):
        document = json.loads(graph.serialize(format="json-ld", context=CONTEXT))
        nodes = document.get("@graph", [document])
        assert {key for node in nodes for key in node if key.startswith("pg:")} == set()
