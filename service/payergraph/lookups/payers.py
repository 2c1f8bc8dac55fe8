"""Payers: an id in, who that is, to whom it belongs and which policies apply to it out."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, TypeVar

import pyoxigraph as ox

from payergraph.errors import NotFoundError
from payergraph.lookups.finding import close_names, require
from payergraph.lookups.policy_records import Application
from payergraph.lookups.reading import Reader
from payergraph.lookups.records import Doubt, Node, Of, Page, Reference, Statement, page_of
from payergraph.lookups.terms import DERIVED, PAYERS, id_of, kebab
from payergraph.namespaces import name

__all__ = [
    "ContractorJurisdiction",
    "PayerFacts",
    "PayerFamily",
    "PayerSummary",
    "PrecedenceRank",
    "PrecedenceRule",
    "payer",
    "search_payers",
]

T = TypeVar("T", bound=Node)
_COUNTED: Final = ("coverage-position", "mention", "authorization-requirement", "coding-rule", "silence-note")
"""Classes of statements that applications carry to a payer."""


@dataclass(frozen=True, kw_only=True)
class PayerSummary(Node):
    """A payer, as a list shows it."""

    id: str
    label: Annotated[str | None, Of("skos:prefLabel")]
    alternative_labels: Annotated[tuple[str, ...], Of("skos:altLabel")]
    organization_kind: Annotated[str | None, Of("pg:organizationKind")]
    parent: Annotated[Reference | None, Of("org:subOrganizationOf")]
    scope_note: Annotated[str | None, Of("skos:scopeNote")]


@dataclass(frozen=True, kw_only=True)
class PayerFamily(Node):
    """Payers that share a brand or an owner; it groups them and binds none."""

    id: str
    label: Annotated[str | None, Of("skos:prefLabel")]
    definition: Annotated[str | None, Of("skos:definition")]
    scope_note: Annotated[str | None, Of("skos:scopeNote")]
    members: Annotated[tuple[Reference, ...], Of("pg:family", inverse=True)]


@dataclass(frozen=True, kw_only=True)
class ContractorJurisdiction(Statement):
    """A contract that a contractor holds, and where."""

    contract_number: Annotated[str | None, Of("pg:contractNumber")]
    medicare_part: Annotated[str | None, Of("pg:medicarePart")]
    jurisdiction_code: Annotated[str | None, Of("pg:jurisdictionCode")]
    areas: Annotated[tuple[Reference, ...], Of("pg:area")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]


@dataclass(frozen=True, kw_only=True)
class PrecedenceRank(Node):
    """The place of one kind of document."""

    rank: Annotated[int, Of("pg:rank")]
    document_kind: Annotated[str, Of("pg:documentKind")]


@dataclass(frozen=True, kw_only=True)
class PrecedenceRule(Statement):
    """Which kinds of document win, as the maker of the rule says it; rank 1 wins."""

    lines_of_business: Annotated[tuple[str, ...], Of("pg:lineOfBusiness")]
    areas: Annotated[tuple[Reference, ...], Of("pg:area")]
    valid_from: Annotated[date | None, Of("pg:validFrom")]
    valid_to: Annotated[date | None, Of("pg:validTo")]
    ranks: Annotated[tuple[PrecedenceRank, ...], Of("pg:rule", inverse=True)]


@dataclass(frozen=True, kw_only=True)
class PayerEntry(PayerSummary):
    """What the register says of a payer."""

    children: Annotated[tuple[Reference, ...], Of("org:subOrganizationOf", inverse=True)]
    families: Annotated[tuple[PayerFamily, ...], Of("pg:family")]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, kw_only=True)
class PayerFacts(PayerEntry):
    """All that is known of one payer."""

    applications: tuple[Application, ...]
    jurisdictions: tuple[ContractorJurisdiction, ...]
    precedence_rules: tuple[PrecedenceRule, ...]
    statement_counts: dict[str, int]
    """How many statements reach the payer through applications, by class; `silence-note` counts what was not found."""


def search_payers(store: ox.Store, q: str = "", limit: int = 50, offset: int = 0) -> Page[PayerSummary]:
    """The payers, by id.

    :param q: only those whose id or one of whose labels holds this text
    """
    reader, asked = Reader(store), q.strip().casefold()
    found = [reader.read(PayerSummary, node, PAYERS) for node in reader.subjects("rdf:type", name("pg:Payer"), PAYERS)]
    fitting = [payer for payer in found if any(asked in text.casefold() for text in _names(payer))]
    return page_of(fitting, limit, offset)


def payer(store: ox.Store, identifier: str) -> PayerFacts:
    """All that is known of one payer.

    :raises NotFoundError: if there is none with that id; close ids are suggested
    """
    reader = Reader(store)
    subject = require(reader, f"payer/{identifier}", "pg:Payer")
    if subject is None:
        ids = [id_of(known.value) for known in reader.subjects("rdf:type", name("pg:Payer"), PAYERS)]
        raise NotFoundError("payer", identifier, close=close_names(identifier, ids))
    return PayerFacts(
        **vars(reader.read(PayerEntry, subject, PAYERS)),
        applications=_about(reader, Application, "pg:payer", subject),
        jurisdictions=_about(reader, ContractorJurisdiction, "pg:contractor", subject),
        precedence_rules=_about(reader, PrecedenceRule, "pg:payer", subject),
        statement_counts=_counts(reader, subject),
    )


def _names(payer: PayerSummary) -> tuple[str, ...]:
    return (payer.id, payer.label or "", *payer.alternative_labels)


def _about(reader: Reader, kind: type[T], curie: str, subject: ox.NamedNode) -> tuple[T, ...]:
    """The statements of one class that name a payer; records and classes have the same names."""
    wanted = name(f"pg:{kind.__name__}").value
    nodes = (node for node in reader.subjects(curie, subject) if wanted in reader.classes(node))
    return tuple(reader.read(kind, node) for node in nodes)


def _counts(reader: Reader, subject: ox.NamedNode) -> dict[str, int]:
    counts = dict.fromkeys(_COUNTED, 0)
    for statement in reader.subjects("pg:appliesTo", subject, DERIVED):
        for kind in reader.classes(statement):
            if kebab(kind) in counts:
                counts[kebab(kind)] += 1
    return counts
