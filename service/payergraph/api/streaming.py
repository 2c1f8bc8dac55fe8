"""Streaming: an answer of a worker in, a chunked response out that either is whole or visibly is not.

In:  an `Answer` that has more than one piece.  Out: a response; where the query is ended in the middle, the connection
     is cut without the closing chunk, so that no client takes a part for the whole.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from payergraph.workers import Answer, StreamCutError

__all__ = ["StreamedAnswer"]

_log: Final = logging.getLogger(__name__)


class StreamedAnswer(Response):
    """The response for an answer that comes in pieces."""

    def __init__(self, answer: Answer, headers: Mapping[str, str]) -> None:
        self.answer = answer
        self.status_code = 200
        self.background = None
        self.raw_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send the pieces as they come; end the query when the client goes away."""
        gone = asyncio.ensure_future(_disconnected(receive))
        sending = asyncio.ensure_future(self._send(send))
        async with self.answer:
            try:
                await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
                if not sending.done():
                    sending.cancel()
        if sending.done() and not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.answer:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except StreamCutError as error:
            _log.warning("An answer was cut: %s", error)
            return  # the server sees an unfinished response and cuts the connection
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
