"""Policies: filters, or the path of a policy or of a version in, what sources say of it out, with citations."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

import pyoxigraph as ox

from payergraph.errors import NotFoundError
from payergraph.lookups.code_records import Finding
from payergraph.lookups.finding import close_names, find_code, find_payers, require
from payergraph.lookups.policy_records import (
    Application,
    AuthorizationRequirement,
    CodeList,
    CodingRule,
    CoveragePosition,
    DocumentRelation,
    Mention,
    RevisionEntry,
    SilenceNote,
    SourceDocument,
    VersionRecord,
)
from payergraph.lookups.reaching import covers, policy_of, versions_of_payer, versions_that_reach
from payergraph.lookups.reading import Reader
from payergraph.lookups.records import Doubt, Node, Of, Page, Reference, page_of
from payergraph.lookups.terms import POLICIES, SOURCES, id_of, natural, text_of
from payergraph.namespaces import BASE, name

__all__ = [
    "PolicyFacts",
    "PolicySummary",
    "VersionFacts",
    "VersionSummary",
    "policy",
    "search_policies",
    "version",
]


@dataclass(frozen=True, kw_only=True)
class VersionEntry(Node):
    """What the register says of a version, and when it is taken to be in force."""

    id: str
    version_identifier: Annotated[str | None, Of("pg:versionIdentifier")]
    own_document_type: Annotated[str | None, Of("pg:documentType")]
    """Where the version is of another kind than its policy."""
    draft: Annotated[bool | None, Of("pg:draft")]
    context_only: Annotated[bool | None, Of("pg:contextOnly")]
    in_force_from: Annotated[date | None, Of("pg:inForceFrom", derived=True)]
    from_basis: Annotated[str | None, Of("pg:fromBasis", derived=True)]
    in_force_before: Annotated[date | None, Of("pg:inForceBefore", derived=True)]
    """The first day on which it is no longer in force; null where the end is open or the start unknown."""
    to_basis: Annotated[str | None, Of("pg:toBasis", derived=True)]
    gap_from: Annotated[date | None, Of("pg:gapFrom", derived=True)]
    stale_from: Annotated[date | None, Of("pg:staleFrom", derived=True)]
    takes_over_from: Annotated[Reference | None, Of("pg:takesOverFrom", derived=True)]


@dataclass(frozen=True, kw_only=True)
class VersionSummary(VersionEntry):
    """A version, as the list of a policy shows it."""

    key: str
    in_force_to: date | None
    """The last day on which it is in force; null where the end is open or the start unknown."""


@dataclass(frozen=True, kw_only=True)
class PolicyEntry(Node):
    """What the register says of a policy."""

    id: str
    number: Annotated[str | None, Of("dcterms:identifier")]
    title: Annotated[str | None, Of("dcterms:title")]
    document_type: Annotated[str | None, Of("pg:documentType")]
    issuer: Annotated[Reference | None, Of("pg:issuer")]


@dataclass(frozen=True, kw_only=True)
class PolicySummary(PolicyEntry):
    """A policy, as a list shows it; its versions are those that fit the filters."""

    versions: tuple[VersionSummary, ...]


@dataclass(frozen=True, kw_only=True)
class PolicyFacts(PolicySummary):
    """A policy with all its versions, whom it applies to, and which documents point at it."""

    applications: tuple[Application, ...]
    related_by: tuple[DocumentRelation, ...]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, kw_only=True)
class VersionFacts(VersionSummary):
    """All that sources say of one version."""

    policy: PolicyEntry
    records: tuple[VersionRecord, ...]
    positions: tuple[CoveragePosition, ...]
    mentions: tuple[Mention, ...]
    authorizations: tuple[AuthorizationRequirement, ...]
    coding_rules: tuple[CodingRule, ...]
    code_lists: tuple[CodeList, ...]
    silence_notes: tuple[SilenceNote, ...]
    findings: tuple[Finding, ...]
    relations: tuple[DocumentRelation, ...]
    revisions: tuple[RevisionEntry, ...]
    applications: tuple[Application, ...]
    sources: tuple[SourceDocument, ...]
    doubts: tuple[Doubt, ...]
    """On the version and its documents; those on one statement stand with it."""


_SAID: Final[dict[str, tuple[str, type[Any]]]] = {
    "records": ("pg:VersionRecord", VersionRecord),
    "positions": ("pg:CoveragePosition", CoveragePosition),
    "mentions": ("pg:Mention", Mention),
    "authorizations": ("pg:AuthorizationRequirement", AuthorizationRequirement),
    "coding_rules": ("pg:CodingRule", CodingRule),
    "code_lists": ("pg:CodeList", CodeList),
    "silence_notes": ("pg:SilenceNote", SilenceNote),
    "findings": ("pg:Finding", Finding),
    "relations": ("pg:DocumentRelation", DocumentRelation),
    "revisions": ("pg:RevisionEntry", RevisionEntry),
}
"""The statements about a version that an answer lists, by its key, with their class."""


def search_policies(
    store: ox.Store,
    payer: str | None = None,
    issuer: str | None = None,
    code: str | None = None,
    in_force_on: date | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Page[PolicySummary]:
    """Policies with a version that fits every filter, by id; each shows the versions that fit.

    :param payer: id, IRI or label of a payer, or of a family: its members; whom the version applies to
    :param issuer: id of the organization that writes the policy
    :param code: a code that a statement of the version reaches, as `cpt:64454`, its IRI, or without its system
    :param in_force_on: a day on which version, statement, coding and application hold
    :raises NotFoundError: if there is no such payer, issuer or code; close ones are suggested
    """
    reader = Reader(store)
    filters = []
    if code is not None:
        filters.append(versions_that_reach(reader, find_code(reader, code), in_force_on))
    if payer is not None:
        filters.append(
            {v for found in find_payers(reader, payer) for v in versions_of_payer(reader, found, in_force_on)}
        )
    if issuer is not None:
        filters.append(_versions_of_issuer(reader, issuer))
    versions = set.intersection(*filters) if filters else _all_versions(reader)
    if in_force_on is not None:
        versions = {v for v in versions if _in_force(reader, v, in_force_on)}
    by_policy: dict[str, list[str]] = {}
    for found in sorted(versions, key=natural):
        by_policy.setdefault(policy_of(reader, found), []).append(found)
    page = page_of(sorted(by_policy, key=natural), limit, offset)
    items = tuple(_summary(reader, ox.NamedNode(iri), by_policy[iri]) for iri in page.items)
    return Page(items, page.total, page.limit, page.offset)


def policy(store: ox.Store, issuer: str, number: str) -> PolicyFacts:
    """One policy, by the keys of its path.

    :raises NotFoundError: if there is no such issuer or policy; close ones are suggested
    """
    reader = Reader(store)
    subject = _policy(reader, issuer, number)
    versions = [found.value for found in reader.subjects("dcterms:isVersionOf", subject, POLICIES)]
    return PolicyFacts(
        **vars(_summary(reader, subject, versions)),
        applications=_applications(reader, subject),
        related_by=tuple(reader.read(DocumentRelation, node) for node in reader.subjects("pg:relatedPolicy", subject)),
        doubts=reader.doubts(subject),
    )


def version(store: ox.Store, issuer: str, number: str, key: str) -> VersionFacts:
    """One version, by the keys of its path.

    :raises NotFoundError: if there is no such issuer, policy or version; close ones are suggested
    """
    reader = Reader(store)
    of = _policy(reader, issuer, number)
    subject = require(reader, f"{of.value.removeprefix(BASE)}/{key}", "pg:PolicyVersion")
    if subject is None:
        keys = [_key(found.value) for found in reader.subjects("dcterms:isVersionOf", of, POLICIES)]
        raise NotFoundError("version", f"{issuer}/{number}/{key}", close=close_names(key, keys) or keys[-3:])
    said: dict[str, Any] = _said(reader, subject)
    sources = sorted({record.citation.source for record in said["records"]}, key=natural)
    return VersionFacts(
        **vars(_version(reader, subject.value)),
        **said,
        policy=reader.read(PolicyEntry, of, POLICIES),
        applications=tuple(
            application
            for application in _applications(reader, of)
            if application.pinned_version is None or application.pinned_version.iri == subject.value
        ),
        sources=tuple(reader.read(SourceDocument, ox.NamedNode(iri), SOURCES) for iri in sources),
        doubts=tuple(doubt for iri in (subject.value, *sources) for doubt in reader.doubts(ox.NamedNode(iri))),
    )


def _said(reader: Reader, subject: ox.NamedNode) -> dict[str, tuple[Any, ...]]:
    """The statements about a version, by the key under which an answer lists them."""
    by_class: dict[str, list[ox.NamedNode]] = {}
    for statement in reader.subjects("pg:version", subject):
        for kind in reader.classes(statement):
            by_class.setdefault(kind, []).append(statement)
    return {
        field: tuple(reader.read(kind, statement) for statement in by_class.get(name(curie).value, ()))
        for field, (curie, kind) in _SAID.items()
    }


def _summary(reader: Reader, subject: ox.NamedNode, versions: Iterable[str]) -> PolicySummary:
    shown = tuple(_version(reader, iri) for iri in sorted(versions, key=natural))
    return PolicySummary(**vars(reader.read(PolicyEntry, subject, POLICIES)), versions=shown)


def _version(reader: Reader, iri: str) -> VersionSummary:
    entry = reader.read(VersionEntry, ox.NamedNode(iri), POLICIES)
    last = entry.in_force_before - timedelta(days=1) if entry.in_force_before else None
    return VersionSummary(**vars(entry), key=_key(iri), in_force_to=last)


def _applications(reader: Reader, subject: ox.NamedNode) -> tuple[Application, ...]:
    wanted = name("pg:Application").value
    nodes = (node for node in reader.subjects("pg:policy", subject) if wanted in reader.classes(node))
    return tuple(reader.read(Application, node) for node in nodes)


def _policy(reader: Reader, issuer: str, number: str) -> ox.NamedNode:
    subject = require(reader, f"policy/{issuer}/{number}", "pg:Policy")
    if subject is not None:
        return subject
    ids = [id_of(known.value) for known in reader.subjects("rdf:type", name("pg:Policy"), POLICIES)]
    issuers = {known.partition("/")[0] for known in ids}
    if issuer not in issuers:
        raise NotFoundError("issuer of policies", issuer, close=close_names(issuer, issuers))
    numbers = [known.partition("/")[2] for known in ids if known.startswith(f"{issuer}/")]
    raise NotFoundError("policy", f"{issuer}/{number}", close=close_names(number, numbers))


def _versions_of_issuer(reader: Reader, issuer: str) -> set[str]:
    written: dict[str, list[ox.NamedNode]] = {}
    for one, writer in reader.pairs("pg:issuer", POLICIES):
        written.setdefault(id_of(text_of(writer)), []).append(one)
    asked = id_of(issuer)
    if asked not in written:
        raise NotFoundError("issuer of policies", issuer, close=close_names(asked, written))
    return {v.value for one in written[asked] for v in reader.subjects("dcterms:isVersionOf", one, POLICIES)}


def _all_versions(reader: Reader) -> set[str]:
    return {found.value for found in reader.subjects("rdf:type", name("pg:PolicyVersion"), POLICIES)}


def _in_force(reader: Reader, iri: str, on: date) -> bool:
    return covers(reader, ox.NamedNode(iri), "pg:inForceFrom", "pg:inForceBefore", on)


def _key(iri: str) -> str:
    return iri.rpartition("/")[2]
