"""rdflib's in-memory engine: an N-Quads file in, a line of JSON for each competency query out.

Each query runs in a fork of the process that holds the graph, so that one that takes too long can be ended.
"""

import gc
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

from rdflib import Dataset

from payergraph.queries import load_queries

_AGAIN: Final = 3
"""How often a query runs that takes less than `_QUICK` seconds."""
_QUICK: Final = 1.0


def ask(graph: Dataset, query: str, patience: float) -> tuple[float | None, int | None]:
    """Return the seconds and the number of rows; None and None where patience ends."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        seconds: list[float] = []
        rows = 0
        while not seconds or (len(seconds) < _AGAIN and max(seconds) < _QUICK):
            started = time.perf_counter()
            rows = len(list(graph.query(query)))
            seconds.append(time.perf_counter() - started)
        os.write(writer, json.dumps([median(seconds), rows]).encode())
        os._exit(0)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], patience)
    said = os.read(reader, 1000) if ready else b""
    os.close(reader)
    if not said:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if ready and not said:
        raise SystemExit("rdflib failed on a query")
    seconds_and_rows: tuple[float, int] | tuple[None, None] = tuple(json.loads(said)) if said else (None, None)
    return seconds_and_rows


def main(source: Path, patience: float) -> None:
    """Load, then ask every query of queries/."""
    graph = Dataset(default_union=True)
    graph.parse(source, format="nquads")
    gc.collect()
    gc.freeze()
    for name, query in load_queries().items():
        seconds, rows = ask(graph, query.text, patience)
        print(json.dumps({"name": name, "seconds": seconds, "rows": rows}), flush=True)
    print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
