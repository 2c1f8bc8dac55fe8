"""One worker: queries in over a socket, answers out in frames, in a process of its own that can be killed.

In:  a socket, the folder of a snapshot and a memory limit, from the pool (`workers`) on the command line; then
     requests, one after the other.  Out: for each request, frames of the serialised answer, the last one marked,
     or one frame that says what went wrong.

A frame is one letter, four bytes of length, and that many bytes. The worker can do little harm: it opens the store
read-only, its memory is limited (`RLIMIT_AS`), it dies with its server, and it has no network where the system lets
it give that up (Linux, as root or with user namespaces); elsewhere the guard in `sparql` stands alone.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
)

from payergraph.errors import QuerySyntaxError, StoreError
from payergraph.sparql import confirm_local, syntax_error
from payergraph.store.snapshot import open_snapshot

__all__ = ["DATA", "FAULT", "FRAME_BYTES", "HEADER", "LAST", "READY", "REQUEST", "main"]

HEADER: Final = struct.Struct("!cI")
"""What each frame begins with: its kind and the length of what follows."""
REQUEST: Final = b"Q"
"""To the worker. JSON: query, media_type, default_graphs, named_graphs (lists of IRIs, or null for the store's own)."""
READY: Final = b"R"
"""The worker has opened the store. JSON: isolated (whether it has given up the network)."""
DATA: Final = b"D"
"""A piece of the answer; more follows."""
LAST: Final = b"L"
"""The last piece of the answer, maybe empty."""
FAULT: Final = b"F"
"""The query failed, or the start. JSON: problem, and of a query syntax (a bool), line and column."""
FRAME_BYTES: Final = 65_536

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1


class FrameOutput:
    """A binary file for the serialiser that leaves the process as frames."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        """Take a piece; send a frame when there is enough for one."""
        self._buffer += data
        if len(self._buffer) >= FRAME_BYTES:
            self._send(DATA)
        return len(data)

    def flush(self) -> None:
        """Do nothing: frames are sent when they are full."""

    def finish(self) -> None:
        """Send what is left as the last frame."""
        self._send(LAST)

    def _send(self, kind: bytes) -> None:
        send(self._connection, kind, self._buffer)
        self._buffer.clear()


def send(connection: socket.socket, kind: bytes, payload: bytes | bytearray) -> None:
    """Send one frame."""
    connection.sendall(HEADER.pack(kind, len(payload)) + payload)


def receive(connection: socket.socket) -> bytes | None:
    """Return the next request; None once the server has hung up."""
    header = _receive_exactly(connection, HEADER.size)
    return _receive_exactly(connection, HEADER.unpack(header)[1]) if header else None


def _receive_exactly(connection: socket.socket, size: int) -> bytes:
    """Return that many bytes; none at all once the other side has hung up."""
    received = bytearray()
    while len(received) < size:
        piece = connection.recv(size - len(received))
        if not piece:
            return b""
        received += piece
    return bytes(received)


def evaluate(store: Store, request: Mapping[str, object], output: FrameOutput) -> None:
    """Evaluate a query and write the answer in its media type.

    :raises QuerySyntaxError: if the query does not parse
    """
    query, media_type = str(request["query"]), str(request["media_type"])
    confirm_local(query)
    try:
        results = _query(store, query, request["default_graphs"], request["named_graphs"])
    except SyntaxError as error:
        raise syntax_error(error, query) from error
    if isinstance(results, QueryTriples):
        results.serialize(output, RdfFormat.from_media_type(media_type) or RdfFormat.TURTLE)  # type: ignore[arg-type]
    else:
        results.serialize(output, QueryResultsFormat.from_media_type(media_type) or QueryResultsFormat.JSON)  # type: ignore[arg-type]
    output.finish()


def _query(
    store: Store, query: str, default_graphs: object, named_graphs: object
) -> QuerySolutions | QueryBoolean | QueryTriples:
    """Evaluate over the store's own graphs, or over the dataset that the request names."""
    if not isinstance(default_graphs, list) or not isinstance(named_graphs, list):
        return store.query(query)
    defaults = [NamedNode(iri) for iri in dict.fromkeys(default_graphs)]
    named = [NamedNode(iri) for iri in dict.fromkeys(named_graphs)]
    if len(defaults) > 1:
        return _merged(store, defaults, named).query(query, default_graph=[DefaultGraph()], named_graphs=[*named])
    return store.query(query, default_graph=[*defaults], named_graphs=[*named])


def _merged(store: Store, defaults: Sequence[NamedNode], named: Sequence[NamedNode]) -> Store:
    """Copy a dataset of several default graphs: their merge is a set, which the engine's own union is not."""
    view = Store()
    for graph in defaults:
        quads = store.quads_for_pattern(None, None, None, graph)
        view.extend(Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    for graph in named:
        view.extend(store.quads_for_pattern(None, None, None, graph))
    return view


def serve(store: Store, connection: socket.socket) -> None:
    """Answer requests until the server hangs up."""
    while (request := receive(connection)) is not None:
        try:
            evaluate(store, json.loads(request), FrameOutput(connection))
        except QuerySyntaxError as error:
            fault: dict[str, object] = {"problem": error.problem, "line": error.line, "column": error.column}
            send(connection, FAULT, json.dumps({"syntax": True} | fault).encode())
        except BrokenPipeError:
            return
        except (OSError, RuntimeError, ValueError) as error:
            send(connection, FAULT, json.dumps({"syntax": False, "problem": str(error)}).encode())


def isolate() -> bool:
    """Give up what a worker must not have; tell whether it could give up the network."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its workers
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    without_user, with_user = _CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET
    return any(libc.unshare(flags) == 0 for flags in (without_user, with_user))


def limit_memory(memory_mb: int) -> None:
    """Limit what queries may take beyond what the open store has taken: most of that is address space, not memory."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        pages = 0
    limit = pages * resource.getpagesize() + memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(arguments: Sequence[str]) -> None:
    """Run one worker: the number of the socket, the snapshot's folder, MiB of memory."""
    descriptor, folder, memory_mb = arguments
    isolated = isolate()
    with socket.socket(fileno=int(descriptor)) as connection:
        try:
            snapshot = open_snapshot(Path(folder))
        except (OSError, StoreError) as error:
            send(connection, FAULT, json.dumps({"problem": str(error)}).encode())
            return
        limit_memory(int(memory_mb))
        send(connection, READY, json.dumps({"isolated": isolated}).encode())
        serve(snapshot.store, connection)
    sys.stdout.flush()
    os._exit(0)  # the store is read-only: nothing to tidy up, and nothing to wait for


if __name__ == "__main__":
    main(sys.argv[1:])
