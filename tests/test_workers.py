"""Worker processes: answers that stream, queries that are ended, switches that nobody notices."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import orjson
import pytest
from pyoxigraph import Literal, NamedNode, Quad

from payergraph.errors import LimitError, QuerySyntaxError, StoreError
from payergraph.store import open_current, write_snapshot
from payergraph.workers import StreamCutError, WorkerPool

JSON = "application/sparql-results+json"
CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o . ?q ?r ?s"
RUNAWAY = f"SELECT (COUNT(*) AS ?count) {{ {CROSS} }}"
ENDLESS = f"SELECT * {{ {CROSS} }}"
HUNGRY = f"SELECT * {{ {CROSS} }} ORDER BY ?s"
LARGE = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
DOUBTFUL = "ASK { ?s ?p 'service' }"


def with_pool(
    root: Path,
    job: Callable[[WorkerPool], Awaitable[None]],
    *,
    workers: int = 1,
    queue: int = 8,
    seconds: float = 10,
    memory_mb: int = 2048,
) -> None:
    """Run a job with a pool over the current snapshot."""

    async def main() -> None:
        pool = WorkerPool(workers=workers, queue=queue, seconds=seconds, memory_mb=memory_mb)
        await pool.start(open_current(root))
        try:
            await job(pool)
        finally:
            await pool.stop()

    asyncio.run(main())


def worker_ids() -> set[int]:
    """Return the process ids of the worker processes that this process has started."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(child) for child in children if b"worker_process" in Path(f"/proc/{child}/cmdline").read_bytes()}


async def whole(pool: WorkerPool, query: str, media_type: str = JSON) -> bytes:
    async with await pool.run(query, media_type) as answer:
        return b"".join([piece async for piece in answer])


