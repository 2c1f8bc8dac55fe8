"""One worker seen from the server: a request in, the frames of its answer out.

In:  a snapshot to start on; requests.  Out: frames, one by one; `WorkerEndedError` when the process is gone.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Final, cast

import orjson

from payergraph.errors import StoreError
from payergraph.store import Snapshot
from payergraph.worker_process import FAULT, HEADER, READY, REQUEST

__all__ = ["Worker", "WorkerEndedError"]

START_SECONDS: Final = 20.0
"""How long a worker may take to open the store: usually a fifth of a second."""
_READ_AHEAD: Final = 4
"""Frames that the server holds of an answer before the worker has to wait for the client."""
_log: Final = logging.getLogger(__name__)


class WorkerEndedError(Exception):
    """A process that went away: killed, out of memory, or broken."""


class _Link(asyncio.Protocol):
    """The server's end of the socket: bytes in, frames out; leaner than a StreamReader, with one wake-up per frame."""

    def __init__(self) -> None:
        self.closed = False
        self.transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._frames: deque[tuple[bytes, bytes]] = deque()
        self._wanted: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes, cut them into frames, and let the worker wait when there are too many."""
        self._received += data
        while len(self._received) >= HEADER.size:
            kind, size = HEADER.unpack_from(self._received)
            end = HEADER.size + size
            if len(self._received) < end:
                break
            self._frames.append((kind, bytes(memoryview(self._received)[HEADER.size : end])))
            del self._received[:end]
        if self._frames:
            self._wake()
        if len(self._frames) > _READ_AHEAD and self.transport is not None:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that the worker has ended."""
        del exc
        self.closed = True
        self._wake()

    async def read(self) -> tuple[bytes, bytes]:
        """Return the next frame.

        :raises WorkerEndedError: if the worker ended before
        """
        while not self._frames:
            if self.closed:
                raise WorkerEndedError
            self._wanted = asyncio.get_running_loop().create_future()
            await self._wanted
        frame = self._frames.popleft()
        if len(self._frames) <= 1 and self.transport is not None and not self.closed:
            self.transport.resume_reading()
        return frame

    def _wake(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)


class Worker:
    """One worker process, seen from the server."""

    def __init__(self, snapshot: Snapshot, process: subprocess.Popen[bytes], link: _Link) -> None:
        self.snapshot = snapshot
        self.process = process
        self.timed_out = False
        self.read = link.read
        self._link = link

    @classmethod
    async def start(cls, snapshot: Snapshot, memory_mb: int) -> "Worker":
        """Start a process and wait until it has opened the store.

        :raises StoreError: if it does not
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = _launch(theirs.fileno(), snapshot.path, memory_mb)
        ours.setblocking(False)
        _, link = await asyncio.get_running_loop().create_unix_connection(_Link, sock=ours)
        worker = cls(snapshot, process, link)
        try:
            async with asyncio.timeout(START_SECONDS):
                kind, state = await worker.read()
        except (WorkerEndedError, TimeoutError):
            kind, state = FAULT, b'{"problem": "it ended without a word, or took too long"}'
        said = orjson.loads(state)
        if kind != READY:
            await worker.end()
            raise StoreError(f"A query worker did not start: {said['problem']}")
        if not said["isolated"]:
            _log.warning("Query workers keep their network: this system does not let them give it up.")
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process is there to answer: its end closes the socket."""
        return not self._link.closed

    def ask(self, request: bytes) -> None:
        """Send a request."""
        if self._link.transport is not None and not self._link.closed:
            self._link.transport.write(HEADER.pack(REQUEST, len(request)) + request)

    def kill(self) -> None:
        """End the process now, whatever it does."""
        self.process.kill()

    def time_out(self) -> None:
        """End the process because its query took too long."""
        self.timed_out = True
        self.process.kill()

    async def end(self) -> None:
        """End the process, if it has not ended, and wait until it is gone."""
        self.process.kill()
        if self._link.transport is not None:
            self._link.transport.close()
        await asyncio.to_thread(self.process.wait)


def _launch(descriptor: int, folder: Path, memory_mb: int) -> subprocess.Popen[bytes]:
    """Start the process; `-P` keeps the folder that the server happens to run in out of its imports."""
    package = str(Path(__file__).parents[1])
    return subprocess.Popen(  # noqa: S603 (our own module and our own numbers)
        [sys.executable, "-P", "-m", "payergraph.worker_process", str(descriptor), str(folder), str(memory_mb)],
        stdin=subprocess.DEVNULL,
        pass_fds=[descriptor],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [package, os.getenv("PYTHONPATH")]))},
    )
