"""Records of policies: what sources say of a policy version, class by class, as the ontology defines the classes."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from payergraph.lookups.records import Node, Of, Reference, Statement

__all__ = [
    "Application",
    "AuthorizationRequirement",
    "CodeGroup",
    "CodeList",
    "CodingRule",
    "CoveragePosition",
    "Criterion",
    "DatePrecision",
    "DocumentRelation",
    "Limit",
    "Mention",
    "RevisionEntry",
    "Scope",
    "SilenceNote",
    "SourceDocument",
    "UtilizationProgram",
    "VersionRecord",
]


@dataclass(frozen=True, kw_only=True)
class SourceDocument(Node):
    """A document whose statements stand in the graph, and how well it was read."""

    title: Annotated[str | None, Of("dcterms:title")]
    publisher: Annotated[Reference | None, Of("dcterms:publisher")]
    url: Annotated[str | None, Of("foaf:page")]
    see_also: Annotated[tuple[str, ...], Of("rdfs:seeAlso")]
    quotes: Annotated[tuple[str, ...], Of("pg:quotes")]
    document_type: Annotated[str | None, Of("pg:documentType")]
    origin: Annotated[str | None, Of("pg:origin")]
    reading_depth: Annotated[str | None, Of("pg:readingDepth")]
    characters_read: Annotated[int | None, Of("pg:charactersRead")]
    published: Annotated[date | None, Of("dcterms:issued")]
    read_on: Annotated[date | None, Of("pg:readOn")]
    content_hash: Annotated[str | None, Of("pg:contentHash")]
    editorial_notes: Annotated[tuple[str, ...], Of("skos:editorialNote")]


@dataclass(frozen=True, kw_only=True)
class DatePrecision(Node):
    """That a date of a record is known to the month or year only."""

    date_property: Annotated[str, Of("pg:dateProperty")]
    date_precision: Annotated[str, Of("pg:datePrecision")]


@dataclass(frozen=True, kw_only=True)
class VersionRecord(Statement):
    """What one source says of the version: title, label, and each date under its own name."""

    title: Annotated[str | None, Of("dcterms:title")]
    label_as_printed: Annotated[str | None, Of("pg:labelAsPrinted")]
    origin: Annotated[str | None, Of("pg:origin")]
    effective_from: Annotated[date | None, Of("pg:effectiveFrom")]
    effective_to: Annotated[date | None, Of("pg:effectiveTo")]
    published_on: Annotated[date | None, Of("pg:publishedOn")]
    reviewed_on: Annotated[date | None, Of("pg:reviewedOn")]
    next_review_on: Annotated[date | None, Of("pg:nextReviewOn")]
    retired_on: Annotated[date | None, Of("pg:retiredOn")]
    shown_current_on: Annotated[date | None, Of("pg:shownCurrentOn")]
    listed_on: Annotated[date | None, Of("pg:listedOn")]
    shown_superseded_on: Annotated[date | None, Of("pg:shownSupersededOn")]
    next_version_known_from: Annotated[date | None, Of("pg:nextVersionKnownFrom")]
    counts_by: Annotated[str | None, Of("pg:countsBy")]
    follows: Annotated[Reference | None, Of("pg:follows")]
    date_precisions: Annotated[tuple[DatePrecision, ...], Of("pg:about", inverse=True)]
    """The dates above that are known to the month or year only."""


@dataclass(frozen=True, kw_only=True)
class RevisionEntry(Statement):
    """An event that the document tells of its own history."""

    revised_on: Annotated[date | None, Of("pg:revisedOn")]
    description: Annotated[str | None, Of("dcterms:description")]


@dataclass(frozen=True, kw_only=True)
class DocumentRelation(Statement):
    """How the version stands to another document."""

    relation: Annotated[str | None, Of("pg:relation")]
    related_policy: Annotated[Reference | None, Of("pg:relatedPolicy")]
    related_identifiers: Annotated[tuple[str, ...], Of("pg:relatedIdentifier")]
    related_title: Annotated[str | None, Of("pg:relatedTitle")]


@dataclass(frozen=True, kw_only=True)
class Application(Statement):
    """That a policy, or one version of it, applies to a payer."""

    payer: Annotated[Reference, Of("pg:payer")]
    policy: Annotated[Reference, Of("pg:policy")]
    pinned_version: Annotated[Reference | None, Of("pg:pinnedVersion")]
    mode: Annotated[str | None, Of("pg:mode")]
    plans: Annotated[tuple[str, ...], Of("pg:plan")]
    except_plans: Annotated[tuple[str, ...], Of("pg:exceptPlan")]
    lines_of_business: Annotated[tuple[str, ...], Of("pg:lineOfBusiness")]
    funding: Annotated[tuple[str, ...], Of("pg:funding")]
    areas: Annotated[tuple[Reference, ...], Of("pg:area")]
    except_areas: Annotated[tuple[Reference, ...], Of("pg:exceptArea")]
    jurisdictions: Annotated[tuple[Reference, ...], Of("pg:jurisdiction")]
    jurisdiction_groups: Annotated[tuple[str, ...], Of("pg:jurisdictionGroup")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    support: Annotated[str | None, Of("pg:support", derived=True)]


@dataclass(frozen=True, kw_only=True)
class CodeGroup(Node):
    """A named set of codes: a list, a range, or both."""

    label: Annotated[str | None, Of("skos:prefLabel")]
    members: Annotated[tuple[Reference, ...], Of("skos:member")]
    range_from: Annotated[Reference | None, Of("pg:rangeFrom")]
    range_to: Annotated[Reference | None, Of("pg:rangeTo")]
    list_whole: Annotated[bool | None, Of("pg:listWhole")]
    list_exclusive: Annotated[bool | None, Of("pg:listExclusive")]


@dataclass(frozen=True, kw_only=True)
class CodeList(Statement):
    """A list of codes that the document prints."""

    label: Annotated[str | None, Of("skos:prefLabel")]
    group_number: Annotated[str | None, Of("pg:groupNumber")]
    list_kind: Annotated[str | None, Of("pg:listKind")]
    list_whole: Annotated[bool | None, Of("pg:listWhole")]
    list_exclusive: Annotated[bool | None, Of("pg:listExclusive")]
    complete_for: Annotated[tuple[Reference, ...], Of("pg:completeFor")]
    pairs_with: Annotated[tuple[Reference, ...], Of("pg:pairsWith")]
    members: Annotated[tuple[Reference, ...], Of("skos:member")]


@dataclass(frozen=True, kw_only=True)
class Criterion(Node):
    """A condition, or a tree of conditions: `kind` says which; a leaf has no operands."""

    kind: str
    text: Annotated[str | None, Of("pg:text")]
    operands: Annotated[tuple["Criterion", ...], Of("pg:operand")]
    minimum_count: Annotated[int | None, Of("pg:minimumCount")]
    unless: Annotated[tuple["Criterion", ...], Of("pg:unless")]
    criterion_type: Annotated[str | None, Of("pg:criterionType")]
    comparator: Annotated[str | None, Of("pg:comparator")]
    values: Annotated[tuple[bool | float | str, ...], Of("pg:value")]
    unit: Annotated[str | None, Of("pg:unit")]
    count_comparator: Annotated[str | None, Of("pg:countComparator")]
    count_value: Annotated[int | None, Of("pg:countValue")]
    each_event: Annotated[tuple["Criterion", ...], Of("pg:eachEvent")]
    same_across_events: Annotated[tuple[str, ...], Of("pg:sameAcrossEvents")]
    external_reference: Annotated[str | None, Of("pg:externalReference")]


@dataclass(frozen=True, kw_only=True)
class Limit(Statement):
    """The least or most of something in a period."""

    limit_subject: Annotated[str | None, Of("pg:limitSubject")]
    least: Annotated[float | None, Of("pg:least")]
    most: Annotated[float | None, Of("pg:most")]
    unit: Annotated[str | None, Of("pg:unit")]
    period_kind: Annotated[str | None, Of("pg:periodKind")]
    period_length: Annotated[float | None, Of("pg:periodLength")]
    period_unit: Annotated[str | None, Of("pg:periodUnit")]
    per: Annotated[tuple[str, ...], Of("pg:per")]
    products: Annotated[tuple[str, ...], Of("pg:product")]
    carve_outs: Annotated[tuple[CodeGroup, ...], Of("pg:carveOut")]
    criteria: Annotated[Criterion | None, Of("pg:criterion")]
    text: Annotated[str | None, Of("pg:text")]
    support: Annotated[str | None, Of("pg:support", derived=True)]


@dataclass(frozen=True, kw_only=True)
class Scope(Statement):
    """What a statement is for; an empty list means that the document does not narrow it there."""

    description: Annotated[str | None, Of("dcterms:description")]
    interventions: Annotated[tuple[Reference, ...], Of("pg:intervention")]
    except_interventions: Annotated[tuple[Reference, ...], Of("pg:exceptIntervention")]
    procedures: Annotated[tuple[Reference, ...], Of("pg:procedure")]
    procedure_groups: Annotated[tuple[CodeGroup, ...], Of("pg:procedureGroup")]
    procedure_text: Annotated[str | None, Of("pg:procedureText")]
    conditions: Annotated[tuple[Reference, ...], Of("pg:condition")]
    except_conditions: Annotated[tuple[Reference, ...], Of("pg:exceptCondition")]
    diagnoses: Annotated[tuple[Reference, ...], Of("pg:diagnosis")]
    diagnosis_groups: Annotated[tuple[CodeGroup, ...], Of("pg:diagnosisGroup")]
    exception_text: Annotated[str | None, Of("pg:exceptionText")]
    out_of_scope: Annotated[tuple[str, ...], Of("pg:outOfScope")]
    purposes: Annotated[tuple[str, ...], Of("pg:purpose")]
    places: Annotated[tuple[Reference, ...], Of("pg:place")]
    place_groups: Annotated[tuple[Reference, ...], Of("pg:placeGroup")]
    minimum_age: Annotated[int | None, Of("pg:minimumAge")]
    maximum_age: Annotated[int | None, Of("pg:maximumAge")]
    provider_types: Annotated[tuple[str, ...], Of("pg:providerType")]
    body_regions: Annotated[tuple[str, ...], Of("pg:bodyRegion")]
    risk_groups: Annotated[tuple[str, ...], Of("pg:riskGroup")]
    lines_of_business: Annotated[tuple[str, ...], Of("pg:lineOfBusiness")]
    funding: Annotated[tuple[str, ...], Of("pg:funding")]
    plans: Annotated[tuple[str, ...], Of("pg:plan")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    documentation: Annotated[tuple[str, ...], Of("pg:documentation")]
    criteria: Annotated[Criterion | None, Of("pg:criterion")]
    limits: Annotated[tuple[Limit, ...], Of("pg:limit")]
    support: Annotated[str | None, Of("pg:support", derived=True)]


@dataclass(frozen=True, kw_only=True)
class CoveragePosition(Scope):
    """A stance on paying for interventions or codes."""

    stances: Annotated[tuple[str, ...], Of("pg:stance")]
    criteria_known: Annotated[str | None, Of("pg:criteriaKnown")]
    catch_all: Annotated[bool | None, Of("pg:catchAll")]
    leaves_discretion: Annotated[bool | None, Of("pg:leavesDiscretion")]


@dataclass(frozen=True, kw_only=True)
class Mention(Scope):
    """An intervention or a code that is named without a stance."""


@dataclass(frozen=True, kw_only=True)
class UtilizationProgram(Statement):
    """A program under which services are reviewed."""

    title: Annotated[str | None, Of("dcterms:title")]
    operators: Annotated[tuple[Reference, ...], Of("pg:operator")]
    list_whole: Annotated[bool | None, Of("pg:listWhole")]
    part_of: Annotated["UtilizationProgram | None", Of("pg:partOf")]
    areas: Annotated[tuple[Reference, ...], Of("pg:area")]
    lines_of_business: Annotated[tuple[str, ...], Of("pg:lineOfBusiness")]
    plans: Annotated[tuple[str, ...], Of("pg:plan")]
    counts_by: Annotated[str | None, Of("pg:countsBy")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    validity_length: Annotated[float | None, Of("pg:validityLength")]
    validity_unit: Annotated[str | None, Of("pg:validityUnit")]


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequirement(Scope):
    """Whether one must ask before, or is reviewed after, a service."""

    requirement: Annotated[str | None, Of("pg:requirement")]
    text: Annotated[str | None, Of("pg:text")]
    program: Annotated[UtilizationProgram | None, Of("pg:program")]
    operators: Annotated[tuple[Reference, ...], Of("pg:operator")]
    list_whole: Annotated[bool | None, Of("pg:listWhole")]
    catch_all: Annotated[bool | None, Of("pg:catchAll")]
    validity_length: Annotated[float | None, Of("pg:validityLength")]
    validity_unit: Annotated[str | None, Of("pg:validityUnit")]


@dataclass(frozen=True, kw_only=True)
class CodingRule(Scope):
    """How the payer wants a service reported."""

    text: Annotated[str | None, Of("pg:text")]
    modifiers: Annotated[tuple[Reference, ...], Of("pg:modifier")]
    units: Annotated[int | None, Of("pg:units")]
    claim_types: Annotated[tuple[str, ...], Of("pg:claimType")]


@dataclass(frozen=True, kw_only=True)
class SilenceNote(Scope):
    """Ours: what was looked for and not found. Never a stance."""

    payers: Annotated[tuple[Reference, ...], Of("pg:payer")]
    families: Annotated[tuple[Reference, ...], Of("pg:family")]
    searched_in: Annotated[tuple[str, ...], Of("pg:searchedIn")]
