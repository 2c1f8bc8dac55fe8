"""`/queries` over HTTP: the list, the answers in every format, the text, and what is refused."""

import csv
import io
from typing import TYPE_CHECKING

import pytest

from payergraph.api.queries import offered_formats
from payergraph.queries import load_queries

if TYPE_CHECKING:
    from tests.conftest import Server

QUERIES = load_queries()
SITES = "/queries/sites-of-service"
CODE = {"code": "cpt:64454"}


def test_the_list_documents_every_query_with_its_parameters(shipped_server: "Server") -> None:
    listed = {query["name"]: query for query in shipped_server.client.get("/queries").json()["queries"]}
    assert listed.keys() == QUERIES.keys()
    for query in listed.values():
        assert query["summary"]
        assert all(parameter["description"] for parameter in query["parameters"])


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_answers_with_the_example_values_of_its_file(shipped_server: "Server", name: str) -> None:
    text = shipped_server.client.get(f"/queries/{name}.rq").text
    assert text == QUERIES[name].text
    direct = shipped_server.client.get("/sparql", params={"query": text}, headers={"accept": "text/csv"})
    assert direct.status_code == 200


@pytest.mark.parametrize("suffix", [offer.suffix for offer in offered_formats(QUERIES["sites-of-service"])])
def test_a_suffix_beats_accept(shipped_server: "Server", suffix: str) -> None:
    response = shipped_server.client.get(f"{SITES}.{suffix}", params=CODE, headers={"accept": "image/png"})
    assert response.status_code == 200
    offers = {offer.suffix: offer.content_type for offer in reversed(offered_formats(QUERIES["sites-of-service"]))}
    assert response.headers["content-type"] == offers[suffix]


def test_all_formats_give_the_same_rows(shipped_server: "Server") -> None:
    rows = shipped_server.client.get(f"{SITES}.json", params=CODE).json()["results"]["bindings"]
    table = list(csv.DictReader(io.StringIO(shipped_server.client.get(f"{SITES}.csv", params=CODE).text)))
    assert [row["site"]["value"] for row in rows] == [row["site"] for row in table]
    assert "https://w3id.org/payergraph/code/pos/11" in {row["site"] for row in table}


def test_plain_json_is_what_sparql_calls_json(shipped_server: "Server") -> None:
    response = shipped_server.client.get(SITES, params=CODE, headers={"accept": "application/json"})
    assert response.headers["content-type"] == "application/json"
    assert response.json()["head"]["vars"][0] == "site"


def test_the_text_carries_the_values_that_were_asked_with(shipped_server: "Server") -> None:
    text = shipped_server.client.get(f"{SITES}.rq", params={"code": ["cpt:64624", "cpt:64450"]}).text
    assert "code/cpt/64624> <https://w3id.org/payergraph/code/cpt/64450>" in text
    assert "VALUES ?code { <https://w3id.org/payergraph/code/cpt/64454>" not in text


def test_a_repeated_parameter_means_any_of_its_values(shipped_server: "Server") -> None:
    def rows(*codes: str) -> set[str]:
        response = shipped_server.client.get("/queries/unit-limits-of-a-code.csv", params={"code": list(codes)})
        return set(response.text.splitlines())

    assert rows("cpt:64454", "cpt:64624") == rows("cpt:64454") | rows("cpt:64624")


def test_every_answer_names_its_other_formats(shipped_server: "Server") -> None:
    links = shipped_server.client.get(SITES, params=CODE).headers["link"]
    assert '</queries/sites-of-service.csv?code=cpt%3A64454>; rel="alternate"; type="text/csv"' in links


def test_who_has_the_answer_is_told_so(shipped_server: "Server") -> None:
    first = shipped_server.client.get(f"{SITES}.csv", params=CODE)
    again = shipped_server.client.get(f"{SITES}.csv", params=CODE, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shipped_server.client.get(f"{SITES}.tsv", params=CODE).headers["etag"] != first.headers["etag"]
    assert shipped_server.client.head(f"{SITES}.csv", params=CODE).headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/queries/sites-of-servise?code=cpt:64454", 404, "sites-of-service"),
        (f"{SITES}?code=cpt:64454&date=2020-01-01", 400, "code"),
        (SITES, 400, "needs it"),
        (f"{SITES}?code=not+an+iri", 400, "no IRI"),
        ("/queries/stances-on-a-code?code=cpt:64454&date=2020-31-01", 400, "no date"),
        (f"{SITES}.pdf?code=cpt:64454", 404, ".csv"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(
    shipped_server: "Server", path: str, status: int, told: str
) -> None:
    response = shipped_server.client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert told in response.json()["detail"]


def test_a_format_that_is_not_offered_is_not_acceptable(shipped_server: "Server") -> None:
    response = shipped_server.client.get(SITES, params=CODE, headers={"accept": "text/turtle"})
    assert response.status_code == 406
    assert "text/csv" in response.json()["offered"]
