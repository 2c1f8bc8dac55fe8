"""Fixtures: a small dataset, a store built from it, and a real server on a free port."""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pyoxigraph import Quad, RdfFormat, parse

from payergraph.api.app import create_app
from payergraph.api.service import Service
from payergraph.build import build
from payergraph.errors import StoreError
from payergraph.server import listen
from payergraph.settings import Settings
from payergraph.store import Snapshot, open_current, write_snapshot

FIXTURES = Path(__file__).parent / "fixtures"
START_SECONDS = 20


@dataclass(frozen=True)
class Server:
    """A server that runs in a thread of the tests, with worker processes of its own."""

    url: str
    port: int
    service: Service
    client: httpx.Client

    def ask(self, query: str, accept: str = "application/sparql-results+json", **parameters: str) -> httpx.Response:
        return self.client.get("/sparql", params={"query": query} | parameters, headers={"accept": accept})


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[tuple[int, httpx.Client]]:
    """Serve an application on a free port, in a thread, until the block ends."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="on", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield port, client
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Server]:
    """Run our server with these settings until the block ends."""
    app = create_app(settings)
    with serving(app) as (port, client):
        yield Server(f"http://127.0.0.1:{port}", port, app.state.service, client)


@pytest.fixture(scope="session")
def serve_app() -> Iterator[Callable[[FastAPI], httpx.Client]]:
    """Serve applications of the test's own."""
    with contextlib.ExitStack() as stack:

        def start(app: FastAPI) -> httpx.Client:
            return stack.enter_context(serving(app))[1]

        yield start


@pytest.fixture(scope="session")
def shipped_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a store with the shipped data, built once for all test processes; to be read only."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shipped-store"
    with (base.parent / "shipped-store.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            open_current(root)
        except StoreError:
            build(root)
    return root


@pytest.fixture(scope="session")
def shipped(shipped_store: Path) -> Snapshot:
    """The snapshot of the shipped data."""
    return open_current(shipped_store)


@pytest.fixture(scope="session")
def shipped_server(shipped_store: Path) -> Iterator[Server]:
    """A server over the shipped data, for tests that change nothing."""
    with running(Settings(store=str(shipped_store))) as started:
        yield started


@pytest.fixture(scope="session")
def small_quads() -> list[Quad]:
    return list(parse(path=FIXTURES / "small.trig", format=RdfFormat.TRIG))


@pytest.fixture(scope="session")
def small_store(small_quads: list[Quad], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a store with one snapshot; to be read only."""
    root = tmp_path_factory.mktemp("store")
    write_snapshot(root, small_quads)
    return root


@pytest.fixture
def store_root(small_quads: list[Quad], tmp_path: Path) -> Path:
    """The root of a store of the test's own."""
    root = tmp_path / "store"
    write_snapshot(root, small_quads)
    return root


@pytest.fixture(scope="session")
def server(small_store: Path) -> Iterator[Server]:
    """A server over the small dataset, for tests that change nothing."""
    with running(Settings(store=str(small_store), query_seconds=10)) as started:
        yield started


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Start servers of the test's own, with the settings it gives."""
    with contextlib.ExitStack() as stack:

        def start(store: Path, **settings: Any) -> Server:
            return stack.enter_context(running(Settings(store=str(store), **settings)))

        yield start
