"""Errors: whatever went wrong in, one kind of body out: `application/problem+json` (RFC 9457), a page to a browser.

In:  our own errors, those of FastAPI and Starlette, and faults of the program.  Out: a response whose `detail` says
     what to do, whose `instance` names the request (also in the header `X-Request-Id` and in the log), and whose
     other members are the facts of the error.

Nothing that a user sent is logged, and nothing inside the server is told.
"""

import logging
import re
from collections.abc import Mapping
from secrets import token_hex
from typing import Final, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payergraph.api.negotiation import is_browser
from payergraph.api.pages import problem_page
from payergraph.errors import LimitError, NotFoundError, PayergraphError, StoreError
from payergraph.namespaces import BASE

__all__ = ["MEDIA_TYPE", "RequestIds", "install", "problem"]

MEDIA_TYPE: Final = "application/problem+json"
_HEADER: Final = b"x-request-id"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""A request id that a proxy gave and that is kept; anything else is replaced."""
_TITLES: Final = {404: NotFoundError.title, 405: "Method not allowed", 413: "Body too large"}
_log: Final = logging.getLogger(__name__)


def problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    members: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response for an error: the one place where a problem body is made."""
    kind = re.sub(r"[^a-z]+", "-", title.lower()).strip("-")
    body = {
        "type": f"{BASE}problem/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{request.scope.get('payergraph.request_id', '-')}",
    } | dict(members or {})
    if is_browser(request.headers):
        page = problem_page(request, body)
        page.headers.update(headers or {})
        return page
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let an application answer every error with a problem."""
    app.add_exception_handler(PayergraphError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(RequestIds)


async def _ours(request: Request, error: Exception) -> Response:
    """Answer one of our own errors."""
    error = cast("PayergraphError", error)
    headers = {}
    if isinstance(error, LimitError):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, StoreError):
        headers["Retry-After"] = "10"
    return problem(request, error.status, error.title, error.detail, members=error.members, headers=headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Answer parameters or a body that FastAPI found wrong: all of them at once, without their values."""
    faults = [
        {"parameter": ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]), "problem": fault["msg"]}
        for fault in cast("RequestValidationError", error).errors()
    ]
    detail = "; ".join(f"{fault['parameter']}: {fault['problem']}" for fault in faults)
    return problem(request, 400, "Wrong parameter", f"{detail}. See /docs.", members={"errors": faults})


async def _http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such page, no such method."""
    error = cast("HTTPException", error)
    title, detail = _TITLES.get(error.status_code, "Request refused"), error.detail
    if error.status_code == NotFoundError.status:
        detail = NotFoundError("page", request.url.path).detail + " The routes are listed at /docs."
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"{request.method} is not answered here. Use one of: {allowed}."
    return problem(request, error.status_code, title, detail, headers=error.headers)


class RequestIds:
    """The outermost layer: gives each request an id, and answers faults of the program with a reference to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == _HEADER), b"").decode("latin-1")
        request_id = given if _SAFE_ID.fullmatch(given) else token_hex(16)
        scope["payergraph.request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (_HEADER, request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            # the one broad catch: whatever it is, the log has it and the client a reference to it
            _log.exception("Request %s (%s %s) failed", request_id, scope["method"], scope["path"])
            if started:
                raise  # the server cuts the connection: the client must not take a part for the whole
            detail = f"Something went wrong inside the server. Report it with the reference {request_id}."
            response = problem(Request(scope), 500, PayergraphError.title, detail)
            await response(scope, receive, send_with_id)
