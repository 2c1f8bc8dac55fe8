"""The pool: queries in from the server, serialised answers out, each evaluated in a process that can be killed.

In:  a query that passed the guard, a media type, and the dataset that the protocol names.  Out: an `Answer`, whose
     first piece is there when `run` returns; `LimitError` when the time, the memory or the queue is used up.

A worker answers one query at a time. What takes longer than the limit is killed (SIGKILL) and the worker replaced;
so is a worker whose client went away. After a switch of snapshots each worker retires behind its answer.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Final, Self

import orjson

from payergraph.errors import LimitError, PayergraphError, QuerySyntaxError, StoreError
from payergraph.store import Snapshot
from payergraph.worker_link import Worker, WorkerEndedError
from payergraph.worker_process import FAULT, LAST

__all__ = ["Answer", "StreamCutError", "WorkerPool"]

_log: Final = logging.getLogger(__name__)


class StreamCutError(Exception):
    """An answer that ended before its end: the client must see a protocol error, never a short answer."""


class Answer:
    """The answer to one query: its first piece is here, so the query parses and its evaluation has begun well.

    Use it as an asynchronous context manager: leaving it early ends the query.
    """

    def __init__(
        self, pool: "WorkerPool", worker: Worker, timer: asyncio.TimerHandle, kind: bytes, first: bytes
    ) -> None:
        self.first = first
        """The first piece; the whole answer where `complete`."""
        self.complete = kind == LAST
        """Whether nothing follows `first`."""
        self.snapshot = worker.snapshot
        """What was asked: maybe the snapshot before the current one, just after a switch."""
        self._pool = pool
        self._worker: Worker | None = worker
        self._timer = timer
        if self.complete:
            self.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.pieces()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the answer piece by piece.

        :raises StreamCutError: if the query was ended before its answer was complete
        """
        yield self.first
        while not self.complete and self._worker is not None:
            try:
                kind, piece = await self._worker.read()
            except WorkerEndedError as error:
                raise StreamCutError(str(self._pool.failure(self._worker))) from error
            if kind == FAULT:
                raise StreamCutError(orjson.loads(piece)["problem"])
            self.complete = kind == LAST
            if self.complete:
                self.close()
            yield piece

    def close(self) -> None:
        """Give the worker back; end it where its answer is not complete. More calls than one do no harm."""
        self._timer.cancel()
        worker, self._worker = self._worker, None
        if worker is not None:
            if not self.complete:
                worker.kill()
            self._pool.release(worker, usable=self.complete)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class WorkerPool:
    """Workers that are warm, and a queue of limited length before them."""

    def __init__(self, *, workers: int, queue: int, seconds: float, memory_mb: int) -> None:
        self._size = workers
        self._queue = queue
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._snapshot: Snapshot | None = None
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0

    async def start(self, snapshot: Snapshot) -> None:
        """Start the workers on a snapshot.

        :raises StoreError: if they do not start
        """
        self._snapshot = snapshot
        for worker in await asyncio.gather(*(Worker.start(snapshot, self._memory_mb) for _ in range(self._size))):
            self._workers.add(worker)
            self._idle.append(worker)

    def switch(self, snapshot: Snapshot) -> None:
        """Let queries be answered from another snapshot; running ones finish on theirs."""
        self._snapshot = snapshot
        idle, self._idle = self._idle, []
        for worker in idle:
            self.release(worker, usable=True)

    async def stop(self) -> None:
        """End every worker."""
        self._snapshot = None
        await asyncio.gather(*(worker.end() for worker in self._workers))
        self._workers.clear()
        self._idle.clear()
        while self._tasks:  # workers that are starting end themselves: nothing is current
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run(
        self,
        query: str,
        media_type: str,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
    ) -> Answer:
        """Evaluate a query; return when the first piece of the answer is there.

        The guard (`sparql.examine`) must have passed the query.

        :param media_type: what the answer is serialised in: of results for SELECT and ASK, of RDF for the others
        :param default_graphs: IRIs whose merge is the default graph; None for the merge of all
        :param named_graphs: IRIs that GRAPH sees; None for all. Both are given, or neither
        :raises QuerySyntaxError: if the query does not parse
        :raises LimitError: if the time, the memory or the queue is used up
        :raises PayergraphError: if its evaluation fails
        """
        request = orjson.dumps(
            {"query": query, "media_type": media_type, "default_graphs": default_graphs, "named_graphs": named_graphs}
        )
        worker = await self._acquire()
        timer = asyncio.get_running_loop().call_later(self._seconds, worker.time_out)
        try:
            worker.ask(request)
            kind, first = await worker.read()
        except WorkerEndedError as error:
            timer.cancel()
            self.release(worker, usable=False)
            raise self.failure(worker) from error
        except BaseException:  # the client went away
            timer.cancel()
            worker.kill()
            self.release(worker, usable=False)
            raise
        if kind == FAULT:
            timer.cancel()
            self.release(worker, usable=True)
            raise _fault(first)
        return Answer(self, worker, timer, kind, first)

    def failure(self, worker: Worker) -> PayergraphError:
        """Say why a worker ended in the middle of a query."""
        if worker.timed_out:
            return LimitError(
                f"The query ran longer than {self._seconds:g} seconds and was ended. "
                "Narrow it: name the graphs, bind more terms, or ask for less at once.",
                retry_after=int(self._seconds) + 1,
            )
        return LimitError(
            f"The query used more than {self._memory_mb} MiB of memory and was ended. "
            "Narrow it: order or group fewer rows, or ask for less at once.",
            retry_after=int(self._seconds) + 1,
        )

    def release(self, worker: Worker, *, usable: bool) -> None:
        """Take a worker back: it answers the next query, or is replaced."""
        if usable and worker.alive and worker.snapshot is self._snapshot:
            while self._waiting:
                waiting = self._waiting.popleft()
                if not waiting.done():
                    waiting.set_result(worker)
                    return
            self._idle.append(worker)
            return
        self._workers.discard(worker)
        self._keep(worker.end())
        self._refill()

    async def _acquire(self) -> Worker:
        """Return an idle worker, or wait for one in the queue."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self.release(worker, usable=False)
        self._refill()
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.done())
        if len(self._waiting) >= self._queue:
            raise LimitError(
                f"{self._size} queries are running and {len(self._waiting)} are waiting. Try again in a moment.",
                retry_after=max(1, int(self._seconds / 2)),
            )
        waiting: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self._seconds):
                return await waiting
        except TimeoutError as error:
            raise LimitError(
                f"No worker was free within {self._seconds:g} seconds. Try again in a moment.",
                retry_after=max(1, int(self._seconds / 2)),
            ) from error
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self.release(waiting.result(), usable=True)
            raise

    def _refill(self) -> None:
        """Start as many workers as are missing."""
        while self._snapshot is not None and len(self._workers) + self._starting < self._size:
            self._starting += 1
            self._keep(self._start_one(self._snapshot))

    async def _start_one(self, snapshot: Snapshot) -> None:
        """Start one worker and put it to work; where it does not start, tell those who wait."""
        try:
            worker = await Worker.start(snapshot, self._memory_mb)
        except StoreError as error:
            _log.error("%s", error.detail)
            while snapshot is self._snapshot and self._waiting:
                waiting = self._waiting.popleft()
                if not waiting.done():
                    waiting.set_exception(StoreError(error.detail))
            return
        finally:
            self._starting -= 1
        self._workers.add(worker)
        self.release(worker, usable=True)

    def _keep(self, work: Coroutine[object, object, None]) -> None:
        """Run something beside, and hold on to it until it is done."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fault(payload: bytes) -> PayergraphError:
    """Return the error that a worker reported."""
    fault = orjson.loads(payload)
    if fault["syntax"]:
        return QuerySyntaxError(fault["problem"], line=fault["line"], column=fault["column"])
    return PayergraphError(f"The query could not be evaluated: {fault['problem']}.")
