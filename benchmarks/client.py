"""A lean HTTP client: a request in, the seconds to the last byte and the body out.

One connection stays open, and nothing but the socket stands between the clock and the server: a client library's own
half a millisecond would make every server look alike.
"""

import asyncio
import re
import shutil
import socket
import subprocess
import time
from typing import Final, Self
from urllib.parse import urlencode

__all__ = ["JSON", "Client", "load_generator", "request_rate"]

JSON: Final = "application/sparql-results+json"
_END_OF_HEAD: Final = b"\r\n\r\n"
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_PIECE: Final = 1 << 20
_CONNECTIONS: Final = 16
_IDLE_SECONDS: Final = 2.0
"""How long a connection may rest: servers close it after five seconds."""


class Client:
    """A connection to a server of this machine."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._connect()

    def _connect(self) -> None:
        self._connection = socket.create_connection(("127.0.0.1", self._port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._used = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, query: str, accept: str = JSON) -> tuple[float, bytes]:
        """Send a SPARQL query; return the seconds to the last byte, and the body.

        :raises SystemExit: if the status is not 200
        """
        if time.monotonic() - self._used > _IDLE_SECONDS:
            self._connection.close()
            self._connect()
        target = f"{self._path}?{urlencode({'query': query})}"
        answer = self._exchange(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode())
        self._used = time.monotonic()
        return answer

    def _exchange(self, request: bytes) -> tuple[float, bytes]:
        started = time.perf_counter()
        self._connection.sendall(request)
        received = bytearray(self._connection.recv(_PIECE))
        while (end := received.find(_END_OF_HEAD)) < 0:
            received += self._receive()
        head, start = bytes(received[:end]).lower(), end + len(_END_OF_HEAD)
        length = re.search(rb"\r\ncontent-length: *(\d+)", head)
        if length is not None:
            while len(received) < start + int(length[1]):
                received += self._receive()
            seconds, body = time.perf_counter() - started, bytes(received[start:])
        else:
            while not received.endswith(_LAST_CHUNK):
                received += self._receive()
            seconds = time.perf_counter() - started
            body = _without_chunks(bytes(received[start:]))
        if b" 200 " not in head[:16]:
            raise SystemExit(f"The server answered {head[:40]!r}: {body[:500]!r}")
        return seconds, body

    def _receive(self) -> bytes:
        piece = self._connection.recv(_PIECE)
        if not piece:
            raise SystemExit("The server cut the connection in the middle of an answer.")
        return piece


def _without_chunks(body: bytes) -> bytes:
    pieces: list[bytes] = []
    at = 0
    while True:
        line = body.index(b"\r\n", at)
        size = int(body[at:line], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(body[line + 2 : line + 2 + size])
        at = line + 2 + size + 2


def load_generator() -> str:
    """Name the program that `request_rate` uses."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def request_rate(port: int, path: str, *, seconds: float) -> float:
    """Return the requests that a server answers in a second, over 16 connections; wrk asks where it is installed."""
    if load_generator() == "wrk":
        command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds:.0f}s", f"http://127.0.0.1:{port}{path}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise SystemExit(f"{path} was not answered well:\n{said}")
        return float(said.partition("Requests/sec:")[2].split()[0])
    return asyncio.run(_request_rate(port, path, seconds))


async def _request_rate(port: int, path: str, seconds: float) -> float:
    deadline = time.perf_counter() + seconds
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    async def ask() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_PIECE)
        answered = 0
        while time.perf_counter() < deadline:
            writer.write(request)
            head = (await reader.readuntil(_END_OF_HEAD)).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
            answered += 1
        writer.close()
        return answered

    started = time.perf_counter()
    answered = sum(await asyncio.gather(*(ask() for _ in range(_CONNECTIONS))))
    return answered / (time.perf_counter() - started)
