"""Records of codes: what sources say of a code, class by class, as the ontology defines the classes."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from payergraph.lookups.records import Doubt, Node, Of, Reference, Statement

__all__ = [
    "CodeDescription",
    "CodeEntry",
    "CodeFacts",
    "CodeRelease",
    "CodeSummary",
    "CodeSystem",
    "Coding",
    "FeeScheduleEntry",
    "Finding",
    "ModifierUse",
    "PathwayStep",
    "ProcedureStep",
    "Reach",
    "UnitLimit",
]


@dataclass(frozen=True)
class CodeSummary:
    """A code, as a list shows it."""

    iri: str
    id: str
    system: str
    notation: str
    label: str | None
    kind: str


@dataclass(frozen=True, kw_only=True)
class CodeSystem(Node):
    """The system that a code belongs to."""

    label: Annotated[str | None, Of("skos:prefLabel")]
    identifiers: Annotated[tuple[str, ...], Of("dcterms:identifier")]
    notation_pattern: Annotated[str | None, Of("pg:notationPattern")]
    canonical_system: Annotated[str | None, Of("pg:canonicalSystem")]
    rights: Annotated[str | None, Of("dcterms:rights")]


@dataclass(frozen=True, kw_only=True)
class CodeRelease(Statement):
    """What an official file says of the code itself."""

    broader: Annotated[tuple[Reference, ...], Of("skos:broader")]
    laterality: Annotated[str | None, Of("pg:laterality")]
    facility_rate_side: Annotated[str | None, Of("pg:facilityRateSide")]


@dataclass(frozen=True, kw_only=True)
class CodeDescription(Statement):
    """What a code stands for, by one source."""

    description: Annotated[str | None, Of("dcterms:description")]
    service_types: Annotated[tuple[str, ...], Of("pg:serviceType")]
    purposes: Annotated[tuple[str, ...], Of("pg:purpose")]
    anatomical_targets: Annotated[tuple[str, ...], Of("pg:anatomicalTarget")]
    agents: Annotated[tuple[str, ...], Of("pg:agent")]
    imaging: Annotated[tuple[str, ...], Of("pg:imaging")]
    imaging_included: Annotated[bool | None, Of("pg:imagingIncluded")]
    add_on: Annotated[bool | None, Of("pg:addOn")]
    usual_sites: Annotated[tuple[Reference, ...], Of("pg:usualSite")]
    site_equipment: Annotated[tuple[str, ...], Of("pg:siteEquipment")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    as_of: Annotated[date | None, Of("pg:asOf")]
    replaces: Annotated[tuple[Reference, ...], Of("dcterms:replaces")]
    replaced_by: Annotated[tuple[Reference, ...], Of("dcterms:isReplacedBy")]


@dataclass(frozen=True, kw_only=True)
class Coding(Statement):
    """Which intervention or condition a code reports, and when."""

    code: Annotated[Reference, Of("pg:code")]
    codes: Annotated[Reference, Of("pg:codes")]
    coding_match: Annotated[str | None, Of("pg:codingMatch")]
    description: Annotated[str | None, Of("dcterms:description")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]


@dataclass(frozen=True, kw_only=True)
class Reach(Node):
    """What the code is found by in statements: derived from codings, hierarchies and groups."""

    reaches: Annotated[Reference, Of("pg:reaches")]
    matched_by: Annotated[str, Of("pg:matchedBy")]
    reach_distance: Annotated[int, Of("pg:reachDistance")]
    coded_from: Annotated[date | None, Of("pg:codedFrom")]
    coded_to: Annotated[date | None, Of("pg:codedTo")]


@dataclass(frozen=True, kw_only=True)
class ModifierUse(Statement):
    """Whether and when a modifier goes with a procedure code."""

    procedure: Annotated[Reference, Of("pg:procedure")]
    modifier: Annotated[Reference | None, Of("pg:modifier")]
    modifier_as_printed: Annotated[str | None, Of("pg:modifierAsPrinted")]
    modifier_fit: Annotated[str | None, Of("pg:modifierFit")]
    instruction: Annotated[str | None, Of("pg:instruction")]
    description: Annotated[str | None, Of("dcterms:description")]


@dataclass(frozen=True, kw_only=True)
class UnitLimit(Statement):
    """The most units that are paid on a line or a day."""

    units: Annotated[int, Of("pg:units")]
    adjudication_indicator: Annotated[str | None, Of("pg:adjudicationIndicator")]
    setting: Annotated[str | None, Of("pg:setting")]
    rationale: Annotated[str | None, Of("pg:rationale")]
    release: Annotated[str | None, Of("pg:release")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    as_of: Annotated[date | None, Of("pg:asOf")]


@dataclass(frozen=True, kw_only=True)
class FeeScheduleEntry(Statement):
    """The indicators, relative values and rates of one fee schedule."""

    schedule: Annotated[str | None, Of("pg:schedule")]
    release: Annotated[str | None, Of("pg:release")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    status_indicator: Annotated[str | None, Of("pg:statusIndicator")]
    global_days: Annotated[str | None, Of("pg:globalDays")]
    pctc_indicator: Annotated[str | None, Of("pg:pctcIndicator")]
    multiple_procedure_indicator: Annotated[str | None, Of("pg:multipleProcedureIndicator")]
    bilateral_indicator: Annotated[str | None, Of("pg:bilateralIndicator")]
    assistant_indicator: Annotated[str | None, Of("pg:assistantIndicator")]
    co_surgeon_indicator: Annotated[str | None, Of("pg:coSurgeonIndicator")]
    team_surgery_indicator: Annotated[str | None, Of("pg:teamSurgeryIndicator")]
    work_rvu: Annotated[float | None, Of("pg:workRvu")]
    practice_expense_nonfacility_rvu: Annotated[float | None, Of("pg:practiceExpenseNonfacilityRvu")]
    practice_expense_facility_rvu: Annotated[float | None, Of("pg:practiceExpenseFacilityRvu")]
    malpractice_rvu: Annotated[float | None, Of("pg:malpracticeRvu")]
    total_nonfacility_rvu: Annotated[float | None, Of("pg:totalNonfacilityRvu")]
    total_facility_rvu: Annotated[float | None, Of("pg:totalFacilityRvu")]
    conversion_factor: Annotated[float | None, Of("pg:conversionFactor")]
    ambulatory_payment_classification: Annotated[str | None, Of("pg:ambulatoryPaymentClassification")]
    description: Annotated[str | None, Of("dcterms:description")]


@dataclass(frozen=True, kw_only=True)
class PathwayStep(Statement):
    """That one intervention commonly comes before another."""

    preceding_intervention: Annotated[Reference, Of("pg:precedingIntervention")]
    following_intervention: Annotated[Reference, Of("pg:followingIntervention")]
    purposes: Annotated[tuple[str, ...], Of("pg:purpose")]
    description: Annotated[str | None, Of("dcterms:description")]


@dataclass(frozen=True, kw_only=True)
class Finding(Statement):
    """Something on use, effect, safety or price, without a stance on paying."""

    topics: Annotated[tuple[str, ...], Of("pg:topic")]
    description: Annotated[str | None, Of("dcterms:description")]
    interventions: Annotated[tuple[Reference, ...], Of("pg:intervention")]
    conditions: Annotated[tuple[Reference, ...], Of("pg:condition")]
    diagnoses: Annotated[tuple[Reference, ...], Of("pg:diagnosis")]
    modifiers: Annotated[tuple[Reference, ...], Of("pg:modifier")]
    procedures: Annotated[tuple[Reference, ...], Of("pg:procedure")]
    procedure_groups: Annotated[tuple[Reference, ...], Of("pg:procedureGroup")]
    purposes: Annotated[tuple[str, ...], Of("pg:purpose")]
    anatomical_targets: Annotated[tuple[str, ...], Of("pg:anatomicalTarget")]
    imaging: Annotated[tuple[str, ...], Of("pg:imaging")]
    areas: Annotated[tuple[Reference, ...], Of("pg:area")]
    families: Annotated[tuple[Reference, ...], Of("pg:family")]
    as_of: Annotated[date | None, Of("pg:asOf")]


@dataclass(frozen=True, kw_only=True)
class ProcedureStep(Statement):
    """One act in the course of a procedure."""

    step_number: Annotated[int | None, Of("pg:stepNumber")]
    description: Annotated[str | None, Of("dcterms:description")]
    anatomical_targets: Annotated[tuple[str, ...], Of("pg:anatomicalTarget")]
    agents: Annotated[tuple[str, ...], Of("pg:agent")]
    imaging: Annotated[tuple[str, ...], Of("pg:imaging")]
    provider_types: Annotated[tuple[str, ...], Of("pg:providerType")]


@dataclass(frozen=True, kw_only=True)
class CodeEntry(Node):
    """What the register says of a code."""

    notation: Annotated[str, Of("skos:notation")]
    label: Annotated[str | None, Of("skos:prefLabel")]
    alternative_labels: Annotated[tuple[str, ...], Of("skos:altLabel")]
    definition: Annotated[str | None, Of("skos:definition")]
    kind: str
    system: Annotated[CodeSystem | None, Of("skos:inScheme")]
    billable: Annotated[bool | None, Of("pg:billable")]


@dataclass(frozen=True, kw_only=True)
class CodeFacts(CodeEntry):
    """All that is known of one code; sources may disagree, and each says its own."""

    id: str
    lateralities: tuple[str, ...]
    broader: tuple[Reference, ...]
    narrower: tuple[Reference, ...]
    releases: tuple[CodeRelease, ...]
    descriptions: tuple[CodeDescription, ...]
    codings: tuple[Coding, ...]
    reported_before: tuple[Coding, ...]
    """Codings of the same by other codes that ended when this one began."""
    reported_after: tuple[Coding, ...]
    """Codings of the same by other codes that began when this one ended."""
    reaches: tuple[Reach, ...]
    replaces: tuple[Reference, ...]
    replaced_by: tuple[Reference, ...]
    modifier_uses: tuple[ModifierUse, ...]
    usual_sites: tuple[Reference, ...]
    unit_limits: tuple[UnitLimit, ...]
    edit_count: int
    """How many coding edits name the code, in either column."""
    payment_count: int
    """How many observations of payments are of the code."""
    fee_schedule_entries: tuple[FeeScheduleEntry, ...]
    pathway_before: tuple[PathwayStep, ...]
    pathway_after: tuple[PathwayStep, ...]
    procedure_steps: tuple[ProcedureStep, ...]
    findings: tuple[Finding, ...]
    policy_count: int
    """How many policies have a statement that reaches the code, at any time."""
    doubts: tuple[Doubt, ...]
