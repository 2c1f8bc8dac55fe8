"""The application: settings in, a FastAPI app out that serves the snapshot.

To add a router, write a module with a `router = APIRouter(…)` and name it in `ROUTERS`; the order is the order in
`/docs`, and the catch-all for resource paths must come last. A route looks like this:

    @router.get("/codes/{system}/{code}")
    async def code(system: str, code: str, service: ServiceDependency) -> Response:
        snapshot = service.snapshot          # once per request: an answer never mixes two builds
        snapshot.store.quads_for_pattern(…)  # in process: a look-up takes microseconds
        …ETag from snapshot.id…

- Write routes `async def`: a `def` route goes through the thread pool and has a fifth of the rate. In-process work
  must stay below a few milliseconds; anything that a user can make slow goes to `service.workers` (see `sparql`).
- Raise our errors (`payergraph.errors`); `problems` makes the body. Never catch them to build a response.
- Formats: `negotiation.negotiate(request.headers.get("accept"), FORMATS, suffix=…)`; set `Vary: Accept`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from payergraph.api import pages, problems
from payergraph.api.service import Service
from payergraph.settings import Settings
from payergraph.store.manifest import payergraph_version

__all__ = ["ROUTERS", "create_app"]

ROUTERS: Final = (
    "sparql",
    "pages",
    "docs_page",
    "health",
    "queries",
    "codes",
    "payers",
    "policies",
    "validate",
    "dataset",
)
"""The modules of this package with a `router`, in the order in which paths are tried."""
_EXPOSED: Final = ("ETag", "Link", "Location", "Retry-After", "X-Request-Id")
"""Headers that a page from elsewhere may read."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its start opens the snapshot and the workers.

    :raises StoreError: on start, if there is no whole snapshot in `settings.store`
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = Service(settings)
        await app.state.service.start()
        try:
            yield
        finally:
            await app.state.service.stop()

    app = FastAPI(
        title="payergraph",
        summary="Is it covered, for whom, on what conditions, since when, and who says so?",
        version=payergraph_version(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for name in ROUTERS:
        app.include_router(import_module(f"payergraph.api.{name}").router)
    pages.mount_static(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=_EXPOSED,
        max_age=86_400,
    )
    problems.install(app)
    return app
