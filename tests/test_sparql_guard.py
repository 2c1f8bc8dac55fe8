"""The guard against rdflib's parser, against the engine, and against texts made to fool it."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib.plugins.sparql.parser import parseQuery, parseUpdate
from rdflib.plugins.sparql.parserutils import CompValue

from payergraph.errors import QueryRefusedError, QuerySyntaxError
from payergraph.sparql import Form, confirm_local, examine, syntax_error, tokens

CORPUS = Path(__file__).parent / "fixtures" / "sparql"
LISTENER = "http://127.0.0.1:9/"
"""What the texts for the engine call in these tests; the tests of the server put a listener there."""


def corpus(*folders: str) -> list[object]:
    files = [file for folder in folders for file in sorted((CORPUS / folder).glob("*.rq"))]
    assert files
    return [
        pytest.param(file.read_bytes().decode().replace("{listener}", LISTENER), id=f"{file.parent.name}/{file.stem}")
        for file in files
    ]


def has_service(node: object) -> bool:
    """Walk what rdflib's parser made of a query."""
    if isinstance(node, CompValue):
        return node.name == "ServiceGraphPattern" or any(has_service(value) for value in node.values())
    if isinstance(node, str):
        return False
    return any(has_service(child) for child in node) if hasattr(node, "__iter__") else False


def test_the_corpus_is_large() -> None:
    assert len(list(CORPUS.rglob("*.rq"))) >= 60


@pytest.mark.parametrize("query", corpus("reads"))
def test_a_query_that_reads_passes_and_rdflib_agrees(query: str) -> None:
    outline = examine(query)
    confirm_local(query)
    parsed = parseQuery(query)
    assert not has_service(parsed)
    assert outline.form is not None
    assert parsed[1].name == f"{outline.form.title()}Query"
    ox.Store().query(query)


@pytest.mark.parametrize("query", corpus("service"))
def test_service_is_refused_where_rdflib_sees_it(query: str) -> None:
    assert has_service(parseQuery(query.replace("\r", "\n")))  # rdflib does not end a comment at a bare \r
    with pytest.raises(QueryRefusedError, match="SERVICE"):
        examine(query)


@pytest.mark.parametrize("query", corpus("update"))
def test_an_update_is_refused_with_its_verb(query: str) -> None:
    parseUpdate(query)
    with pytest.raises(QueryRefusedError, match="begins an update"):
        examine(query)


@pytest.mark.parametrize("query", corpus("service", "engine"))
def test_the_second_wall_stands_alone(query: str) -> None:
    with pytest.raises(QuerySyntaxError, match="SERVICE"):
        confirm_local(query)


@pytest.mark.parametrize("query", corpus("engine"))
def test_the_engine_takes_the_tricks_for_service(query: str) -> None:
    """If this fails, the engine has become stricter, and the second wall has less to do."""
    ox.Store().query(query)


PIECES = st.sampled_from(
    [
        *("SERVICE", "service", "SERVICE ", "SILENT ", "<https://example.org/>", "?s ", "?p ", "?o ", "{ ", "} "),
        *("( ", ") ", "'", '"', "'''", '"""', "\\", "#", "\n", "\r", "<", ">", ". ", "ex:", ":a ", "ex:a ", "1"),
        *("true", "a ", "&&", "=", "FILTER", "BIND", " AS ?x", "OPTIONAL ", "EXISTS ", "GRAPH ", "@en", "^^", "_:b "),
        *("\\'", "%20", "\u017f", "é"),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
def test_tokens_cover_every_text_in_order(body: str) -> None:
    at = 0
    for token in tokens(body):
        assert body[token.start :].startswith(token.text)
        assert re.fullmatch(r"(?:[ \t\r\n]|#[^\r\n]*)*", body[at : token.start])
        at = token.start + len(token.text)


@given(st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=1500, deadline=None)
def test_no_text_passes_both_walls_in_which_the_engine_sees_service(body: str) -> None:
    query = f"PREFIX ex: <https://example.org/>\nPREFIX : <https://example.org/>\nSELECT * {{ {body} }}"
    try:
        examine(query)
        confirm_local(query)
    except (QueryRefusedError, QuerySyntaxError):
        return
    try:
        ox.Store().query(query)
    except SyntaxError:
        return
    # it runs: with the keyword unusable it must still parse, or the keyword was one
    ox.Store().query(re.sub("s(?=ervice)", "q", query, flags=re.IGNORECASE | re.ASCII))


@given(st.text(max_size=40))
def test_text_in_a_string_never_changes_the_verdict(text: str) -> None:
    literal = str(ox.Literal(f"SERVICE {text} DROP"))
    assert examine(f"ASK {{ ?s ?p {literal} }}").form is Form.ASK


def test_from_is_resolved_against_prefixes_and_base() -> None:
    outline = examine(
        "BASE <https://example.org/a/> PREFIX ex: <../p#> "
        "SELECT * FROM ex:g\\-1 FROM <b> FROM NAMED <https://c.org/> {}"
    )
    assert outline.default_graphs == ("https://example.org/p#g-1", "https://example.org/a/b")
    assert outline.named_graphs == ("https://c.org/",)


@pytest.mark.parametrize(("query", "repeatable"), [("ASK {}", True), ("SELECT (now() AS ?x) {}", False)])
def test_an_answer_that_changes_by_itself_is_known(query: str, repeatable: bool) -> None:
    assert examine(query).repeatable is repeatable


@pytest.mark.parametrize(
    ("query", "line", "column", "text"),
    [
        ("SELEC * {}", 1, 1, "stopped at 'SELEC'"),
        ("SELECT * {\n  ?s ?p ?o\n  FILTR(?s)\n}", 3, 3, "stopped at 'FILTR'"),
        ("SELECT * {\r\n  ?s ?p foo:b }", 2, 9, "no PREFIX line declares"),
        ("SELECT * { ?s ?p ?o } }", 1, 23, "stopped at '}'"),
        ("SELECT * { ?s ?p ?o", 1, 20, "ends too early"),
        ("SELECT * { ?s ?p 'äöü𝒳' ?o }", 1, 25, "stopped at '?o'"),
        ("SELECT * { ?s <relative> ?o }", 1, 15, "IRI"),
        ("", 1, 1, "no SPARQL"),
    ],
)
def test_a_syntax_error_names_line_column_and_text(query: str, line: int, column: int, text: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        ox.Store().query(query)
    found = syntax_error(caught.value, query)
    assert (found.line, found.column) == (line, column), found.detail
    assert text in found.detail


def test_a_long_query_is_examined_in_linear_time() -> None:
    query = "SELECT * { VALUES ?s { " + "<https://example.org/a> 'b' ex:c " * 20_000 + "} }"
    assert examine(query).form is Form.SELECT
    assert examine('"' * 200_001 + "<" * 100_000).form is None
