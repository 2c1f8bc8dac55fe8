"""The named queries: headers and binding, and every query's rows on the shipped data.

`tests/queries/<name>.csv` holds the rows of `queries/<name>.rq` as it stands, that is with its example values. After a
change of data or query, `python tests/update_expected_rows.py` writes them anew; the diff is what a reviewer reads.
"""

import csv
import io
from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib.plugins.sparql import prepareQuery

from payergraph.errors import NotFoundError, ParameterError, SourceSyntaxError
from payergraph.queries import describe, find, load_queries, named, read_header, to_iri
from payergraph.store import Snapshot
from tests.update_expected_rows import EXPECTED, rows_of

QUERIES = load_queries()
ASKED = """\
#+ summary: What is said of a thing?
#+ parameters:
#+   thing: {type: iri, required: true, description: the thing}
#+   date: {type: date, default: today}
#+   count: {type: integer}
SELECT ?p WHERE {
  VALUES ?thing { <https://example.org/> }
  VALUES ?date { "2020-01-01" }
  VALUES ?count { 1 }
  ?thing ?p ?o .
}
"""


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_query_gives_the_expected_rows(name: str, shipped: Snapshot) -> None:
    expected = (EXPECTED / f"{name}.csv").read_text(encoding="utf-8")
    assert rows_of(shipped.store, QUERIES[name]) == expected


def test_every_query_has_expected_rows_and_no_file_is_left_over() -> None:
    assert {path.stem for path in EXPECTED.glob("*.csv")} == set(QUERIES)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_expected_rows_are_not_empty(name: str) -> None:
    rows = list(csv.reader(io.StringIO((EXPECTED / f"{name}.csv").read_text(encoding="utf-8"))))
    assert len(rows) > 1, "a query whose example finds nothing shows nothing: choose another example value"


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_query_is_standard_sparql(name: str) -> None:
    prepareQuery(QUERIES[name].text)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_query_is_documented(name: str) -> None:
    query = QUERIES[name]
    assert query.summary.endswith("?")
    assert query.tags
    assert all(parameter.description for parameter in query.parameters)
    assert "ORDER BY" in query.text
    assert "SELECT *" not in query.text


def test_queries_are_in_the_dataset(shipped: Snapshot) -> None:
    stated = set(shipped.store.quads_for_pattern(None, None, None, ox.NamedNode("https://w3id.org/payergraph/query/")))
    assert stated == set(describe(QUERIES))


def test_no_row_means_unknown_payers_are_listed_apart(shipped: Snapshot) -> None:
    """A payer is never both in the rows of a stance and among those of whom nothing is known."""
    asked = {"code": ["cpt:64454"], "date": ["2023-06-01"]}
    stances = QUERIES["stances-on-a-code"].bind(asked)
    unknown = QUERIES["unknown-payers"].bind(asked)
    known = {(row["payer"], row["line_of_business"]) for row in _select(shipped, stances)}
    nothing = {(row["payer"], row["line_of_business"]) for row in _select(shipped, unknown)}
    assert known
    assert nothing
    assert not known & nothing


@pytest.mark.parametrize(
    ("day", "versions"),
    [
        ("2022-06-01", {"2018-03-29"}),
        ("2023-01-03", {"2018-03-29"}),
        ("2023-01-04", {"2023-01-04"}),
        ("2024-01-02", {"2023-01-04"}),
        ("2024-01-03", {"2024-01-03"}),
    ],
)
def test_a_stance_comes_from_the_version_of_the_day(day: str, versions: set[str], shipped: Snapshot) -> None:
    query = QUERIES["stances-on-a-code"].bind({"code": ["cpt:64454"], "payer": ["payer:anthem"], "date": [day]})
    rows = [row for row in _select(shipped, query) if "SURG.00142" in row["version"].value]
    assert {row["version"].value.rsplit("/")[-1] for row in rows} == versions


def test_before_a_code_existed_its_intervention_is_not_reached(shipped: Snapshot) -> None:
    query = QUERIES["stances-on-a-code"].bind({"code": ["cpt:64454"], "date": ["2019-12-31"]})
    assert list(_select(shipped, query)) == []


