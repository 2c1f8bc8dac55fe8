"""When is each policy version in force? Stated dates in, periods with their bases out.

From: the effective date, else published, else reviewed; else the day on which the publisher showed the version
as current, else the day on which it was listed. Before: the stated end, the retirement, the start of the next
version (for kinds of document that replace each other). Where versions in between were not seen, that next one is
only the next *known* one, and a gap opens: on the first revision that a history tells of in between, else when the
last sign of the version is more than twelve months old. A version seen as superseded ends before that day.
Proposals and notices of a series are never in force.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import pyoxigraph as ox

from payergraph.derivation.days import OPEN, day, day_after, literal, year_after
from payergraph.derivation.queries import select
from payergraph.namespaces import ONTOLOGY, PREFIXES, name

__all__ = ["NEVER", "Period", "describe", "periods"]

NEVER: Final = frozenset({"draft", "series"})
"""Start bases of versions that are never in force, whatever dates they state."""

_SCHEME: Final = PREFIXES["scheme"]
_STARTS: Final = (
    ("effectiveFrom", "effective"),
    ("publishedOn", "published"),
    ("reviewedOn", "reviewed"),
    ("shownCurrentOn", "shown-current"),
    ("listedOn", "listed"),
)
"""Which date a start rests on, the strongest first."""
_SIGNS: Final = ("shownCurrentOn", "effectiveFrom", "publishedOn", "reviewedOn")
"""Dates on which a version showed that it was alive."""
_ORIGINS: Final = ("own-document", "official-data", "third-party")
"""Whose word on a date counts first."""
_ENDS: Final = (
    "stated-end",
    "retirement",
    "same-start",
    "next-version",
    "next-known-version",
    "shown-superseded",
    "open",
)
"""What an end rests on; of two on one day, the firmer is named."""


@dataclass(frozen=True)
class Period:
    """When a version is taken to be in force; `start` is None where no date is known."""

    version: str
    policy: str
    start: date | None
    start_basis: str
    published: date | None = None
    before: date = OPEN
    end_basis: str = "open"
    last_sign: date | None = None
    gap: date | None = None
    """First day on which a version that was not seen may have taken over; None where the end is known."""
    takes_over_from: str | None = None
    """The known version that ends when this one starts."""
    dates: Mapping[str, date] = field(default_factory=dict)
    follows: frozenset[str] = frozenset()

    @property
    def stale(self) -> date | None:
        """The first day on which the last sign is more than twelve months old; None without a sign."""
        return year_after(self.last_sign) if self.last_sign else None


def periods(store: ox.Store) -> dict[str, Period]:
    """Return the period of every policy version that a record speaks of, by IRI."""
    stated = _stated(store)
    never = {row["version"].value: _key(row["basis"]) for row in select(store, "kinds")}
    revisions: dict[str, list[date]] = defaultdict(list)
    for row in select(store, "revisions"):
        if revised := _date(row["revised_on"]):
            revisions[row["policy"].value].append(revised)
    by_policy: dict[str, list[Period]] = defaultdict(list)
    for version in stated.values():
        by_policy[version.policy].append(version)
    found: dict[str, Period] = {}
    for policy, versions in by_policy.items():
        living = [version for version in versions if never.get(version.version, "open") == "open"]
        ended = [_ended(version, living, revisions[policy]) for version in living]
        found |= {version.version: _after(version, ended) for version in ended}
        for version in versions:
            if version.version not in found:
                basis = never[version.version]
                found[version.version] = replace(version, start=None, start_basis=basis)
    return found


def describe(found: Mapping[str, Period]) -> Iterator[ox.Triple]:
    """Yield what the derived graph says of each version."""
    for period in found.values():
        version = ox.NamedNode(period.version)
        yield ox.Triple(version, name("pg:fromBasis"), name(f"scheme:date-basis-{period.start_basis}"))
        if period.start is None:
            continue
        yield ox.Triple(version, name("pg:inForceFrom"), literal(period.start))
        yield ox.Triple(version, name("pg:inForceBefore"), literal(period.before))
        yield ox.Triple(version, name("pg:toBasis"), name(f"scheme:date-basis-{period.end_basis}"))
        if period.stale:
            yield ox.Triple(version, name("pg:staleFrom"), literal(period.stale))
        if period.gap:
            yield ox.Triple(version, name("pg:gapFrom"), literal(period.gap))
        if period.takes_over_from:
            yield ox.Triple(version, name("pg:takesOverFrom"), ox.NamedNode(period.takes_over_from))


def _stated(store: ox.Store) -> dict[str, Period]:
    """The versions with their own dates, before any looks at its neighbours."""
    policies: dict[str, str] = {}
    dates: dict[str, dict[str, tuple[int, date]]] = defaultdict(dict)
    follows: dict[str, set[str]] = defaultdict(set)
    for row in select(store, "versions"):
        version = row["version"].value
        policies[version] = row["policy"].value
        date_name = row["property"].value.removeprefix(ONTOLOGY)
        if date_name == "follows":
            follows[version].add(row["value"].value)
        elif date_name.endswith(("From", "To", "On")) and (value := _date(row["value"])):
            rank = _ORIGINS.index(_key(row["origin"]))
            if date_name not in dates[version] or (rank, value) < dates[version][date_name]:
                dates[version][date_name] = (rank, value)
    return {
        version: _started(version, policy, {k: v for k, (_, v) in dates[version].items()}, frozenset(follows[version]))
        for version, policy in policies.items()
    }


def _started(version: str, policy: str, dates: dict[str, date], follows: frozenset[str]) -> Period:
    basis, start = next(((basis, dates[stated]) for stated, basis in _STARTS if stated in dates), ("undated", None))
    signs = [dates[sign] for sign in _SIGNS if sign in dates]
    return Period(
        version=version,
        policy=policy,
        start=start,
        start_basis=basis,
        published=dates.get("publishedOn"),
        last_sign=max(signs, default=None),
        dates=dates,
        follows=follows,
    )


def _ended(version: Period, living: Sequence[Period], revisions: Iterable[date]) -> Period:
    """Give a version its end, the earliest that anything states or implies, and its gap."""
    if version.start is None:
        return version
    later = sorted(
        ((other.start, other) for other in living if other.start and _replaces(other, version)),
        key=lambda next_version: (next_version[0], next_version[1].version),
    )
    ends = [*_own_ends(version)]
    ends += [(start, "same-start" if start == version.start else "next-version") for start, _ in later]
    if not ends and "shownSupersededOn" in version.dates:
        ends = [(version.dates["shownSupersededOn"], "shown-superseded")]
    before, basis = min(ends, key=lambda end: (end[0], _ENDS.index(end[1])), default=(OPEN, "open"))
    before = max(before, version.start)
    gap = None
    if basis == "next-version" and later and not any(version.version in other.follows for _, other in later):
        gap = _gap(version, later[0][1], before, revisions)
    return replace(version, before=before, end_basis="next-known-version" if gap else basis, gap=gap)


def _after(version: Period, siblings: Iterable[Period]) -> Period:
    """Name the version that a version takes over from: of those that end on its first day, the last to start."""
    before = [
        (other.start, other.version)
        for other in siblings
        if other.start and other.before == version.start != other.start
    ]
    return replace(version, takes_over_from=max(before)[1]) if before else version


def _own_ends(version: Period) -> Iterator[tuple[date, str]]:
    if last := version.dates.get("effectiveTo"):
        yield day_after(last), "stated-end"
    if last := version.dates.get("retiredOn"):
        yield day_after(last), "retirement"
    if start := version.dates.get("nextVersionKnownFrom"):
        yield start, "next-version"


def _replaces(other: Period, version: Period) -> bool:
    """Whether the other version comes later; of two with one start, the later published wins."""
    if other.start is None or version.start is None or other.version == version.version:
        return False
    if other.start == version.start:
        return (other.published or other.start, other.version) > (version.published or version.start, version.version)
    return other.start > version.start


def _gap(version: Period, later: Period, before: date, revisions: Iterable[date]) -> date | None:
    """When a version that was not seen may first have taken over; None where nothing hints at one."""
    known = {*version.dates.values(), *later.dates.values()}
    assert version.start is not None  # noqa: S101 - the caller has looked
    hints = [revised for revised in revisions if version.start < revised < before and revised not in known]
    if version.stale:
        hints.append(version.stale)
    first = min(hints, default=before)
    return first if first < before else None


def _date(term: object) -> date | None:
    try:
        return day(term)
    except ValueError:  # validation names it; a malformed date counts as none
        return None


def _key(term: object) -> str:
    """The last part of a scheme concept's name: `own-document` of `scheme/origin-own-document`."""
    assert isinstance(term, ox.NamedNode)  # noqa: S101 - the queries bind concepts only
    concept = term.value.removeprefix(_SCHEME)
    return concept.removeprefix("origin-").removeprefix("date-basis-")