def test_a_small_answer_comes_whole_at_once(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        answer = await pool.run("ASK { ?s ?p ?o }", JSON)
        assert answer.complete
        assert orjson.loads(answer.first)["boolean"] is True

    with_pool(small_store, job)


def test_a_large_answer_comes_in_pieces_and_is_what_the_engine_says(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        answer = await pool.run(LARGE, JSON)
        assert not answer.complete
        text = b"".join([piece async for piece in answer])
        rows = orjson.loads(text)["results"]["bindings"]
        assert len(rows) == answer.snapshot.manifest.triples**3
        assert (await pool.run("ASK {}", JSON)).complete

    with_pool(small_store, job)


@pytest.mark.parametrize(
    ("query", "media_type", "start"),
    [
        ("SELECT ?s { ?s a <https://example.org/Fruit> } ORDER BY ?s", "text/csv", b"s\r\nhttps://example.org/apple"),
        ("ASK {}", "application/sparql-results+xml", b"<?xml"),
        ("DESCRIBE <https://example.org/kiwi>", "application/n-triples", b"<https://example.org/kiwi>"),
        ("CONSTRUCT WHERE { ?s a ?o }", "application/ld+json", b"[{"),
    ],
)
def test_formats(small_store: Path, query: str, media_type: str, start: bytes) -> None:
    async def job(pool: WorkerPool) -> None:
        assert (await whole(pool, query, media_type)).startswith(start)

    with_pool(small_store, job)


def test_a_syntax_error_has_its_position_and_the_worker_goes_on(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        before = worker_ids()
        with pytest.raises(QuerySyntaxError) as caught:
            await pool.run("SELECT * {\n  ?s ?p ?o FILTR(1)\n}", JSON)
        assert (caught.value.line, caught.value.column) == (2, 12)
        await whole(pool, "ASK {}")
        assert worker_ids() == before

    with_pool(small_store, job)


def test_several_default_graphs_are_merged(small_store: Path) -> None:
    one, two = "https://example.org/source/one", "https://example.org/source/two"

    async def job(pool: WorkerPool) -> None:
        query = "SELECT (COUNT(*) AS ?n) { <https://example.org/shared> ?p ?o }"
        for defaults in ([one], [one, two], [one, two, one]):
            async with await pool.run(query, "text/csv", defaults, []) as answer:
                assert answer.first == b"n\r\n1\r\n", defaults
        async with await pool.run("ASK { GRAPH ?g { ?s ?p ?o } }", "text/csv", [one, two], [two]) as answer:
            assert answer.first == b"true"
        async with await pool.run("ASK { GRAPH ?g { ?s ?p ?o } }", "text/csv", [one, two], []) as answer:
            assert answer.first == b"false"
        async with await pool.run("ASK { ?s ?p ?o }", "text/csv", [], [two]) as answer:
            assert answer.first == b"false"

    with_pool(small_store, job)


def test_a_runaway_query_is_killed_in_time_and_replaced(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        before, began = worker_ids(), time.monotonic()
        with pytest.raises(LimitError, match=r"longer than 0\.5 seconds"):
            await pool.run(RUNAWAY, JSON)
        assert time.monotonic() - began < 1.5
        await whole(pool, "ASK {}")
        assert not worker_ids() & before

    with_pool(small_store, job, seconds=0.5)


def test_a_stream_that_takes_too_long_is_cut_and_says_so(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        with pytest.raises(StreamCutError, match="longer than"):
            await whole(pool, ENDLESS)
        await whole(pool, "ASK {}")

    with_pool(small_store, job, seconds=0.5)


def test_a_query_that_takes_too_much_memory_is_ended(small_store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def job(pool: WorkerPool) -> None:
        with pytest.raises(LimitError, match="more than 512 MiB"):
            await pool.run(HUNGRY, JSON)
        await whole(pool, "ASK {}")

    with_pool(small_store, job, seconds=60, memory_mb=512)
    capfd.readouterr()  # the allocator's last words


def test_leaving_an_answer_early_ends_its_query(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        before = worker_ids()
        async with await pool.run(ENDLESS, JSON):
            pass
        await whole(pool, "ASK {}")
        assert not worker_ids() & before

    with_pool(small_store, job)


def test_a_client_that_gives_up_before_the_answer_frees_the_worker(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        running = asyncio.ensure_future(pool.run(RUNAWAY, JSON))
        waiting = asyncio.ensure_future(pool.run("ASK {}", JSON))
        await asyncio.sleep(0.2)
        running.cancel()
        assert (await asyncio.wait_for(waiting, 5)).complete

    with_pool(small_store, job)


def test_a_full_queue_says_when_to_come_back(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        running = [asyncio.ensure_future(pool.run(RUNAWAY, JSON)) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(LimitError, match="1 are waiting") as caught:
            await pool.run("ASK {}", JSON)
        assert caught.value.retry_after >= 1
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    with_pool(small_store, job, queue=1)


def test_a_wait_in_the_queue_ends_too(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        answer = await pool.run(ENDLESS, JSON)  # holds the only worker, and is not read
        with pytest.raises(LimitError):
            await pool.run(RUNAWAY, JSON)
        answer.close()

    with_pool(small_store, job, seconds=0.5)


def test_a_worker_killed_from_outside_is_replaced(small_store: Path) -> None:
    async def job(pool: WorkerPool) -> None:
        for worker in worker_ids():
            os.kill(worker, signal.SIGKILL)
        await asyncio.sleep(0.1)
        await whole(pool, "ASK {}")

    with_pool(small_store, job, workers=2)


def test_workers_retire_behind_their_answer_when_the_snapshot_changes(store_root: Path) -> None:
    new = Quad(NamedNode("https://example.org/new"), NamedNode("https://example.org/p"), Literal(1), NamedNode("urn:g"))
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"

    async def job(pool: WorkerPool) -> None:
        running = await pool.run(LARGE, JSON)
        snapshot = write_snapshot(store_root, [new])
        pool.switch(snapshot)
        async with await pool.run(count, "text/csv") as answer:
            assert (answer.first, answer.snapshot.id) == (b"n\r\n1\r\n", snapshot.id)
        rows = orjson.loads(b"".join([piece async for piece in running]))["results"]["bindings"]
        assert len(rows) == running.snapshot.manifest.triples**3
        for _ in range(4):
            assert await whole(pool, count, "text/csv") == b"n\r\n1\r\n"

    with_pool(store_root, job, workers=2)


def test_ten_switches_under_load_lose_no_answer(store_root: Path) -> None:
    def quads(number: int) -> Iterator[Quad]:
        for at in range(number):
            node = NamedNode(f"https://example.org/s{at}")
            yield Quad(node, NamedNode("https://example.org/p"), Literal(at), NamedNode("urn:g"))

    async def job(pool: WorkerPool) -> None:
        async def ask() -> None:
            while not done.is_set():
                async with await pool.run("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "text/csv") as answer:
                    assert int(answer.first.split()[1]) == answer.snapshot.manifest.triples
                    seen.add(answer.snapshot.id)

        done, seen = asyncio.Event(), set[str]()
        load = [asyncio.ensure_future(ask()) for _ in range(4)]
        for number in range(1, 11):
            written = await asyncio.to_thread(write_snapshot, store_root, list(quads(number)))
            pool.switch(written)
            async with asyncio.timeout(20):
                while written.id not in seen:
                    await asyncio.sleep(0.01)
        done.set()
        await asyncio.gather(*load)

    with_pool(store_root, job, workers=2)


def test_a_store_that_does_not_open_is_a_store_error(store_root: Path) -> None:
    snapshot = open_current(store_root)
    (snapshot.path / "manifest.json").unlink()

    async def main() -> None:
        pool = WorkerPool(workers=1, queue=1, seconds=1, memory_mb=1024)
        with pytest.raises(StoreError, match=r"did not start: .* is not a whole snapshot"):
            await pool.start(snapshot)
        await pool.stop()

    asyncio.run(main())


def test_workers_have_no_network_where_the_system_lets_them_give_it_up(
    small_store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Both walls of the guard are taken down: only the missing network is left."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(1.5)

        def listen() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        heard.append(connection.recv(100))
            except TimeoutError:
                pass

        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        ear = threading.Thread(target=listen)
        ear.start()

        async def job(pool: WorkerPool) -> None:
            monkeypatch.undo()
            with pytest.raises(Exception, match="could not be evaluated"):
                await pool.run(f"SELECT * {{ SERVICE <{address}> {{ ?s ?p ?o }} }}", JSON)

        # a module on the path of the worker that replaces the second wall
        shim = small_store.parent / "shim"
        shim.mkdir(exist_ok=True)
        (shim / "sitecustomize.py").write_text(
            "import payergraph.sparql\npayergraph.sparql.confirm_local = lambda query: None\n"
        )
        package = str(Path(__file__).parents[1] / "service")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([package, str(shim)]))
        if not _can_isolate():
            pytest.skip("this system does not let a process give up its network")
        with_pool(small_store, job)
        ear.join()
    assert not heard
    capfd.readouterr()


def _can_isolate() -> bool:
    """Ask a worker of its own, through the same function."""
    code = "from payergraph.worker_process import isolate; print(isolate())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
