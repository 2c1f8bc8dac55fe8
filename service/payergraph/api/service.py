"""What the routers share: the snapshot that answers now, and the workers for ad hoc queries.

In:  the settings.  Out: a `Service`; routers take it as a parameter: `service: ServiceDependency`.
"""

import asyncio
import logging
import time
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, Request

from payergraph.errors import StoreError
from payergraph.settings import Settings
from payergraph.store import Snapshot, open_current
from payergraph.workers import WorkerPool

__all__ = ["Service", "ServiceDependency", "service_of"]

CHECK_SECONDS: Final = 1.0
"""How long a new build may wait until this server notices it."""
_log: Final = logging.getLogger(__name__)


class Service:
    """The state of a running server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workers = WorkerPool(
            workers=settings.query_workers,
            queue=settings.query_queue,
            seconds=settings.query_seconds,
            memory_mb=settings.query_memory_mb,
        )
        self._snapshot = open_current(settings.store_path)
        self._next_check = 0.0
        self._switching = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that answers now. Take it once per request, so that an answer never mixes two."""
        if time.monotonic() >= self._next_check and self._switching.acquire(blocking=False):
            try:
                self._next_check = time.monotonic() + CHECK_SECONDS
                if not self._snapshot.is_current():
                    self._switch()
            finally:
                self._switching.release()
        return self._snapshot

    def _switch(self) -> None:
        """Go over to the newest build; where it cannot be opened, stay."""
        try:
            self._snapshot = open_current(self.settings.store_path)
        except StoreError as error:
            _log.error("The snapshot %s goes on answering: %s", self._snapshot.id, error.detail)
            return
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.workers.switch, self._snapshot)

    async def start(self) -> None:
        """Start the workers."""
        self._loop = asyncio.get_running_loop()
        await self.workers.start(self._snapshot)

    async def stop(self) -> None:
        """End the workers."""
        self._loop = None
        await self.workers.stop()


def service_of(request: Request) -> Service:
    """Return the service of the application that got the request."""
    service: Service = request.app.state.service
    return service


async def _service(request: Request) -> Service:
    """Do the same for FastAPI; not `def`, which would go through the thread pool."""
    return service_of(request)


ServiceDependency = Annotated[Service, Depends(_service)]
"""The type of a router's parameter: FastAPI fills it in."""
