"""`/codes` over HTTP: search, one code, pages, and what is kept between requests."""

from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from payergraph.api.answers import KeptAnswers

if TYPE_CHECKING:
    from tests.conftest import Server


def test_one_code_is_told_with_links_and_the_snapshot(shipped_server: "Server") -> None:
    response = shipped_server.client.get("/codes/cpt/64454")
    assert response.status_code == 200
    known = response.json()
    assert known["snapshot"] == shipped_server.service.snapshot.id
    assert {coding["code"]["id"] for coding in known["reported_before"]} == {"cpt:64450"}
    assert "genicular-nerve-block" in {coding["codes"]["id"] for coding in known["codings"]}
    assert known["edit_count"] > 400


@pytest.mark.parametrize("link", ["policies", "edits", "payments"])
def test_its_links_lead_to_what_is_counted(shipped_server: "Server", link: str) -> None:
    known = shipped_server.client.get("/codes/cpt/64454").json()
    response = shipped_server.client.get(known["links"][link])
    assert response.status_code == 200
    if link == "policies":
        assert response.json()["total"] == known["policy_count"]


def test_an_unknown_code_is_a_problem_with_suggestions(shipped_server: "Server") -> None:
    response = shipped_server.client.get("/codes/hcpcs/64454")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["did_you_mean"] == ["cpt:64454"]


@pytest.mark.parametrize("path", ["/codes/cpt/%3Cx%3E", "/codes/cpt/a%20b", "/codes/x/1"])
def test_a_code_that_cannot_be_is_not_found(shipped_server: "Server", path: str) -> None:
    assert shipped_server.client.get(path).status_code == 404


def test_a_search_is_paged_and_its_links_lead_through_all_of_it(shipped_server: "Server") -> None:
    path: str | None = "/codes?q=64&system=cpt&limit=40"
    seen: list[str] = []
    while path:
        response = shipped_server.client.get(path)
        seen += [code["id"] for code in response.json()["items"]]
        path = response.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen)) == response.json()["total"] > 40
    assert response.links["prev"]["url"].startswith("/codes?q=64&system=cpt&limit=40")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "offset=-1", "system=snomed", "sytem=cpt"], ids=lambda query: query
)
def test_a_wrong_parameter_is_refused(shipped_server: "Server", query: str) -> None:
    response = shipped_server.client.get(f"/codes?{query}")
    assert response.status_code == 400
    assert response.json()["title"] == "Wrong parameter"


def test_head_says_what_get_would(shipped_server: "Server") -> None:
    head = shipped_server.client.head("/codes/cpt/64454")
    got = shipped_server.client.get("/codes/cpt/64454")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_who_has_the_answer_is_told_so(shipped_server: "Server", encoding: str) -> None:
    headers = {"accept-encoding": encoding}
    first = shipped_server.client.get("/codes/cpt/64454", headers=headers)
    again = shipped_server.client.get("/codes/cpt/64454", headers=headers | {"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "Accept" in again.headers["vary"]


def test_packed_and_plain_answers_are_one_answer_under_two_names(shipped_server: "Server") -> None:
    plain = shipped_server.client.get("/codes/cpt/64450", headers={"accept-encoding": "gzip;q=0"})
    packed = shipped_server.client.get("/codes/cpt/64450", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert packed.headers["etag"] != plain.headers["etag"]


def test_what_is_not_served_here_is_not_acceptable(shipped_server: "Server") -> None:
    for _ in range(2):  # a kept answer is no excuse
        response = shipped_server.client.get("/codes/cpt/64454", headers={"accept": "text/turtle"})
        assert response.status_code == 406


def test_kept_answers_stay_within_their_bytes_and_the_least_used_go() -> None:
    kept = KeptAnswers(most_bytes=12, entry_bytes=1)
    kept.put(("a",), Response(b"1234"))
    kept.put(("b",), Response(b"1234"))
    assert kept.get(("a",)) is not None
    kept.put(("c",), Response(b"1234"))
    kept.put(("d",), Response(b"12345678901"))
    assert [kept.get((key,)) is not None for key in "abcd"] == [True, False, True, False]


def test_the_answer_is_documented(shipped_server: "Server") -> None:
    document = shipped_server.client.get("/openapi.json").json()
    answer = document["paths"]["/codes/{system}/{code}"]["get"]["responses"]["200"]["content"]["application/json"]
    properties = document["components"]["schemas"][answer["schema"]["$ref"].rpartition("/")[2]]["properties"]
    assert properties.keys() == shipped_server.client.get("/codes/cpt/64454").json().keys()
