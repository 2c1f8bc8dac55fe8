"""The mends of pySHACL change its speed and not its verdicts: equal reports with and without them."""

from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyshacl.constraints.core.shape_based_constraints import PropertyConstraintComponent
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from rdflib import SH, Graph

from payergraph import shacl_engine
from payergraph.resources import DATA
from payergraph.sources import read
from payergraph.validation import shapes_graph

SHAPES = Graph().parse(
    data="""
    @prefix ex: <https://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
    @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    ex:Thing a sh:NodeShape ; sh:targetClass ex:Thing ; sh:property ex:Thing-name , ex:Thing-part ;
      sh:closed true ; sh:ignoredProperties ( <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ) .
    ex:Thing-name a sh:PropertyShape ; sh:path ex:name ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:string .
    ex:Thing-part a sh:PropertyShape ; sh:path ex:part ; sh:nodeKind sh:IRI ; sh:property ex:Part-name .
    ex:Part-name a sh:PropertyShape ; sh:path ex:name ; sh:minCount 1 .
    """,
    format="turtle",
)
NODES = [ox.NamedNode(f"https://example.org/{name}") for name in "abcd"]
RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
THING = ox.NamedNode("https://example.org/Thing")
PROPERTIES = [ox.NamedNode(f"https://example.org/{name}") for name in ("name", "part", "other")]
triples = st.one_of(
    st.tuples(st.sampled_from(NODES), st.just(RDF_TYPE), st.just(THING)),
    # no literal parts: pySHACL 0.40.1 cannot follow a path from a literal on an Oxigraph store
    st.tuples(st.sampled_from(NODES), st.sampled_from(PROPERTIES), st.sampled_from(NODES)),
    st.tuples(st.sampled_from(NODES), st.just(PROPERTIES[0]), st.sampled_from([ox.Literal("x"), ox.Literal(1)])),
)


def results(report: Graph) -> list[tuple[str, ...]]:
    """The results of a report, as sorted tuples: a multiset, for a result may rightly occur twice."""
    names = (SH.focusNode, SH.resultPath, SH.value, SH.sourceShape, SH.sourceConstraintComponent, SH.resultSeverity)
    nodes = report.objects(None, SH.result)
    return sorted(tuple(str(report.value(node, name)) for name in names) for node in nodes)


def plain(store: ox.Store, shapes: Graph, monkeypatch: pytest.MonkeyPatch) -> Graph:
    """What pySHACL says without the mend."""
    with monkeypatch.context() as patch:
        patch.setattr(SPARQLBasedConstraint, "_evaluate_sparql_constraint", shacl_engine._ASK_ONE_BY_ONE)  # noqa: SLF001
        patch.setattr(PropertyConstraintComponent, "_evaluate_property_shape", shacl_engine._JUDGE_ONE_BY_ONE)  # noqa: SLF001
        report = pyshacl.validate(store, shacl_graph=shapes, inplace=True)[1]  # type: ignore[arg-type]
    assert isinstance(report, Graph)
    return report


@given(st.lists(triples, max_size=12))
@settings(max_examples=60, deadline=None)
def test_equal_reports_on_random_graphs(facts: list[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode]]) -> None:
    store = ox.Store()
    store.extend(ox.Quad(*fact, ox.NamedNode("https://example.org/g")) for fact in facts)
    with pytest.MonkeyPatch.context() as monkeypatch:
        expected = results(plain(store, SHAPES, monkeypatch))
    assert results(shacl_engine.run(store, SHAPES)) == expected


@pytest.mark.parametrize("scope", ["document", "whole"])
def test_equal_reports_on_real_documents(scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((DATA / "policies").rglob("*.trig"))[::25]
    store = ox.Store()
    store.bulk_extend(read(files).quads())
    for quad in list(store.quads_for_pattern(None, None, None))[::40]:
        store.remove(quad)  # so that there is something to find
    shapes = shapes_graph(scope)
    expected = results(plain(store, shapes, monkeypatch))
    assert len(expected) > 10
    assert results(shacl_engine.run(store, shapes)) == expected


def test_a_finding_does_not_count_the_store() -> None:
    """The first mend: the truth of a store graph is asked without counting it."""
    from pyshacl.graph_abstraction import OxigraphDataGraph

    class Uncounted(OxigraphDataGraph):
        def __len__(self, _graph: Graph | None = None) -> int:
            raise AssertionError("counted")

    assert bool(Uncounted(ox.Store()))


def test_shapes_that_cannot_be_run_say_so(tmp_path: Path) -> None:
    shapes = Graph().parse(
        data="""
        @prefix ex: <https://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> .
        ex:Thing a sh:NodeShape ; sh:targetClass ex:Thing ;
          sh:sparql [ a sh:SPARQLConstraint ; sh:select "SELECT $this WHERE { $this ?p ?o MINUS { ?s ?p ?o } }" ] .
        """,
        format="turtle",
    )
    store = ox.Store()
    store.add(ox.Quad(NODES[0], RDF_TYPE, THING, ox.NamedNode("https://example.org/g")))
    with pytest.raises(TypeError, match="cannot be run"):
        shacl_engine.run(store, shapes)
