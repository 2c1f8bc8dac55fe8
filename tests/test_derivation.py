"""What the graph implies: periods with their bases, gaps, staleness, reaches, short cuts, support."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payergraph.derivation import derive
from payergraph.namespaces import BASE, DERIVED_GRAPH, ONTOLOGY
from payergraph.resources import ONTOLOGY as ONTOLOGY_FOLDER
from payergraph.sources import read
from payergraph.store import Snapshot
from tests.policies import Version, policy_trig

FIXTURES = Path(__file__).parent / "fixtures" / "derivation"
SCHEMES = list(read([ONTOLOGY_FOLDER / "schemes.ttl"]).quads())


def derived(trig: str) -> ox.Store:
    """A store with the derived graph of this TriG alone."""
    stated = ox.Store()
    stated.bulk_extend(SCHEMES)
    stated.load(trig, format=ox.RdfFormat.TRIG)
    store = ox.Store()
    store.extend(derive(stated))
    return store


def fact(store: ox.Store, subject: str, name: str) -> str | None:
    """The one derived value of a property: a date, or the last part of an IRI."""
    quads = list(store.quads_for_pattern(ox.NamedNode(BASE + subject), ox.NamedNode(ONTOLOGY + name), None))
    assert len(quads) <= 1
    return _text(quads[0]).removeprefix(BASE).removeprefix("scheme/") if quads else None


def _text(quad: ox.Quad) -> str:
    assert isinstance(quad.object, ox.NamedNode | ox.Literal)
    return quad.object.value


def period(store: ox.Store, key: str) -> tuple[str | None, ...]:
    names = ("inForceFrom", "fromBasis", "inForceBefore", "toBasis")
    values = [fact(store, f"policy/example/P1/{key}", name) for name in names]
    return tuple(value.removeprefix("date-basis-") if value else None for value in values)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"effectiveFrom": "2024-01-01", "publishedOn": "2023-11-15"}, ("2024-01-01", "effective")),
        ({"publishedOn": "2023-11-15", "reviewedOn": "2023-11-09"}, ("2023-11-15", "published")),
        ({"reviewedOn": "2023-11-09", "shownCurrentOn": "2025-01-01"}, ("2023-11-09", "reviewed")),
        ({"shownCurrentOn": "2025-08-23", "listedOn": "2025-06-01"}, ("2025-08-23", "shown-current")),
        ({"listedOn": "2025-06-01"}, ("2025-06-01", "listed")),
        ({"nextReviewOn": "2025-06-01"}, (None, "undated")),
        ({}, (None, "undated")),
    ],
)
def test_start_rests_on_the_strongest_date(dates: dict[str, str], expected: tuple[str | None, str]) -> None:
    store = derived(policy_trig(Version("v1", dates)))
    assert period(store, "v1")[:2] == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({}, ("9999-12-31", "open")),
        ({"effectiveTo": "2024-12-31"}, ("2025-01-01", "stated-end")),
        ({"retiredOn": "2025-03-20"}, ("2025-03-21", "retirement")),
        ({"shownSupersededOn": "2025-02-01"}, ("2025-02-01", "shown-superseded")),
        ({"shownSupersededOn": "2025-02-01", "effectiveTo": "2024-06-30"}, ("2024-07-01", "stated-end")),
        ({"nextVersionKnownFrom": "2024-05-01"}, ("2024-05-01", "next-version")),
    ],
)
def test_end_rests_on_what_is_stated(dates: dict[str, str], expected: tuple[str, str]) -> None:
    store = derived(policy_trig(Version("v1", {"effectiveFrom": "2024-01-01"} | dates)))
    assert period(store, "v1")[2:] == expected


def test_a_version_ends_when_the_next_one_starts() -> None:
    store = derived(
        policy_trig(Version("v1", {"effectiveFrom": "2024-01-01"}), Version("v2", {"effectiveFrom": "2024-07-01"}))
    )
    assert period(store, "v1") == ("2024-01-01", "effective", "2024-07-01", "next-version")
    assert fact(store, "policy/example/P1/v1", "gapFrom") is None
    assert fact(store, "policy/example/P1/v2", "takesOverFrom") == "policy/example/P1/v1"


def test_more_than_a_year_to_the_next_known_version_is_a_gap() -> None:
    store = derived(
        policy_trig(Version("v1", {"effectiveFrom": "2018-01-01"}), Version("v2", {"effectiveFrom": "2024-01-01"}))
    )
    assert period(store, "v1")[2:] == ("2024-01-01", "next-known-version")
    assert fact(store, "policy/example/P1/v1", "gapFrom") == "2019-01-02"


def test_a_revision_that_was_not_seen_opens_the_gap() -> None:
    first = Version("v1", {"effectiveFrom": "2023-01-01"})
    second = Version("v2", {"effectiveFrom": "2023-12-01"}, revised=("2022-05-01", "2023-04-01", "2023-12-01"))
    store = derived(policy_trig(first, second))
    assert period(store, "v1")[3] == "next-known-version"
    assert fact(store, "policy/example/P1/v1", "gapFrom") == "2023-04-01"


def test_a_version_that_follows_directly_leaves_no_gap() -> None:
    first, second = (
        Version("v1", {"effectiveFrom": "2018-01-01"}),
        Version("v2", {"effectiveFrom": "2024-01-01"}, follows="v1"),
    )
    store = derived(policy_trig(first, second))
    assert period(store, "v1")[3] == "next-version"
    assert fact(store, "policy/example/P1/v1", "gapFrom") is None


def test_of_two_versions_with_one_start_the_later_published_wins() -> None:
    first = Version("v1", {"effectiveFrom": "2024-01-01", "publishedOn": "2023-10-01"})
    second = Version("v2", {"effectiveFrom": "2024-01-01", "publishedOn": "2023-12-01"})
    store = derived(policy_trig(first, second))
    assert period(store, "v1")[2:] == ("2024-01-01", "same-start")
    assert period(store, "v2")[2:] == ("9999-12-31", "open")


def test_a_draft_is_never_in_force_and_ends_nothing() -> None:
    store = derived(
        policy_trig(
            Version("v1", {"effectiveFrom": "2024-01-01"}), Version("v2", {"publishedOn": "2024-06-01"}, draft=True)
        )
    )
    assert period(store, "v2") == (None, "draft", None, None)
    assert period(store, "v1")[3] == "open"


def test_notices_form_a_series_and_are_never_in_force() -> None:
    store = derived(policy_trig(Version("v1", {"publishedOn": "2024-01-01"}), kind="provider-bulletin"))
    assert period(store, "v1") == (None, "series", None, None)


def test_a_version_is_stale_a_year_after_its_last_sign() -> None:
    dates = {"effectiveFrom": "2023-01-01", "reviewedOn": "2024-02-29", "listedOn": "2026-01-01"}
    store = derived(policy_trig(Version("v1", dates)))
    assert fact(store, "policy/example/P1/v1", "staleFrom") == "2025-03-01"


def test_the_issuers_word_on_a_date_counts_before_anothers() -> None:
    own = Version("v1", {"effectiveFrom": "2024-01-01"})
    other = (
        "<source/other> { <source/other#record-1> a pg:VersionRecord ; pg:version <policy/example/P1/v1> ;"
        ' pg:origin scheme:origin-third-party ; pg:effectiveFrom "2023-06-01"^^xsd:date . }'
    )
    assert period(derived(policy_trig(own) + other), "v1")[0] == "2024-01-01"


def test_a_malformed_date_counts_as_none_here_for_validation_names_it() -> None:
    store = derived(policy_trig(Version("v1", {"effectiveFrom": "2024-02-30", "publishedOn": "2024-01-15"})))
    assert period(store, "v1")[:2] == ("2024-01-15", "published")


@given(st.lists(st.dates(date(2015, 1, 1), date(2026, 12, 31)), min_size=1, max_size=6, unique=True))
def test_on_every_day_at_most_one_version_is_in_force(starts: list[date]) -> None:
    """Whatever the starts, the periods of one policy follow each other without overlap or hole."""
    store = derived(
        policy_trig(*(Version(f"v{n}", {"effectiveFrom": day.isoformat()}) for n, day in enumerate(starts)))
    )
    periods = sorted(period(store, f"v{number}")[::2] for number in range(len(starts)))
    for (_, before), (start, _) in pairwise(periods):
        assert before == start
    assert periods[-1][1] == "9999-12-31"


CODES = (FIXTURES / "codes.trig").read_text(encoding="utf-8")


REACHES = """
PREFIX pg: <https://w3id.org/payergraph/ontology#>
SELECT ?target ?match ?distance ?from ?to
WHERE {
  GRAPH ?g {
    ?reach pg:code CODE ; pg:reaches ?target ; pg:matchedBy ?match ; pg:reachDistance ?distance ;
      pg:codedFrom ?from ; pg:codedTo ?to .
  }
}
"""


def reaches(store: ox.Store, code: str) -> set[tuple[str, str, int, str, str]]:
    rows = store.query(REACHES.replace("CODE", f"<{BASE}code/{code}>"))
    assert isinstance(rows, ox.QuerySolutions)
    cells = [
        [row[name].value.removeprefix(BASE) for name in ("target", "match", "distance", "from", "to")] for row in rows
    ]
    return {(t, m.removeprefix("scheme/match-"), int(d), f, to) for t, m, d, f, to in cells}


def test_a_code_reaches_itself_its_ranges_and_its_interventions_by_date() -> None:
    assert reaches(derived(CODES), "cpt/64454") == {
        ("code/cpt/64454", "code", 0, "0001-01-01", "9999-12-31"),
        ("source/x#codes-1", "range", 0, "0001-01-01", "9999-12-31"),
        ("intervention/genicular", "intervention", 0, "2020-01-01", "9999-12-31"),
        ("intervention/block", "broader-intervention", 1, "2020-01-01", "9999-12-31"),
        ("intervention/injection", "broader-intervention", 2, "2020-01-01", "9999-12-31"),
    }


def test_a_range_compares_only_notations_of_one_shape_and_system() -> None:
    assert reaches(derived(CODES), "cpt/0441T") == {("code/cpt/0441T", "code", 0, "0001-01-01", "9999-12-31")}


def test_a_replaced_coding_ends() -> None:
    assert ("intervention/genicular", "intervention", 0, "0001-01-01", "2019-12-31") in reaches(
        derived(CODES), "cpt/64450"
    )


def test_a_diagnosis_reaches_its_parents_groups_and_conditions() -> None:
    always = ("0001-01-01", "9999-12-31")
    assert reaches(derived(CODES), "icd10cm/M17.11") == {
        ("code/icd10cm/M17.11", "code", 0, *always),
        ("code/icd10cm/M17.1", "parent", 1, *always),
        ("code/icd10cm/M17", "parent", 2, *always),
        ("source/x#codes-2", "group", 1, *always),
        ("condition/knee-osteoarthritis", "condition", 0, *always),
        ("condition/knee-pain", "broader-condition", 1, *always),
        ("condition/chronic-knee-pain", "may-apply", 0, *always),
    }


def test_a_parent_reaches_none_of_its_children() -> None:
    assert {target for target, *_ in reaches(derived(CODES), "icd10cm/M17")}.isdisjoint(
        {"code/icd10cm/M17.1", "code/icd10cm/M17.11", "source/x#codes-2"}
    )


def test_a_cycle_in_a_hierarchy_ends() -> None:
    cycle = CODES + "<intervention/> { <intervention/injection> skos:broader <intervention/genicular> . }"
    assert ("intervention/block", "broader-intervention", 1, "2020-01-01", "9999-12-31") in reaches(
        derived(cycle), "cpt/64454"
    )


APPLIED = policy_trig(
    Version("v1", {"effectiveFrom": "2023-01-01"}, position="; pg:intervention <intervention/genicular>"),
    Version("v2", {"effectiveFrom": "2024-01-01"}, position="; pg:intervention <intervention/genicular>"),
) + (FIXTURES / "applied.trig").read_text(encoding="utf-8")


def objects(store: ox.Store, subject: str, name: str) -> set[str]:
    pattern = store.quads_for_pattern(ox.NamedNode(BASE + subject), ox.NamedNode(ONTOLOGY + name), None)
    return {_text(quad).removeprefix(BASE) for quad in pattern}


def test_a_policys_application_reaches_every_version_and_a_pinned_one_its_own() -> None:
    store = derived(APPLIED)
    assert objects(store, "source/example/P1/v1#position-1", "appliesTo") == {"payer/a", "payer/b"}
    assert objects(store, "source/example/P1/v2#position-1", "appliesTo") == {"payer/a"}


def test_an_area_stands_for_all_that_lies_in_it_and_a_contract_for_its_states() -> None:
    store = derived(APPLIED)
    # a country with an exception is not reached as a whole, only its other states are
    assert objects(store, "source/apply#application-1", "appliesInArea") == {"area/US-OH", "area/US-KY"}
    assert objects(store, "source/apply#application-2", "appliesInArea") == {"area/US-OH", "area/US-KY"}
    assert fact(store, "source/apply#application-1", "appliesBefore") == "2024-07-01"


def test_a_position_holds_as_long_as_its_version() -> None:
    store = derived(APPLIED)
    assert fact(store, "source/example/P1/v1#position-1", "positionFrom") == "2023-01-01"
    assert fact(store, "source/example/P1/v1#position-1", "positionBefore") == "2024-01-01"


def test_support_tells_how_well_a_statement_is_backed() -> None:
    store = derived(APPLIED)
    assert fact(store, "source/example/P1/v1#position-1", "support") == "support-own-excerpt"
    assert fact(store, "source/example/P1/v2#position-1", "support") == "support-inferred"


def test_a_requirement_with_a_day_of_its_own_holds_though_its_list_has_no_date() -> None:
    trig = (
        policy_trig(Version("v1"))
        + """
    <source/example/P1/v1> {
      <source/example/P1/v1#authorization-1> a pg:AuthorizationRequirement ; pg:version <policy/example/P1/v1> ;
        pg:validFrom "2026-01-01"^^xsd:date ; pg:validTo "2026-12-31"^^xsd:date .
    }"""
    )
    store = derived(trig)
    assert fact(store, "source/example/P1/v1#authorization-1", "positionFrom") == "2026-01-01"
    assert fact(store, "source/example/P1/v1#authorization-1", "positionBefore") == "2027-01-01"


@pytest.mark.parametrize(
    ("kind", "draft", "expected"),
    [
        ("medical-policy", False, {"scheme/decision-subject-coverage"}),
        ("billing-article", False, {"scheme/decision-subject-coverage", "scheme/decision-subject-coding"}),
        ("prior-authorization-list", False, {"scheme/decision-subject-authorization"}),
        ("medical-policy", True, set()),
        ("consumer-guide", False, set()),
        ("external-appeal-decision", False, set()),
    ],
)
def test_a_version_settles_what_its_document_type_decides_on(kind: str, *, draft: bool, expected: set[str]) -> None:
    store = derived(policy_trig(Version("v1", {"publishedOn": "2024-01-01"}, draft=draft), kind=kind))
    assert objects(store, "policy/example/P1/v1", "settles") == expected


def test_an_empty_store_derives_nothing() -> None:
    assert derive(ox.Store()) == []


def test_derivation_is_a_function_of_the_set_of_facts(shipped: Snapshot) -> None:
    """The derived graph of the shipped data is what deriving from its stated graphs gives, in whatever order."""
    graph = ox.NamedNode(DERIVED_GRAPH)
    stated = [
        quad
        for quad in shipped.store.quads_for_pattern(None, None, None, None)
        if quad.graph_name not in (graph, ox.DefaultGraph())
    ]
    store = ox.Store()
    store.bulk_extend(reversed(stated))
    again = derive(store)
    assert set(again) == set(shipped.store.quads_for_pattern(None, None, None, graph))
    assert again == sorted(again, key=str)


def test_days_do_not_overflow_at_the_open_end() -> None:
    store = derived(policy_trig(Version("v1", {"effectiveFrom": "2024-01-01", "effectiveTo": "9999-12-31"})))
    assert period(store, "v1")[2] == "9999-12-31"
    assert date.fromisoformat("9999-12-30") + timedelta(1) == date.max
