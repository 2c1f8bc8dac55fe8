"""Look-ups over the shipped data: what is known of codes, payers and policies, and what unknown looks like."""

import dataclasses
from datetime import date
from typing import Any, get_type_hints

import orjson
import pyoxigraph as ox
import pytest

from payergraph import lookups
from payergraph.errors import NotFoundError, ParameterError
from payergraph.lookups import code_records, payers, policy_records
from payergraph.lookups.finding import find_code, find_payers
from payergraph.lookups.reading import Reader
from payergraph.lookups.records import Node, Of, page_of
from payergraph.namespaces import DERIVED_GRAPH, ONTOLOGY, PREFIXES
from payergraph.store import Snapshot

TYPE = ox.NamedNode(f"{PREFIXES['rdf']}type")
LEFT_OUT = {
    "type": "the key says it",
    "version": "the answer is about it",
    "policy": "the answer is about it",
    "describes": "the answer is about it",
    "procedure": "the answer is about it",
    "contractor": "the answer is about it",
    "payer": "the answer is about it",
    "locator": "it stands in the citation",
    "source": "it stands in the citation",
    "about": "the record holds it the other way round",
    "rule": "the record holds it the other way round",
}
"""Properties that records need not hold, and why."""


@pytest.fixture(scope="module")
def store(shipped: Snapshot) -> ox.Store:
    return shipped.store


def records() -> dict[str, set[str]]:
    """The properties that records hold, by the class that they are of."""
    held: dict[str, set[str]] = {}
    for module in (code_records, policy_records, payers):
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type) and issubclass(kind, Node):
                hints = get_type_hints(kind, include_extras=True).values()
                notes = (note for hint in hints for note in getattr(hint, "__metadata__", ()) if isinstance(note, Of))
                held[name] = {note.property.partition(":")[2] for note in notes}
    return held


@pytest.mark.parametrize(("name", "held"), list(records().items()), ids=list(records()))
def test_a_record_drops_nothing_that_its_class_states(store: ox.Store, name: str, held: set[str]) -> None:
    stated = {
        quad.predicate.value
        for instance in store.quads_for_pattern(None, TYPE, ox.NamedNode(f"{ONTOLOGY}{name}"), None)
        if isinstance(instance.graph_name, ox.NamedNode) and instance.graph_name.value != DERIVED_GRAPH
        for quad in store.quads_for_pattern(instance.subject, None, None, instance.graph_name)
    }
    missing = {iri.replace("#", "/").rpartition("/")[2] for iri in stated} - held - LEFT_OUT.keys()
    assert not missing


def test_a_code_knows_what_it_reports_and_since_when(store: ox.Store) -> None:
    known = lookups.code(store, "cpt", "64454")
    assert known.system
    assert known.system.canonical_system == "http://www.ama-assn.org/go/cpt"
    codings = {(coding.codes.id, coding.valid_from) for coding in known.codings}
    assert ("genicular-nerve-block", date(2020, 1, 1)) in codings


def test_a_code_knows_what_reported_the_same_before(store: ox.Store) -> None:
    known = lookups.code(store, "cpt", "64454")
    assert {(coding.code.id, coding.valid_to) for coding in known.reported_before} == {
        ("cpt:64450", date(2019, 12, 31))
    }
    assert "cpt:64454" in {coding.code.id for coding in lookups.code(store, "cpt", "64450").reported_after}
    assert [replaced.id for replaced in known.replaces] == ["cpt:64450"]
    assert "cpt:64454" in [code.id for code in lookups.code(store, "cpt", "64450").replaced_by]


def test_every_fact_of_a_code_is_cited(store: ox.Store) -> None:
    known = lookups.code(store, "cpt", "64454")
    facts = [*known.descriptions, *known.modifier_uses, *known.unit_limits, *known.fee_schedule_entries]
    assert len(facts) > 50
    for fact in facts:
        assert fact.citation.source
        assert fact.citation.locator
        assert fact.citation.read_on
        assert fact.citation.reading_depth in ("full", "excerpt", "secondary")


def test_a_printed_modifier_that_is_none_is_kept_as_printed(store: ox.Store) -> None:
    uses = lookups.code(store, "cpt", "64454").modifier_uses
    printed = [use for use in uses if use.modifier_as_printed == "11"]
    assert len(printed) == 1
    assert printed[0].modifier is None


