"""Does the data hold? Scopes, batches, places of findings, the report as text, JSON, Turtle and SARIF."""

import json
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import SH, Graph

from payergraph import reports
from payergraph.namespaces import BASE
from payergraph.resources import DATA, VOCABULARIES
from payergraph.sources import read
from payergraph.validation import _batches, validate

FAULTY = """\
@base <https://w3id.org/payergraph/> .
@prefix pg: <ontology#> .

<source/example/one> {
  <source/example/one#position-1> a pg:CoveragePosition ;
    pg:version <policy/example/P1/v1> ;
    pg:intervention <intervention/genicular-nerve-block> ;
    pg:stance <scheme/stance-investigational> ;
    pg:criteriaKnown <scheme/criteria-known-none-needed> .
}
"""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.trig"
    path.write_text(FAULTY)
    return path


def test_a_missing_property_points_at_the_line_of_its_subject(faulty: Path) -> None:
    facts = read([faulty])
    report = validate(facts.quads(), scopes=["document"], locate=facts.locate)
    [finding] = report.violations
    assert finding.shape.endswith("Statement-locator")
    assert finding.focus == f"{BASE}source/example/one#position-1"
    assert finding.graph == f"{BASE}source/example/one"
    assert str(finding.place) == f"{faulty}:5"
    assert "locator" in finding.message
    assert not report.conforms


def test_a_malformed_date_is_found_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "date.trig"
    path.write_text(
        "@base <https://w3id.org/payergraph/> .\n@prefix pg: <ontology#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n<source/a> {\n"
        "  <source/a#record-1> a pg:VersionRecord ; pg:version <policy/e/p/v> ;\n"
        "    pg:origin <scheme/origin-own-document> ;\n"
        '    pg:publishedOn "2024-02-30"^^xsd:date .\n}\n'
    )
    facts = read([path])
    report = validate(facts.quads(), scopes=["document"], locate=facts.locate)
    found = [finding for finding in report.violations if finding.shape.endswith("publishedOn")]
    assert [str(finding.place) for finding in found] == [f"{path}:7"]


def test_the_shipped_data_conforms_and_the_modifier_11_of_the_report_is_a_warning() -> None:
    facts = read([VOCABULARIES, DATA])
    report = validate(facts.quads(), locate=facts.locate)
    assert report.violations == ()
    [warning] = [finding for finding in report.findings if finding.value == "11"]
    assert warning.severity == "warning"
    assert "11" in warning.message
    assert "Office" in warning.message
    assert warning.place
    assert warning.place.path.name == "openpayer-cpt-64454.trig"


def test_two_sources_may_state_different_dates_for_one_version(tmp_path: Path) -> None:
    record = (
        "<source/{0}> {{ <source/{0}#record-1> a pg:VersionRecord ; pg:version <policy/e/p/v> ; pg:origin"
        ' <scheme/origin-own-document> ; dcterms:title "P"@en ; pg:publishedOn "{1}"^^xsd:date . }}\n'
    )
    head = (
        "@base <https://w3id.org/payergraph/> .\n@prefix pg: <ontology#> .\n"
        "@prefix dcterms: <http://purl.org/dc/terms/> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    )
    path = tmp_path / "two.trig"
    path.write_text(head + record.format("a", "2024-01-01") + record.format("b", "2024-02-01"))
    assert validate(read([path]).quads(), scopes=["document"]).conforms


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_graphs_are_judged_together_only_where_they_share_no_subject(pairs: list[tuple[int, int]]) -> None:
    quads = {
        ox.Quad(ox.NamedNode(f"s:{s}"), ox.NamedNode("p:p"), ox.Literal("o"), ox.NamedNode(f"g:{g}")) for s, g in pairs
    }
    batches = list(_batches(sorted(quads, key=str)))
    assert {quad for batch in batches for quad in batch} == quads
    for batch in batches:
        homes: dict[str, str] = {}
        for quad in batch:
            assert homes.setdefault(str(quad.subject), str(quad.graph_name)) == str(quad.graph_name)


def test_the_report_is_rendered_for_people_and_for_programs(faulty: Path) -> None:
    facts = read([faulty])
    report = validate(facts.quads(), scopes=["document"], locate=facts.locate)
    text = reports.to_text(report)
    assert text.startswith(f"{faulty}:5: violation: ")
    assert text.endswith("does not conform: 1 violations, 0 warnings, 0 infos\n")
    facts_of_it = json.loads(reports.to_json(report))
    assert facts_of_it["conforms"] is False
    assert facts_of_it["findings"][0]["line"] == 5
    sarif = json.loads(reports.to_sarif(report))
    [result] = sarif["runs"][0]["results"]
    assert result["level"] == "error"
    assert result["ruleId"] == "pgs:Statement-locator"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 5
    graph = Graph().parse(data=reports.to_turtle(report), format="turtle")
    assert len(set(graph.subjects(SH.resultSeverity, SH.Violation))) == 1
