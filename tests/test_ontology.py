"""The words: each is used somewhere, each used one is declared, and what they say of others' words can be opened.

That each term has its label, definition, example and ontology is judged by `shapes/ontology/` (see `test_shapes.py`).
"""

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from rdflib import DCAT, DCTERMS, ORG, OWL, PROV, RDF, RDFS, SDO, SKOS, Graph, Literal, Node, URIRef

from payergraph.build import check
from payergraph.namespaces import BASE
from payergraph.namespaces import ONTOLOGY as PG
from payergraph.resources import DATA, ONTOLOGY, QUERIES, SHAPES, VOCABULARIES
from payergraph.sources import read
from payergraph.store import Snapshot

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PACKAGE = ROOT / "service" / "payergraph"
FORMATS = {".ttl": ox.RdfFormat.TURTLE, ".trig": ox.RdfFormat.TRIG}
TERMS = Graph().parse(ONTOLOGY / "payergraph.ttl")
SCHEMES = Graph().parse(ONTOLOGY / "schemes.ttl")
ALIGNMENTS = Graph().parse(ONTOLOGY / "alignments.ttl")
CLASSES = set(TERMS.subjects(RDF.type, OWL.Class))
PROPERTIES = {term for kind in (OWL.ObjectProperty, OWL.DatatypeProperty) for term in TERMS.subjects(RDF.type, kind)}

VOCABULARIES_ELSEWHERE = (DCAT, DCTERMS, ORG, PROV, SDO)
DCAT_3 = {"http://www.w3.org/ns/dcat#DatasetSeries", "http://www.w3.org/ns/dcat#version"}
KNOWN_ELSEWHERE = {str(term) for vocabulary in VOCABULARIES_ELSEWHERE for term in dir(vocabulary)} | DCAT_3
"""The terms of other vocabularies as rdflib lists them (of DCAT version 2, hence the two), to open them offline."""
NAMED_ELSEWHERE = ("http://hl7.org/fhir/", "http://spdx.org/rdf/terms#", "https://www.cms.gov/")
"""Where else an alignment may point; what is there cannot be looked up here."""
FILLER = {"a", "an", "the", "of", "each", "that", "which", "in", "is"}


def name(term: Node) -> str:
    return str(term).removeprefix(PG)


def parsed(path: Path) -> Iterator[ox.Quad]:
    return iter(ox.parse(path=path, format=FORMATS[path.suffix], base_iri=BASE))


def ours(quads: Iterator[ox.Quad]) -> set[str]:
    """The terms of the ontology that quads speak of, in whatever place."""
    return {
        str(term.value if isinstance(term, ox.NamedNode) else term.datatype.value)
        for quad in quads
        for term in (quad.subject, quad.predicate, quad.object)
        if isinstance(term, ox.NamedNode | ox.Literal)
        and str(term.value if isinstance(term, ox.NamedNode) else term.datatype.value).startswith(PG)
    }


def rdf_files() -> list[Path]:
    return [
        path for folder in (ONTOLOGY, DATA, SHAPES, EXAMPLES) for path in folder.rglob("*") if path.suffix in FORMATS
    ]


def test_rdf_files_use_declared_terms_only() -> None:
    declared = {str(term) for term in CLASSES | PROPERTIES}
    undeclared = {path.name: ours(parsed(path)) - declared for path in rdf_files()}
    assert {file: terms for file, terms in undeclared.items() if terms} == {}


def test_queries_use_declared_terms_only() -> None:
    declared = {name(term) for term in CLASSES | PROPERTIES}
    for path in (*QUERIES.glob("*.rq"), *PACKAGE.rglob("*.rq")):
        assert set(re.findall(r"\bpg:(\w+)", path.read_text(encoding="utf-8"))) <= declared, path.name


def used(quads: Iterator[ox.Quad]) -> set[str]:
    """The properties that quads state, and the classes that they are of."""
    return {
        quad.object.value
        if quad.predicate.value == str(RDF.type) and isinstance(quad.object, ox.NamedNode)
        else quad.predicate.value
        for quad in quads
    }


@pytest.fixture(scope="session")
def in_use(shipped: Snapshot) -> set[str]:
    """What the dataset, derived facts included, and the examples use."""
    found = used(shipped.store.quads_for_pattern(None, None, None, ox.DefaultGraph()))
    for path in EXAMPLES.glob("*.trig"):
        found |= used(parsed(path))
    return found


def test_every_property_is_used(in_use: set[str]) -> None:
    assert sorted(name(term) for term in PROPERTIES if str(term) not in in_use) == []


