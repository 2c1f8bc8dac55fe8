"""The server: settings in, a process that answers HTTP until it is told to stop.

In:  settings.  Out: nothing; `CallError` where the address cannot be listened on, `StoreError` without a snapshot.

Requests are not logged: addresses hold what users ask.
"""

import errno
import socket
import sys
from typing import Final

import uvicorn

from payergraph.api.app import create_app
from payergraph.errors import CallError
from payergraph.settings import Settings
from payergraph.store import open_current

__all__ = ["listen", "serve"]

_BACKLOG: Final = 2048
_REASONS: Final = {
    errno.EADDRINUSE: "is in use. Choose another with --port, or 0 for a free one",
    errno.EACCES: "may not be used by this user. Choose one above 1023 with --port",
    errno.EADDRNOTAVAIL: "is no address of this machine. Choose another with --host",
}


def serve(settings: Settings) -> None:
    """Serve the current snapshot until SIGINT or SIGTERM.

    :raises CallError: if the port is in use, or the address cannot be listened on
    :raises StoreError: if there is no whole snapshot
    """
    snapshot = open_current(settings.store_path)
    with listen(settings.host, settings.port) as listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            create_app(settings),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=5,
        )
        sys.stderr.write(
            f"payergraph answers at http://{address}:{port}/ from snapshot {snapshot.id}; Ctrl-C ends it.\n"
        )
        sys.stderr.flush()
        del snapshot  # the application holds its own
        uvicorn.Server(config).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    :param port: 0 for a free one
    :raises CallError: if that is not possible; its text says why and what to do
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"cannot be listened on ({error.strerror})")
        raise CallError(f"Port {port} on {host} {reason}.") from error
