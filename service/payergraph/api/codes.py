"""`/codes`: a search or a code in, what is known of it out."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from payergraph import lookups
from payergraph.api.answers import LARGEST_PAGE, USUAL_PAGE, KeptRoute, answer
from payergraph.api.service import ServiceDependency
from payergraph.lookups.code_records import CodeFacts, CodeSummary
from payergraph.lookups.records import Page

__all__ = ["CodeAnswer", "CodePage", "router"]

router = APIRouter(tags=["look-ups"], route_class=KeptRoute)


@dataclass(frozen=True)
class CodePage(Page[CodeSummary]):
    """A page of codes."""

    links: dict[str, str]
    snapshot: str


@dataclass(frozen=True, kw_only=True)
class CodeAnswer(CodeFacts):
    """All that is known of one code, each fact with its citation."""

    links: dict[str, str]
    snapshot: str


@router.head("/codes", include_in_schema=False)
@router.get("/codes", summary="Find codes", response_model=CodePage)
async def codes(
    request: Request,
    service: ServiceDependency,
    q: Annotated[str, Query(max_length=200, description="A notation or its beginning, or words of the label.")] = "",
    system: Annotated[
        str | None, Query(description="Only this system: the first part of the ids of its codes.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = USUAL_PAGE,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """List codes: the notation itself first, then notations that start with the text, then labels with all words."""
    make = partial(lookups.search_codes, q=q, system=system, limit=limit, offset=offset)
    return await answer(request, service, make)


@router.head("/codes/{system}/{code}", include_in_schema=False)
@router.get("/codes/{system}/{code}", summary="All that is known of one code", response_model=CodeAnswer)
async def code(system: str, code: str, request: Request, service: ServiceDependency) -> Response:
    """Tell what sources say of a code, each fact with its source; sources may disagree.

    Coding edits, payments and policies are counted here and listed behind `links`.
    """
    links = {
        "resource": f"/code/{system}/{code}",
        "policies": f"/policies?code={system}:{code}",
        "edits": f"/queries/not-reported-together?code={system}:{code}",
        "payments": f"/queries/payment-by-year-and-site?code={system}:{code}",
    }
    return await answer(request, service, partial(lookups.code, system=system, notation=code), links)