def test_every_class_or_one_below_it_is_used(in_use: set[str]) -> None:
    def is_used(kind: Node) -> bool:
        return any(str(below) in in_use for below in TERMS.transitive_subjects(RDFS.subClassOf, kind))

    assert sorted(name(term) for term in CLASSES if not is_used(term)) == []


def test_every_scheme_concept_that_a_rule_needs_is_exemplified() -> None:
    """Each kind of period, of permission and of limit stands in the data or in an example."""
    stated = {term for path in rdf_files() if path.suffix == ".trig" for term in objects(path)}
    for scheme in ("period-kind", "limit-subject", "requirement", "risk-group"):
        concepts = {str(concept) for concept in SCHEMES.subjects(SKOS.inScheme, URIRef(f"{BASE}scheme/{scheme}"))}
        assert sorted(concepts - stated) == []


def objects(path: Path) -> set[str]:
    return {quad.object.value for quad in parsed(path) if isinstance(quad.object, ox.NamedNode)}


def test_examples_pass_the_shapes() -> None:
    registers = [DATA / "areas.trig", DATA / "codes" / "pos.trig", DATA / "sources" / "payment-structures.trig"]
    report = check(read([VOCABULARIES, *registers, EXAMPLES / "*.trig"]))
    files = {path.resolve() for path in EXAMPLES.iterdir()}
    assert [f"{found.place}: {found.message}" for found in report.within(files).findings] == []


def test_examples_are_no_facts(shipped: Snapshot) -> None:
    for path in EXAMPLES.glob("*.trig"):
        for quad in parsed(path):
            assert str(quad.subject).startswith(f"<{BASE}example/")
    example = ox.NamedNode(f"{BASE}example/source/rules/2026")
    assert not list(shipped.store.quads_for_pattern(example, None, None, None))


@pytest.mark.parametrize("path", [*sorted(ONTOLOGY.glob("*.ttl")), SHAPES / "prefixes.ttl"], ids=lambda path: path.stem)
def test_version_is_that_of_the_package(path: Path) -> None:
    graph = Graph().parse(path, publicID=BASE)
    (ontology,) = graph.subjects(RDF.type, OWL.Ontology)
    assert graph.value(ontology, OWL.versionInfo) == Literal(version("payergraph"))
    assert str(graph.value(ontology, OWL.versionIRI)) == f"{str(ontology).rstrip('/')}/{version('payergraph')}"


@pytest.mark.parametrize("term", sorted(CLASSES, key=str), ids=name)
def test_a_class_is_not_defined_by_its_own_label(term: URIRef) -> None:
    label, definition = TERMS.value(term, RDFS.label), TERMS.value(term, SKOS.definition)
    assert not re.search(rf"\b{re.escape(str(label))}\b", str(definition), re.IGNORECASE)


@pytest.mark.parametrize("term", sorted(PROPERTIES, key=str), ids=name)
def test_a_definition_says_more_than_its_label(term: URIRef) -> None:
    label, definition = (
        set(re.findall(r"\w+", str(TERMS.value(term, predicate)).lower()))
        for predicate in (RDFS.label, SKOS.definition)
    )
    assert definition - label - FILLER


def alignments() -> list[Any]:
    ontologies = set(ALIGNMENTS.subjects(RDF.type, OWL.Ontology))
    found = []
    for ours, how, theirs in sorted(ALIGNMENTS, key=str):
        if ours not in ontologies:
            found.append((ours, how, theirs))
    return found


@pytest.mark.parametrize(("ours", "how", "theirs"), alignments(), ids=lambda term: re.split(r"[/#]", str(term))[-1])
def test_an_alignment_opens_on_both_sides(ours: Node, how: URIRef, theirs: Node) -> None:
    assert ours in CLASSES | PROPERTIES | set(SCHEMES.subjects(RDF.type, SKOS.Concept))
    assert how in {RDFS.subClassOf, RDFS.subPropertyOf, SKOS.closeMatch, RDFS.seeAlso}
    assert str(theirs) in KNOWN_ELSEWHERE or str(theirs).startswith(NAMED_ELSEWHERE)


def test_terms_are_never_equated_outwards() -> None:
    for graph in (TERMS, SCHEMES, ALIGNMENTS):
        for predicate in (OWL.sameAs, OWL.equivalentClass, OWL.equivalentProperty, SKOS.exactMatch):
            assert list(graph.subject_objects(predicate)) == []
