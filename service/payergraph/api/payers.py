"""`/payers`: an id in, who that is and which policies apply to it out."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from payergraph import lookups
from payergraph.api.answers import LARGEST_PAGE, USUAL_PAGE, KeptRoute, answer
from payergraph.api.service import ServiceDependency
from payergraph.lookups.payers import PayerFacts, PayerSummary
from payergraph.lookups.records import Page

__all__ = ["PayerAnswer", "PayerPage", "router"]

router = APIRouter(tags=["look-ups"], route_class=KeptRoute)


@dataclass(frozen=True)
class PayerPage(Page[PayerSummary]):
    """A page of payers."""

    links: dict[str, str]
    snapshot: str


@dataclass(frozen=True, kw_only=True)
class PayerAnswer(PayerFacts):
    """All that is known of one payer, each fact with its citation."""

    links: dict[str, str]
    snapshot: str


@router.head("/payers", include_in_schema=False)
@router.get("/payers", summary="Find payers", response_model=PayerPage)
async def payers(
    request: Request,
    service: ServiceDependency,
    q: Annotated[str, Query(max_length=200, description="Part of an id or of a label.")] = "",
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = USUAL_PAGE,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """List payers, brands, contractors, programs and managers, by id."""
    return await answer(request, service, partial(lookups.search_payers, q=q, limit=limit, offset=offset))


@router.head("/payers/{payer}", include_in_schema=False)
@router.get("/payers/{payer}", summary="All that is known of one payer", response_model=PayerAnswer)
async def payer(payer: str, request: Request, service: ServiceDependency) -> Response:
    """Tell to whom a payer belongs, its family (which binds nobody), and which policies apply to it and how."""
    links = {"resource": f"/payer/{payer}", "policies": f"/policies?payer={payer}"}
    return await answer(request, service, partial(lookups.payer, identifier=payer), links)