def test_a_diagnosis_knows_its_side_and_its_place_in_the_hierarchy(store: ox.Store) -> None:
    known = lookups.code(store, "icd10cm", "M17.11")
    assert known.lateralities == ("right",)
    assert [parent.id for parent in known.broader] == ["icd10cm:M17.1"]
    assert known.billable is True
    assert "icd10cm:M17.11" in [child.id for child in lookups.code(store, "icd10cm", "M17.1").narrower]


def test_unknown_is_null_or_empty_and_never_a_missing_key(store: ox.Store) -> None:
    full, bare = lookups.code(store, "cpt", "64454"), lookups.code(store, "pos", "11")
    first, second = orjson.loads(orjson.dumps(full)), orjson.loads(orjson.dumps(bare))
    assert first.keys() == second.keys()
    assert second["codings"] == []
    assert second["definition"] is None


@pytest.mark.parametrize(
    ("system", "notation", "close"),
    [
        ("cpt", "64544", "64"),
        ("hcpcs", "64454", "cpt:64454"),
        ("icd10cm", "M1711", "icd10cm:M17.11"),
        ("cp", "1", "cpt"),
    ],
)
def test_an_unknown_code_suggests_close_ones(store: ox.Store, system: str, notation: str, close: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        lookups.code(store, system, notation)
    assert any(close in suggestion for suggestion in caught.value.close)


@pytest.mark.parametrize("text", ["cpt:64454", "64454", "https://w3id.org/payergraph/code/cpt/64454"])
def test_a_code_is_found_however_it_is_written(store: ox.Store, text: str) -> None:
    assert find_code(Reader(store), text).value.endswith("/code/cpt/64454")


def test_a_notation_of_several_systems_must_say_which(store: ox.Store) -> None:
    with pytest.raises(ParameterError, match="several systems") as caught:
        find_code(Reader(store), "50")
    assert "modifier:50" in caught.value.allowed


def test_a_search_gives_the_notation_first_then_beginnings_then_words(store: ox.Store) -> None:
    assert lookups.search_codes(store, "64454").items[0].id == "cpt:64454"
    beginnings = lookups.search_codes(store, "6445", "cpt").items
    assert [code.id for code in beginnings] == sorted(code.id for code in beginnings)
    assert all(code.notation.startswith("6445") for code in beginnings)
    words = lookups.search_codes(store, "osteoarthritis knee", "icd10cm")
    assert "icd10cm:M17.11" in [code.id for code in words.items]
    assert lookups.search_codes(store, "no such words").total == 0


def test_a_search_in_an_unknown_system_says_which_there_are(store: ox.Store) -> None:
    with pytest.raises(ParameterError, match="cpt"):
        lookups.search_codes(store, "", "snomed")


def test_pages_put_together_are_the_list() -> None:
    pages = [page_of(range(7), 3, offset) for offset in (0, 3, 6, 9)]
    assert [item for page in pages for item in page.items] == list(range(7))
    assert {page.total for page in pages} == {7}


def test_a_payer_knows_its_family_and_on_what_footing_policies_apply(store: ox.Store) -> None:
    known = lookups.payer(store, "anthem")
    assert known.label
    assert "anthem" in [member.id for family in known.families for member in family.members]
    own = next(found for found in known.applications if found.policy.id == "elevance/SURG.00142")
    assert (own.mode, own.lines_of_business) == ("own", ("commercial",))
    assert own.citation.inferred
    assert known.statement_counts["silence-note"] > 0


def test_an_unknown_payer_suggests_close_ones(store: ox.Store) -> None:
    with pytest.raises(NotFoundError) as caught:
        lookups.payer(store, "antem")
    assert "anthem" in caught.value.close


def test_a_family_stands_for_its_members_and_a_label_for_its_payer(store: ox.Store) -> None:
    reader = Reader(store)
    assert len(find_payers(reader, "Blue Cross Blue Shield")) > 10
    assert [payer.value for payer in find_payers(reader, "aetna")] == [
        payer.value for payer in find_payers(reader, "Aetna")
    ]


def test_policies_of_a_code_on_a_day_show_the_version_of_that_day(store: ox.Store) -> None:
    found = lookups.search_policies(store, code="cpt:64454", in_force_on=date(2023, 6, 1))
    policy = next(policy for policy in found.items if policy.id == "elevance/SURG.00142")
    assert [version.key for version in policy.versions] == ["2023-01-04"]
    assert policy.versions[0].from_basis == "published"
    assert policy.versions[0].in_force_to == date(2024, 1, 2)


def test_filters_narrow_each_other(store: ox.Store) -> None:
    def ids(**filters: Any) -> set[str]:
        return {policy.id for policy in lookups.search_policies(store, limit=500, **filters).items}

    day = date(2024, 6, 1)
    both = ids(code="cpt:64454", payer="anthem", in_force_on=day)
    assert both
    assert both <= ids(code="cpt:64454", in_force_on=day) & ids(payer="anthem", in_force_on=day)
    assert ids(issuer="elevance") == {id_ for id_ in ids() if id_.startswith("elevance/")}


def test_before_its_code_was_there_no_policy_is_found_by_the_code(store: ox.Store) -> None:
    found = lookups.search_policies(store, code="cpt:64454", in_force_on=date(2017, 6, 1))
    assert "elevance/SURG.00142" not in [policy.id for policy in found.items]


def test_a_silence_note_makes_no_policy_of_a_code(store: ox.Store) -> None:
    silent = {policy.id for policy in lookups.search_policies(store, code="cpt:64454", limit=500).items}
    version = lookups.version(store, "unitedhealthcare", "T0107", "2026-05-01")
    assert version.silence_notes
    assert "unitedhealthcare/T0107" not in silent


def test_a_version_tells_its_positions_with_scope_stance_support_and_citation(store: ox.Store) -> None:
    version = lookups.version(store, "elevance", "SURG.00142", "2024-01-03")
    position = version.positions[0]
    assert position.stances == ("investigational", "not-medically-necessary")
    assert [intervention.id for intervention in position.interventions] == ["genicular-nerve-block"]
    assert (position.purposes, position.support) == (("therapeutic",), "own-excerpt")
    assert position.citation.locator == "Position Statement"
    assert position.citation.url
    assert version.records[0].published_on == date(2024, 1, 3)
    assert version.takes_over_from
    assert version.takes_over_from.id == "elevance/SURG.00142/2023-01-04"
    assert {application.mode for application in version.applications} >= {"own", "adopted"}
    assert version.sources[0].reading_depth == "excerpt"


def test_criteria_are_nested_as_the_document_nests_them(store: ox.Store) -> None:
    key = "~pain-management-of-peripheral-nerves-by-injection"
    criteria = lookups.version(store, "bcbs-north-dakota", key, "2018-07-01").positions[0].criteria
    assert criteria
    assert criteria.kind == "any-of"
    assert [operand.criterion_type for operand in criteria.operands] == [
        "conservative-therapy",
        "contraindication",
        "comorbidity",
    ]
    assert criteria.operands[1].values == (True,)


@pytest.mark.parametrize(
    ("issuer", "number", "close"), [("elevance", "SURG.00143", "SURG.00142"), ("elevence", "SURG.00142", "elevance")]
)
def test_an_unknown_policy_suggests_close_ones(store: ox.Store, issuer: str, number: str, close: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        lookups.policy(store, issuer, number)
    assert close in caught.value.close


def test_an_unknown_version_suggests_those_that_there_are(store: ox.Store) -> None:
    with pytest.raises(NotFoundError) as caught:
        lookups.version(store, "elevance", "SURG.00142", "v9")
    assert "2024-01-03" in caught.value.close


def test_every_shipped_version_and_payer_can_be_told(store: ox.Store) -> None:
    for policy in lookups.search_policies(store, limit=1000).items:
        for version in policy.versions:
            issuer, number, key = version.id.split("/")
            told = lookups.version(store, issuer, number, key)
            assert told.records, version.id
            assert dataclasses.is_dataclass(told)
            orjson.dumps(told)
    for payer in lookups.search_payers(store, limit=1000).items:
        orjson.dumps(lookups.payer(store, payer.id))
