"""`/dataset`: the whole dataset, in the syntax that the client accepts or that the suffix names.

In:  GET or HEAD.  Out: a stream. N-Quads are the file that the build wrote; the other syntaxes are written while
     they are sent, in a thread of their own.
"""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from payergraph.api.negotiation import Format, negotiate
from payergraph.api.service import ServiceDependency
from payergraph.exports import export
from payergraph.store import Snapshot

__all__ = ["FORMATS", "router"]

router = APIRouter(tags=["dataset"])

FORMATS: Final = {
    Format("application/n-quads", "nq"): "nquads",
    Format("application/trig", "trig"): "trig",
    Format("text/turtle", "ttl"): "turtle",
    Format("application/n-triples", "nt"): "ntriples",
    Format("application/ld+json", "jsonld"): "jsonld",
    Format("application/rdf+xml", "rdf"): "rdfxml",
}
"""What is offered, best first, and the name of each in `exports`: N-Quads lose nothing and cost nothing."""
_PIECE: Final = 65_536


@router.get("/dataset", summary="The whole dataset, by Accept")
async def dataset(request: Request, service: ServiceDependency) -> Response:
    """Send every fact with its graph (N-Quads, TriG, JSON-LD), or the merge of all graphs (the other syntaxes)."""
    return _send(request, service.snapshot, negotiate(request.headers.get("accept"), tuple(FORMATS)))


@router.get("/dataset.{suffix}", summary="The whole dataset, by suffix")
async def dataset_file(suffix: str, request: Request, service: ServiceDependency) -> Response:
    """Send the dataset as a file of that name."""
    return _send(request, service.snapshot, negotiate(None, tuple(FORMATS), suffix=suffix))


@router.head("/dataset", include_in_schema=False)
async def head_dataset(request: Request, service: ServiceDependency) -> Response:
    """Answer as GET does, without the body."""
    return await dataset(request, service)


@router.head("/dataset.{suffix}", include_in_schema=False)
async def head_dataset_file(suffix: str, request: Request, service: ServiceDependency) -> Response:
    """Answer as GET does, without the body."""
    return await dataset_file(suffix, request, service)


def _send(request: Request, snapshot: Snapshot, chosen: Format) -> Response:
    """Return the response: nothing for a client that has it, the file where there is one, else a stream."""
    as_file = chosen.suffix == "nq" and "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "ETag": f'"{snapshot.id}-{chosen.suffix}{".gz" if as_file else ""}"',
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "no-cache",
        "Content-Disposition": f'inline; filename="payergraph-{snapshot.id}.{chosen.suffix}"',
        "Link": ", ".join(
            f'<{request.base_url}dataset.{offer.suffix}>; rel="alternate"; type="{offer.media_type}"'
            for offer in FORMATS
        ),
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = chosen.content_type
    if request.method == "HEAD":
        return Response(headers=headers)
    if as_file:
        return FileResponse(snapshot.dataset, headers=headers | {"Content-Encoding": "gzip"})
    return StreamingResponse(_pieces(snapshot, FORMATS[chosen]), headers=headers)


async def _pieces(snapshot: Snapshot, format_name: str) -> AsyncIterator[bytes]:
    """Give the dataset piece by piece; a client that reads slowly makes the writer wait, one that leaves ends it."""
    reading, writing = os.pipe()
    writer = asyncio.get_running_loop().run_in_executor(None, _write, snapshot, format_name, writing)
    with os.fdopen(reading, "rb", buffering=0) as source:
        while piece := await asyncio.to_thread(source.read, _PIECE):
            yield piece
    await writer


def _write(snapshot: Snapshot, format_name: str, descriptor: int) -> None:
    """Write the dataset into a pipe, until it is whole or nobody reads any more."""
    try:
        with os.fdopen(descriptor, "wb", buffering=_PIECE) as output:
            if format_name == "nquads":
                with gzip.open(snapshot.dataset) as lines:
                    while piece := lines.read(_PIECE):
                        output.write(piece)
            else:
                export(snapshot, output, format_name)
    except BrokenPipeError:
        pass
