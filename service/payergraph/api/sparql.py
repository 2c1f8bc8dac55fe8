"""`/sparql`: the SPARQL 1.1 Protocol for queries in, streamed results out.

In:  GET with `query`, POST with a form, or POST of the query itself; `default-graph-uri` and `named-graph-uri`.
Out: results in the format that the client accepts; without a query the service description, or the query page.

Rules: https://www.w3.org/TR/sparql11-protocol/. Several default graphs are merged first, so that a triple that two
of them state counts once, as in the default graph of the store.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import parse_qsl

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pyoxigraph import NamedNode
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from payergraph.api.answers import etag_of
from payergraph.api.bodies import content_type, read_body
from payergraph.api.negotiation import GRAPH_FORMATS, RESULT_FORMATS, Format, engine_type, is_browser, negotiate
from payergraph.api.pages import query_page
from payergraph.api.service import Service, service_of
from payergraph.api.service_description import describe_service
from payergraph.api.streaming import StreamedAnswer
from payergraph.errors import ParameterError, QueryRefusedError, UnsupportedMediaTypeError
from payergraph.sparql import Outline, examine
from payergraph.store import Snapshot
from payergraph.workers import Answer

__all__ = ["router"]


class _DirectRoute(APIRoute):
    """A route whose function reads the request itself: FastAPI documents it and otherwise stands aside."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[object, object, Response]]:
        """Return the function as it is."""
        return cast("Callable[[Request], Coroutine[object, object, Response]]", self.endpoint)


router = APIRouter(tags=["SPARQL"], route_class=_DirectRoute)

FORM_TYPE: Final = "application/x-www-form-urlencoded"
QUERY_TYPE: Final = "application/sparql-query"
UPDATE_TYPE: Final = "application/sparql-update"
_PARAMETERS: Final = ("query", "default-graph-uri", "named-graph-uri")
_UPDATE_PARAMETERS: Final = frozenset({"update", "using-graph-uri", "using-named-graph-uri"})
_PASSED_OVER: Final = frozenset({"format", "output", "results"})
"""What SPARQLWrapper and others send beside an Accept header that says the same."""
_LONG_QUERY: Final = 50_000
"""Characters from which the guard's milliseconds would hold up other requests."""
_PATIENCE: Final = 0.2
"""Seconds until the server looks whether a client that waits for its answer is still there."""
_MOST_PARAMETERS: Final = 1_000
_METHODS: Final = "GET, HEAD, POST, OPTIONS"
_HEADERS: Final = {"Vary": "Accept", "Cache-Control": "no-cache"}
"""Every answer depends on Accept; caches must ask again, and the ETag makes that cheap."""


@dataclass(frozen=True)
class Operation:
    """A query operation of the protocol."""

    query: str | None
    default_graphs: tuple[str, ...]
    named_graphs: tuple[str, ...]


@router.get(
    "/sparql",
    summary="Ask a SPARQL query",
    openapi_extra={
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}, "description": description}
            for name, description in (
                ("query", "SPARQL 1.1 query; without it the service description as RDF, or a page to a browser"),
                ("default-graph-uri", "IRI of a graph; repeatable. Without: the merge of all graphs"),
                ("named-graph-uri", "IRI of a graph that GRAPH sees; repeatable. Without: all graphs"),
            )
        ]
    },
)
async def get_sparql(request: Request) -> Response:
    """Answer a query in the URL.

    Results come as JSON, XML, CSV or TSV; graphs as Turtle, N-Triples, RDF/XML, JSON-LD, TriG or N-Quads. A query
    that runs too long is ended (503); updates and SERVICE are refused (403).
    """
    operation = _operation(_pairs(request.scope["query_string"].decode("latin-1")))
    if operation.query is None and request.scope["query_string"]:
        raise ParameterError("query", "is missing", allowed=_PARAMETERS)
    if operation.query is None:
        return _front(request, service_of(request))
    return await _answer(request, service_of(request), operation)


@router.head("/sparql", include_in_schema=False)
async def head_sparql(request: Request) -> Response:
    """Answer as GET does, without the body."""
    return await get_sparql(request)


@router.post(
    "/sparql",
    summary="Ask a SPARQL query in a body",
    openapi_extra={
        "requestBody": {
            "content": {
                QUERY_TYPE: {"schema": {"type": "string"}},
                FORM_TYPE: {
                    "schema": {
                        "type": "object",
                        "required": ["query"],
                        "properties": {name: {"type": "string"} for name in _PARAMETERS},
                    }
                },
            }
        }
    },
)
async def post_sparql(request: Request) -> Response:
    """Answer a query in the body: as it is (`application/sparql-query`), or as a form."""
    media_type, charset = content_type(request)
    pairs = _pairs(request.scope["query_string"].decode("latin-1"))
    if media_type == UPDATE_TYPE:
        raise QueryRefusedError(_NO_UPDATE)
    if media_type not in (QUERY_TYPE, FORM_TYPE) or charset not in ("utf-8", "us-ascii"):
        raise UnsupportedMediaTypeError(request.headers.get("content-type", ""), [QUERY_TYPE, FORM_TYPE])
    body = await read_body(request, service_of(request).settings.body_bytes)
    pairs += _pairs(_text(body)) if media_type == FORM_TYPE else [("query", _text(body))]
    operation = _operation(pairs)
    if operation.query is None:
        raise ParameterError("query", "is missing", allowed=_PARAMETERS)
    return await _answer(request, service_of(request), operation)


