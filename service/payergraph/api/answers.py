"""Answers of look-ups: a request and a function over the store in, JSON out, made once per snapshot and address.

In:  the request, and what makes the answer.  Out: a response with ETag, `Vary` and, for a page of a list, links to
     the next and the previous page; 304 where the client has it already.

An answer depends on nothing but the snapshot and the address, so it is kept, ready to be sent, up to a bound: the
least recently used go first. `KeptRoute` looks there before FastAPI takes the request apart, which costs more than
everything else. What has to be made is made in a thread.
"""

import asyncio
import gzip
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi.routing import APIRoute
from pyoxigraph import Store
from starlette.requests import Request
from starlette.responses import Response

from payergraph.api.negotiation import Format, negotiate
from payergraph.api.service import Service, service_of
from payergraph.errors import ParameterError
from payergraph.lookups.records import Page
from payergraph.store import Snapshot

__all__ = [
    "JSON",
    "LARGEST_PAGE",
    "USUAL_PAGE",
    "KeptAnswers",
    "KeptRoute",
    "answer",
    "etag_of",
    "kept",
    "unless_known",
]

Key = tuple[object, ...]

JSON: Final = (Format("application/json", "json"),)
USUAL_PAGE: Final = 50
LARGEST_PAGE: Final = 500
_KEPT_BYTES: Final = 64 * 2**20
_ENTRY_BYTES: Final = 2048
"""What an entry takes beside its body and its key, about: many small answers must not add up unseen."""
_ZIPPED: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s|,|$))")
"""An `Accept-Encoding` that takes gzip: one code's answer shrinks to a twelfth, and is packed but once."""
_HEADERS: Final = {"Vary": "Accept, Accept-Encoding", "Cache-Control": "no-cache"}
"""Caches must ask again; the ETag makes that cheap."""


class KeptAnswers:
    """Answers by key, up to a number of bytes; the least recently used go first."""

    def __init__(self, most_bytes: int, entry_bytes: int = _ENTRY_BYTES) -> None:
        self._most_bytes = most_bytes
        self._entry_bytes = entry_bytes
        self._bytes = 0
        self._answers: OrderedDict[Key, Response] = OrderedDict()

    def get(self, key: Key) -> Response | None:
        """The answer that is kept under a key, or None."""
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def put(self, key: Key, answer: Response) -> None:
        """Keep an answer, unless it is larger than all that may be kept."""
        if self._size(key, answer) > self._most_bytes:
            return
        if (before := self._answers.pop(key, None)) is not None:
            self._bytes -= self._size(key, before)
        self._answers[key] = answer
        self._bytes += self._size(key, answer)
        while self._bytes > self._most_bytes:
            oldest = self._answers.popitem(last=False)
            self._bytes -= self._size(*oldest)

    def _size(self, key: Key, answer: Response) -> int:
        return len(answer.body) + sum(len(part) for part in key if isinstance(part, str | bytes)) + self._entry_bytes


kept: Final = KeptAnswers(_KEPT_BYTES)
"""The answers of this process. A snapshot is named by its content, so servers of one process may share them."""


class KeptRoute(APIRoute):
    """A route whose answers are kept: one that is there is sent at once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Look among the kept answers first."""
        make = super().get_route_handler()

        async def handle(request: Request) -> Response:
            negotiate(request.headers.get("accept"), JSON)
            found = kept.get(_key(request, service_of(request).snapshot))
            return await make(request) if found is None else unless_known(request, found)

        return handle


async def answer(
    request: Request,
    service: Service,
    make: Callable[[Store], object],
    links: Mapping[str, str] | None = None,
) -> Response:
    """Answer with what a look-up finds, and keep it.

    :param make: a function of the store that returns a dataclass; a `Page` gets links to its neighbours
    :param links: where to go from here, by what is there
    :raises ParameterError: if the address has a parameter that the route does not know
    """
    _refuse_unknown_parameters(request)
    snapshot = service.snapshot
    made = await asyncio.to_thread(_make, request, snapshot, make, links or {})
    kept.put(_key(request, snapshot), made)
    return unless_known(request, made)


def unless_known(request: Request, made: Response) -> Response:
    """The answer, or 304 where the client has it already."""
    stated = request.headers.get("if-none-match")
    if stated is None or not (stated.strip() == "*" or made.headers["etag"] in stated):
        return made
    headers = {key: value for key, value in made.headers.items() if not key.startswith("content-")}
    return Response(status_code=304, headers=headers)


def etag_of(snapshot: Snapshot, *parts: str) -> str:
    """Name an answer: equal data and question give the equal bytes."""
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
    return f'"{snapshot.id}-{digest}"'


def _key(request: Request, snapshot: Snapshot) -> Key:
    return snapshot.id, request.scope["raw_path"], request.scope["query_string"], _zipped(request)


def _zipped(request: Request) -> bool:
    return _ZIPPED.search(request.headers.get("accept-encoding", "")) is not None


def _make(request: Request, snapshot: Snapshot, make: Callable[[Store], object], links: Mapping[str, str]) -> Response:
    result: Any = make(snapshot.store)
    body = orjson.dumps({**vars(result), "links": dict(links), "snapshot": snapshot.id})
    encoding = {"Content-Encoding": "gzip"} if _zipped(request) else {}
    etag = etag_of(snapshot, request.url.path, request.url.query, *encoding)
    headers = _HEADERS | encoding | {"Content-Type": JSON[0].content_type, "ETag": etag}
    if isinstance(result, Page) and (neighbours := _neighbours(request, result)):
        headers["Link"] = neighbours
    return Response(gzip.compress(body, mtime=0) if encoding else body, headers=headers)


def _neighbours(request: Request, page: Page[Any]) -> str:
    """The `Link` header of a page (RFC 8288): relative addresses, so that proxies do no harm."""
    offsets = {}
    if page.offset + page.limit < page.total:
        offsets["next"] = page.offset + page.limit
    if page.offset > 0:
        offsets["prev"] = max(0, page.offset - page.limit)
    asked = [pair for pair in parse_qsl(request.url.query) if pair[0] not in ("limit", "offset")]
    return ", ".join(
        f'<{request.url.path}?{urlencode([*asked, ("limit", page.limit), ("offset", offset)])}>; rel="{relation}"'
        for relation, offset in offsets.items()
    )


def _refuse_unknown_parameters(request: Request) -> None:
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for parameter in request.query_params:
        if parameter not in known:
            raise ParameterError(parameter, "is not known here", allowed=known)