def test_bind_puts_terms_in_place_of_the_example_values() -> None:
    query = named(ASKED, source="asked.rq")
    text = query.bind({"thing": ["cpt:64454"]}, today=date(2026, 1, 31))
    assert "VALUES ?thing { <https://w3id.org/payergraph/code/cpt/64454> }" in text
    assert 'VALUES ?date { "2026-01-31"^^<http://www.w3.org/2001/XMLSchema#date> }' in text
    assert "VALUES ?count { UNDEF }" in text


def test_bind_takes_several_values() -> None:
    text = named(ASKED, source="asked.rq").bind({"thing": ["cpt:64454", "cpt:64450"]})
    assert "{ <https://w3id.org/payergraph/code/cpt/64454> <https://w3id.org/payergraph/code/cpt/64450> }" in text


@pytest.mark.parametrize(
    ("values", "parameter"),
    [
        ({}, "thing"),
        ({"thing": ["cpt:64454"], "colour": ["red"]}, "colour"),
        ({"thing": ["not an iri"]}, "thing"),
        ({"thing": ["cpt:64454"], "date": ["31.01.2026"]}, "date"),
        ({"thing": ["cpt:64454"], "date": ["2026-02-30"]}, "date"),
        ({"thing": ["cpt:64454"], "count": ["many"]}, "count"),
    ],
)
def test_a_wrong_parameter_is_named(values: dict[str, list[str]], parameter: str) -> None:
    with pytest.raises(ParameterError) as caught:
        named(ASKED, source="asked.rq").bind(values)
    assert caught.value.parameter == parameter


@given(st.text())
def test_no_text_of_a_caller_leaves_its_term(text: str) -> None:
    """Whatever a caller sends as an IRI or a string stays one term of the query, or is refused."""
    query = named(ASKED.replace("type: integer", "type: string"), source="asked.rq")
    try:
        bound = query.bind({"thing": ["cpt:64454"], "count": [text]})
    except ParameterError:
        return
    rows = ox.Store().query(bound)
    assert isinstance(rows, ox.QuerySolutions)
    assert list(rows) == []


@given(st.text())
def test_a_text_is_an_iri_or_is_refused(text: str) -> None:
    try:
        iri = to_iri(text)
    except ParameterError:
        return
    assert f"<{iri}>" == str(ox.NamedNode(iri))
    assert not set(iri) & set('<>"{}|^`\\ ')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SELECT ?s WHERE { ?s ?p ?o }", "summary"),
        ("#+ summary: [\nSELECT ?s WHERE { ?s ?p ?o }", "YAML"),
        ("#+ summary\nSELECT ?s WHERE { ?s ?p ?o }", "mapping"),
        ("#+ summary: x\nINSERT DATA { }", "SELECT"),
        ("#+ summary: x\n#+ parameters:\n#+   a: {type: iri}\nSELECT ?s WHERE { ?s ?p ?o }", "VALUES \\?a"),
        ("#+ summary: x\n#+ parameters:\n#+   a: {type: colour}\nSELECT ?s WHERE { VALUES ?a { 1 } }", "type"),
    ],
)
def test_a_faulty_query_file_is_refused_with_its_reason(text: str, problem: str) -> None:
    with pytest.raises(SourceSyntaxError, match=problem) as caught:
        named(text, source="faulty.rq")
    assert caught.value.path == "faulty.rq"


def test_an_unknown_query_suggests_what_is_close() -> None:
    with pytest.raises(NotFoundError) as caught:
        find(QUERIES, "stance-on-a-code")
    assert "stances-on-a-code" in caught.value.close


def test_header_is_empty_where_there_is_none() -> None:
    assert read_header("ASK {}") == {}


def test_queries_of_a_folder_are_found_by_their_file_names(tmp_path: Path) -> None:
    (tmp_path / "is-there-anything.rq").write_text("#+ summary: Is there anything?\nASK { ?s ?p ?o }")
    queries = load_queries(tmp_path)
    assert list(queries) == ["is-there-anything"]
    assert queries["is-there-anything"].form == "ASK"


def _select(snapshot: Snapshot, text: str) -> list[ox.QuerySolution]:
    rows = snapshot.store.query(text)
    assert isinstance(rows, ox.QuerySolutions)
    return list(rows)
