"""`/queries`: the named queries with their documentation, and the rows or triples of one.

In:  a name, parameters as the header of the query file declares them, and the format, by suffix or by `Accept`.
Out: results; or, as `application/sparql-query`, the text that would be run, to take elsewhere.

A caller chooses the values and so how much work a query is: it runs in a worker, whose time and memory are limited.
"""

from typing import Any, Final

import orjson
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from payergraph.api.answers import JSON, etag_of, kept, unless_known
from payergraph.api.negotiation import GRAPH_FORMATS, RESULT_FORMATS, Format, engine_type, negotiate
from payergraph.api.service import Service, ServiceDependency
from payergraph.api.streaming import StreamedAnswer
from payergraph.queries import NamedQuery, find, shipped_queries

__all__ = ["QueryDocument", "QueryList", "QueryParameter", "router"]

router = APIRouter(tags=["queries"])

TEXT: Final = Format("application/sparql-query", "rq")
"""The query itself, with the values of the parameters in it."""
_GRAPH_FORMS: Final = ("CONSTRUCT", "DESCRIBE")
_DOCUMENTATION: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "parameters",
            "in": "query",
            "description": "Those that the query documents at /queries, each by its own name and repeatable.",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        }
    ],
    "responses": {
        "200": {"content": {offer.media_type: {} for offer in (*RESULT_FORMATS, *GRAPH_FORMATS, TEXT)}},
    },
}
_HEADERS: Final = {"Vary": "Accept", "Cache-Control": "no-cache"}


class QueryParameter(BaseModel):
    """What a query may be asked with; every parameter may be repeated, which means any of its values."""

    name: str
    type: str
    description: str
    required: bool
    default: str | None


class QueryDocument(BaseModel):
    """A named query and where its answers are, by format."""

    name: str
    summary: str
    description: str
    tags: list[str]
    form: str
    parameters: list[QueryParameter]
    links: dict[str, str]


class QueryList(BaseModel):
    """All named queries."""

    queries: list[QueryDocument]
    snapshot: str


@router.head("/queries", include_in_schema=False)
@router.get("/queries", summary="The named queries", response_model=QueryList)
async def queries(request: Request, service: ServiceDependency) -> Response:
    """List the questions that the graph is often asked, with their parameters and where their answers are."""
    negotiate(request.headers.get("accept"), JSON)
    snapshot = service.snapshot
    body = {"queries": [_describe(query) for query in shipped_queries().values()], "snapshot": snapshot.id}
    headers = _HEADERS | {"Content-Type": JSON[0].content_type, "ETag": etag_of(snapshot, request.url.path)}
    return unless_known(request, Response(orjson.dumps(body), headers=headers))


@router.head("/queries/{name}", include_in_schema=False)
@router.get("/queries/{name}", summary="Ask a named query", openapi_extra=_DOCUMENTATION)
async def query(name: str, request: Request, service: ServiceDependency) -> Response:
    """Answer a named query.

    Rows come as JSON, XML, CSV or TSV; graphs as Turtle, N-Triples, RDF/XML, JSON-LD, TriG or N-Quads; the text of the
    query as `application/sparql-query`. A suffix (`.csv`) beats `Accept`.
    """
    asked, suffix = _named(name)
    offered = offered_formats(asked)
    chosen = negotiate(request.headers.get("accept"), offered, suffix=suffix)
    values = _values(request)
    text = asked.text if chosen == TEXT and not values else asked.bind(values)
    headers = _HEADERS | {"Content-Type": chosen.content_type, "Link": _alternates(request, asked)}
    if chosen == TEXT:
        headers["ETag"] = etag_of(service.snapshot, chosen.media_type, text)
        return unless_known(request, Response(text, headers=headers))
    return unless_known(request, await _run(service, text, chosen, engine_type(chosen, offered), headers))


def offered_formats(asked: NamedQuery) -> tuple[Format, ...]:
    """The formats of a query's answer, and the text of the query."""
    return (*(GRAPH_FORMATS if asked.form in _GRAPH_FORMS else RESULT_FORMATS), TEXT)


async def _run(service: Service, text: str, chosen: Format, engine_type: str, headers: dict[str, str]) -> Response:
    """Run a query in a worker; an answer that came in one piece is kept."""
    key = ("query", service.snapshot.id, chosen.media_type, text, headers["Link"])
    if (found := kept.get(key)) is not None:
        return found
    answer = await service.workers.run(text, engine_type, None, None)
    headers["ETag"] = etag_of(answer.snapshot, chosen.media_type, text)
    if not answer.complete:
        return StreamedAnswer(answer, headers)
    made = Response(answer.first, headers=headers)
    if answer.snapshot.id == service.snapshot.id:
        kept.put(key, made)
    return made


def _named(name: str) -> tuple[NamedQuery, str | None]:
    """Return the query of a path and its suffix; names have no dots."""
    stem, _, suffix = name.partition(".")
    return find(shipped_queries(), stem), suffix or None


def _values(request: Request) -> dict[str, list[str]]:
    """The parameters of the address; one without a value says nothing, as in a form that was not filled in."""
    values: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if value:
            values.setdefault(name, []).append(value)
    return values


def _alternates(request: Request, asked: NamedQuery) -> str:
    """The same answer in every format (RFC 8288)."""
    query = f"?{request.url.query}" if request.url.query else ""
    formats = {offer.suffix: offer.media_type for offer in reversed(offered_formats(asked))}
    return ", ".join(
        f'</queries/{asked.name}.{suffix}{query}>; rel="alternate"; type="{media_type}"'
        for suffix, media_type in reversed(formats.items())
    )


def _describe(asked: NamedQuery) -> dict[str, Any]:
    suffixes = dict.fromkeys(offer.suffix for offer in offered_formats(asked))
    return {
        "name": asked.name,
        "summary": asked.summary,
        "description": asked.description,
        "tags": list(asked.tags),
        "form": asked.form,
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.kind,
                "description": parameter.description,
                "required": parameter.required,
                "default": parameter.default,
            }
            for parameter in asked.parameters
        ],
        "links": {"self": f"/queries/{asked.name}"}
        | {suffix: f"/queries/{asked.name}.{suffix}" for suffix in suffixes},
    }
