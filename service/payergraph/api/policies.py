"""`/policies`: filters or a path in, policies and their versions out, with all that sources say of them."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from payergraph import lookups
from payergraph.api.answers import LARGEST_PAGE, USUAL_PAGE, KeptRoute, answer
from payergraph.api.service import ServiceDependency
from payergraph.lookups.policies import PolicyFacts, PolicySummary, VersionFacts
from payergraph.lookups.records import Page

__all__ = ["PolicyAnswer", "PolicyPage", "VersionAnswer", "router"]

router = APIRouter(tags=["look-ups"], route_class=KeptRoute)


@dataclass(frozen=True)
class PolicyPage(Page[PolicySummary]):
    """A page of policies."""

    links: dict[str, str]
    snapshot: str


@dataclass(frozen=True, kw_only=True)
class PolicyAnswer(PolicyFacts):
    """A policy with its versions."""

    links: dict[str, str]
    snapshot: str


@dataclass(frozen=True, kw_only=True)
class VersionAnswer(VersionFacts):
    """All that sources say of one version."""

    links: dict[str, str]
    snapshot: str


@router.head("/policies", include_in_schema=False)
@router.get("/policies", summary="Find policies", response_model=PolicyPage)
async def policies(
    request: Request,
    service: ServiceDependency,
    payer: Annotated[str | None, Query(description="To whom it applies: id or label of a payer or family.")] = None,
    issuer: Annotated[str | None, Query(description="Who writes it: id of an organization.")] = None,
    code: Annotated[str | None, Query(description="A code that a statement reaches, as system:notation.")] = None,
    in_force_on: Annotated[date | None, Query(description="A day on which the version is in force.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = USUAL_PAGE,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """List policies with a version that fits every filter; each shows the versions that fit.

    An empty list means that nothing is known, never that nothing is covered.
    """
    make = partial(
        lookups.search_policies,
        payer=payer,
        issuer=issuer,
        code=code,
        in_force_on=in_force_on,
        limit=limit,
        offset=offset,
    )
    return await answer(request, service, make)


@router.head("/policies/{issuer}/{number}", include_in_schema=False)
@router.get("/policies/{issuer}/{number}", summary="One policy with its versions", response_model=PolicyAnswer)
async def policy(issuer: str, number: str, request: Request, service: ServiceDependency) -> Response:
    """Tell who writes a policy, when each version is in force and on what basis, and to whom it applies."""
    links = {"resource": f"/policy/{issuer}/{number}"}
    return await answer(request, service, partial(lookups.policy, issuer=issuer, number=number), links)


@router.head("/policies/{issuer}/{number}/{version}", include_in_schema=False)
@router.get("/policies/{issuer}/{number}/{version}", summary="All that one version says", response_model=VersionAnswer)
async def version(issuer: str, number: str, version: str, request: Request, service: ServiceDependency) -> Response:
    """Tell the dates, positions, criteria, limits, requirements, rules and silences of one version, with sources."""
    links = {"resource": f"/policy/{issuer}/{number}/{version}", "policy": f"/policies/{issuer}/{number}"}
    make = partial(lookups.version, issuer=issuer, number=number, key=version)
    return await answer(request, service, make, links)
