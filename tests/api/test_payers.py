"""`/payers` over HTTP."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Server


def test_payers_are_listed_by_id_and_paged(shipped_server: "Server") -> None:
    response = shipped_server.client.get("/payers?limit=10&offset=10")
    page = response.json()
    ids = [payer["id"] for payer in page["items"]]
    assert len(ids) == 10
    assert ids == sorted(ids)
    assert response.links.keys() == {"next", "prev"}
    assert response.links["prev"]["url"] == "/payers?limit=10&offset=0"


def test_a_payer_is_found_by_part_of_a_label(shipped_server: "Server") -> None:
    found = shipped_server.client.get("/payers", params={"q": "aetna"}).json()["items"]
    assert "aetna" in [payer["id"] for payer in found]


def test_a_payer_is_told_with_its_applications_and_what_was_not_found(shipped_server: "Server") -> None:
    known = shipped_server.client.get("/payers/anthem").json()
    assert {family["id"] for family in known["families"]} >= {"bcbs"}
    assert "elevance/SURG.00142" in {found["policy"]["id"] for found in known["applications"]}
    assert known["statement_counts"]["silence-note"] > 0
    assert shipped_server.client.get(known["links"]["policies"]).json()["total"] > 0


def test_a_contractor_is_told_with_its_jurisdictions(shipped_server: "Server") -> None:
    jurisdictions = shipped_server.client.get("/payers/cgs").json()["jurisdictions"]
    assert jurisdictions
    assert all(contract["contract_number"] and contract["areas"] for contract in jurisdictions)


def test_an_unknown_payer_is_a_problem_with_suggestions(shipped_server: "Server") -> None:
    response = shipped_server.client.get("/payers/antem")
    assert response.status_code == 404
    assert "anthem" in response.json()["did_you_mean"]


def test_a_family_is_no_payer(shipped_server: "Server") -> None:
    assert shipped_server.client.get("/payers/bcbs").status_code == 404