@router.options("/sparql", include_in_schema=False)
async def options_sparql(_: Request) -> Response:
    """Say what may be done here."""
    return Response(status_code=204, headers={"Allow": _METHODS, "Accept-Post": f"{QUERY_TYPE}, {FORM_TYPE}"})


@router.api_route("/sparql", methods=["DELETE", "PATCH", "PUT"], include_in_schema=False)
async def refuse_sparql(_: Request) -> Response:
    """Say what may be done here to a client that would do something else."""
    raise HTTPException(405, headers={"Allow": _METHODS})


_NO_UPDATE: Final = "This service only reads. Change the data files and run `payergraph build`."


def _text(body: bytes) -> str:
    """Decode a body, which the protocol says is UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ParameterError("query", f"is not UTF-8 (byte {error.start} of the body)") from error


def _pairs(encoded: str) -> list[tuple[str, str]]:
    """Return the parameters of a URL or a form, in their order."""
    try:
        return parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except UnicodeDecodeError as error:
        raise ParameterError("query", "is not UTF-8, percent-encoded") from error
    except ValueError as error:
        raise ParameterError("query", f"comes with more than {_MOST_PARAMETERS} others") from error


def _operation(pairs: Sequence[tuple[str, str]]) -> Operation:
    """Return the operation that parameters describe."""
    for name, _ in pairs:
        if name in _UPDATE_PARAMETERS:
            raise QueryRefusedError(_NO_UPDATE)
        if name not in _PARAMETERS and name not in _PASSED_OVER:
            raise ParameterError(name, "is not known here", allowed=_PARAMETERS)
    queries = [value for name, value in pairs if name == "query"]
    if len(queries) > 1:
        raise ParameterError("query", f"is given {len(queries)} times; send one query at a time")
    return Operation(
        queries[0] if queries else None, _graphs(pairs, "default-graph-uri"), _graphs(pairs, "named-graph-uri")
    )


def _graphs(pairs: Sequence[tuple[str, str]], parameter: str) -> tuple[str, ...]:
    """Return the IRIs that a parameter names."""
    iris = tuple(value for name, value in pairs if name == parameter)
    for iri in iris:
        try:
            NamedNode(iri)
        except ValueError as error:
            raise ParameterError(parameter, f"{iri!r} is no absolute IRI") from error
    return iris


def _front(request: Request, service: Service) -> Response:
    """Answer a request without a query: the query page to a browser, else the service description."""
    if is_browser(request.headers):
        page = query_page(request)
        page.headers.setdefault("Vary", "Accept")
        return page
    chosen = negotiate(request.headers.get("accept"), GRAPH_FORMATS)
    endpoint = str(request.url.replace(query="", fragment=""))
    content = describe_service(endpoint, service, engine_type(chosen, GRAPH_FORMATS))
    return Response(content, headers=_HEADERS | {"Content-Type": chosen.content_type})


async def _answer(request: Request, service: Service, operation: Operation) -> Response:
    """Answer a query."""
    query = operation.query or ""
    outline = examine(query) if len(query) < _LONG_QUERY else await asyncio.to_thread(examine, query)
    graph = outline.form is not None and outline.form.gives_graph
    offered = GRAPH_FORMATS if graph else RESULT_FORMATS
    chosen = negotiate(request.headers.get("accept"), offered)
    headers = _HEADERS | {"Content-Type": chosen.content_type}
    if outline.repeatable and request.method != "POST":
        headers["ETag"] = _etag(service.snapshot, operation, chosen)
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=_HEADERS | {"ETag": headers["ETag"]})
    answer = await _ask(request, service, query, engine_type(chosen, offered), *_dataset(operation, outline))
    if "ETag" in headers:
        headers["ETag"] = _etag(answer.snapshot, operation, chosen)
    if request.method == "HEAD":
        answer.close()
        return Response(headers=headers)
    return Response(answer.first, headers=headers) if answer.complete else StreamedAnswer(answer, headers)


def _dataset(operation: Operation, outline: Outline) -> tuple[Sequence[str] | None, Sequence[str] | None]:
    """Return the default and the named graphs: the protocol's, else several of FROM; None leaves FROM to the engine."""
    if operation.default_graphs or operation.named_graphs:
        return operation.default_graphs, operation.named_graphs
    if len(outline.default_graphs) > 1:
        return outline.default_graphs, outline.named_graphs
    return None, None


async def _ask(
    request: Request,
    service: Service,
    query: str,
    media_type: str,
    default_graphs: Sequence[str] | None,
    named_graphs: Sequence[str] | None,
) -> Answer:
    """Run a query, and end it if the client goes away while it waits."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    watchers: list[asyncio.Task[None]] = []

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(_PATIENCE)
        if task is not None:
            task.cancel()

    timer = loop.call_later(_PATIENCE, lambda: watchers.append(loop.create_task(watch())))
    try:
        return await service.workers.run(query, media_type, default_graphs, named_graphs)
    except asyncio.CancelledError:
        if task is not None and watchers and watchers[0].done():
            task.uncancel()
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        for watcher in watchers:
            watcher.cancel()


def _etag(snapshot: Snapshot, operation: Operation, chosen: Format) -> str:
    """Name an answer: equal data, question and format give the equal bytes."""
    graphs = (*operation.default_graphs, "", *operation.named_graphs, "")
    return etag_of(snapshot, chosen.media_type, *graphs, operation.query or "")
