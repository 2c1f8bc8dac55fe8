"""`/policies` over HTTP: filters, a policy, a version."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Server


def test_policies_of_a_code_on_a_day(shipped_server: "Server") -> None:
    page = shipped_server.client.get("/policies", params={"code": "cpt:64454", "in_force_on": "2023-06-01"}).json()
    found = {policy["id"]: policy for policy in page["items"]}
    assert found["elevance/SURG.00142"]["number"] == "SURG.00142"
    assert [version["key"] for version in found["elevance/SURG.00142"]["versions"]] == ["2023-01-04"]


def test_nothing_known_is_an_empty_list_and_no_error(shipped_server: "Server") -> None:
    response = shipped_server.client.get("/policies", params={"code": "cpt:64454", "in_force_on": "1999-01-01"})
    assert (response.status_code, response.json()["items"], response.json()["total"]) == (200, [], 0)


@pytest.mark.parametrize("query", ["in_force_on=2023-13-01", "in_force_on=yesterday", "codes=cpt:64454", "code=50"])
def test_a_wrong_parameter_is_refused(shipped_server: "Server", query: str) -> None:
    response = shipped_server.client.get(f"/policies?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "close"), [("payer=antem", "anthem"), ("issuer=elevence", "elevance"), ("code=hcpcs:64454", "cpt:64454")]
)
def test_an_unknown_filter_suggests_close_ones(shipped_server: "Server", query: str, close: str) -> None:
    response = shipped_server.client.get(f"/policies?{query}")
    assert response.status_code == 404
    assert close in response.json()["did_you_mean"]


def test_a_policy_shows_all_its_versions_with_their_bases(shipped_server: "Server") -> None:
    known = shipped_server.client.get("/policies/elevance/SURG.00142").json()
    assert [version["key"] for version in known["versions"]] == ["2017-03-29", "2018-03-29", "2023-01-04", "2024-01-03"]
    assert known["versions"][1]["to_basis"] == "next-known-version"
    assert known["versions"][1]["gap_from"]
    assert (known["versions"][-1]["to_basis"], known["versions"][-1]["in_force_to"]) == ("open", None)


def test_numbers_may_hold_tildes_and_dots(shipped_server: "Server") -> None:
    path = "/policies/bcbs-north-dakota/~pain-management-of-peripheral-nerves-by-injection/~undated-1"
    response = shipped_server.client.get(path)
    assert response.status_code == 200
    assert response.json()["key"] == "~undated-1"


def test_a_version_is_told_with_its_positions_and_sources(shipped_server: "Server") -> None:
    known = shipped_server.client.get("/policies/elevance/SURG.00142/2024-01-03").json()
    position = known["positions"][0]
    assert position["stances"] == ["investigational", "not-medically-necessary"]
    assert position["citation"]["read_on"]
    assert position["criteria"] is None
    assert position["limits"] == []
    assert known["sources"][0]["iri"] == position["citation"]["source"]
    assert shipped_server.client.get(known["links"]["policy"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "close"),
    [
        ("/policies/elevance/SURG.00143", "SURG.00142"),
        ("/policies/elevance/SURG.00142/2024-01-04", "2024-01-03"),
        ("/policies/elevence/SURG.00142", "elevance"),
    ],
)
def test_an_unknown_policy_suggests_close_ones(shipped_server: "Server", path: str, close: str) -> None:
    response = shipped_server.client.get(path)
    assert response.status_code == 404
    assert close in response.json()["did_you_mean"]
