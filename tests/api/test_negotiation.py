"""Which format a client gets."""

import pytest

from payergraph.api.negotiation import GRAPH_FORMATS, RESULT_FORMATS, is_browser, negotiate
from payergraph.errors import NotAcceptableError, NotFoundError

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
JENA = "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        pytest.param(None, "text/turtle", id="no header takes the first"),
        pytest.param("", "text/turtle", id="an empty header takes the first"),
        pytest.param("*/*", "text/turtle", id="anything takes the first"),
        pytest.param("application/ld+json", "application/ld+json", id="exact"),
        pytest.param("APPLICATION/LD+JSON", "application/ld+json", id="case does not matter"),
        pytest.param("application/*", "application/n-triples", id="a family takes its first"),
        pytest.param("application/rdf+xml;q=0.5, application/trig", "application/trig", id="quality decides"),
        pytest.param("application/trig, text/turtle", "text/turtle", id="among equals ours decides"),
        pytest.param("text/turtle;q=0, */*;q=0.1", "application/n-triples", id="zero forbids, the exact range counts"),
        pytest.param("*/*, text/turtle;q=0.2", "application/n-triples", id="the exact range counts, not the best"),
        pytest.param("application/trig;q=0.9;ext=1", "application/trig", id="extensions behind q mean nothing"),
        pytest.param("text/turtle;charset=utf-8", "text/turtle", id="charset means nothing"),
        pytest.param('application/ld+json;profile="a,b;q=0"', "application/ld+json", id="quoted comma"),
        pytest.param("text/turtle;level=1, application/trig;q=0.1", "application/trig", id="a parameter we lack"),
        pytest.param("bad, ;;, application/trig", "application/trig", id="what does not parse is passed over"),
        pytest.param("nonsense", "text/turtle", id="a header of nonsense takes the first"),
        pytest.param("text/turtle;q=x, application/trig;q=0.1", "application/trig", id="a broken weight never wins"),
        pytest.param(JENA, "text/turtle", id="Apache Jena"),
        pytest.param("application/json", "application/json", id="programs that know no RDF type"),
    ],
)
def test_accept_chooses(accept: str | None, media_type: str) -> None:
    assert negotiate(accept, GRAPH_FORMATS).media_type == media_type


def test_what_is_not_offered_is_refused_with_what_is() -> None:
    with pytest.raises(NotAcceptableError, match="text/turtle") as caught:
        negotiate("image/png, text/html", GRAPH_FORMATS)
    assert caught.value.offered[0] == "text/turtle"


def test_a_suffix_beats_the_header() -> None:
    assert negotiate("text/turtle", GRAPH_FORMATS, suffix="jsonld").media_type == "application/ld+json"


def test_an_unknown_suffix_is_not_found() -> None:
    with pytest.raises(NotFoundError, match=r"\.docx"):
        negotiate(None, GRAPH_FORMATS, suffix="docx")


@pytest.mark.parametrize(
    ("accept", "browser"),
    [(FIREFOX, True), ("text/html", True), ("*/*", False), ("text/turtle, text/html;q=0.5", False), (JENA, False)],
)
def test_a_browser_is_known_by_its_wish_for_pages(accept: str, browser: bool) -> None:
    assert is_browser({"accept": accept}) is browser


def test_text_says_that_it_is_utf_8() -> None:
    assert negotiate("text/csv", RESULT_FORMATS).content_type == "text/csv; charset=utf-8"
    assert negotiate("application/json", RESULT_FORMATS).content_type == "application/json"
