"""Request bodies: a request in, its bytes out, never more of them than the settings allow."""

from email.message import Message

from starlette.requests import Request

from payergraph.errors import BodyTooLargeError

__all__ = ["content_type", "read_body"]


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a request.

    :raises BodyTooLargeError: as soon as more than `limit` bytes are announced or have come
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLargeError(limit)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise BodyTooLargeError(limit)
    return bytes(body)


def content_type(request: Request) -> tuple[str, str]:
    """Return the media type of a body, in lower case, and its charset; empty and `utf-8` where not stated.

    >>> request = Request({"type": "http", "headers": [(b"content-type", b"Text/Turtle; charset=UTF-8")]})
    >>> content_type(request)
    ('text/turtle', 'utf-8')
    """
    stated = request.headers.get("content-type", "")
    if not stated:
        return "", "utf-8"
    message = Message()
    message["content-type"] = stated
    return message.get_content_type(), str(message.get_param("charset", "utf-8")).lower()
