"""The measurements: ours and its peers by turns, in one run; the tables out.

In:  the command line.  Out: Markdown on standard output and, after a whole run, in `README.md`.

Trust the ratios: both sides of a ratio are measured in turn, on the same machine under the same load, and each side
is the median of its turns.
"""

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.client import Client, load_generator, request_rate
from benchmarks.generate import CACHE, GROWING, cached
from benchmarks.processes import OXIGRAPH, PAYERGRAPH, PYTHON, ROOT, run, serving
from payergraph.queries import load_queries

__all__ = ["main"]

SIZES: Final = (300_000, 3_000_000)
PARTS: Final = ("lookup", "build", "load", "sparql", "queries", "rdflib")
README: Final = Path(__file__).with_name("README.md")
_BEGIN: Final = "<!-- measured: begin, written by `make bench` -->"
_END: Final = "<!-- measured: end -->"
_SMALL: Final = (
    "SELECT ?label WHERE { GRAPH <https://w3id.org/payergraph/code/> { "
    "<https://w3id.org/payergraph/code/cpt/64454> <http://www.w3.org/2004/02/skos/core#prefLabel> ?label } }"
)
_LARGE: Final = "SELECT ?s ?p ?o WHERE {{ GRAPH <https://w3id.org/payergraph/derived/> {{ ?s ?p ?o }} }} LIMIT {}"
_LARGE_ROWS: Final = {"1 MB": 4_000, "13 MB": 50_000}
_SCAN: Final = "SELECT ?graph ?s ?p ?o WHERE { GRAPH ?graph { ?s ?p ?o } } LIMIT 4000"
"""Nothing bound: the engine reads the default graph first and throws it away, and ours has a full one."""
_RDFLIB_SIZE: Final = 300_000
"""rdflib is asked at this size only: a larger graph takes it minutes to load."""
_SLOW: Final = 1.0
"""Seconds from which a query is asked fewer times."""


@dataclass(frozen=True)
class Figure:
    """One line of the table of figures."""

    what: str
    size: str
    ours: str
    peer: str
    ratio: float | None
    target: str = ""
    met: bool | None = None


@dataclass
class Asked:
    """What one competency query took, in seconds, by who answered."""

    rows: int
    ours: float
    oxigraph: float
    equal: bool
    rdflib: float | None = None
    rdflib_rows: int | None = None


@dataclass
class Measured:
    """All that a run has measured."""

    figures: list[Figure] = field(default_factory=list)
    memory: list[tuple[str, str, float]] = field(default_factory=list)
    queries: dict[int, dict[str, Asked]] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How much to measure."""

    sizes: tuple[int, ...]
    parts: frozenset[str]
    turns: int
    seconds: float
    patience: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the tables."""
    parser = argparse.ArgumentParser(description="Measure payergraph beside rdflib and oxigraph, in one run.")
    parser.add_argument("--quick", action="store_true", help="few turns, 300,000 quads only; README stays as it is")
    parser.add_argument("--sizes", default="", help="quads of the generated graphs, such as 300000,3000000")
    parser.add_argument("--only", default="", help=f"some of {','.join(PARTS)}; README stays as it is")
    parser.add_argument("--patience", type=float, default=15, help="seconds that rdflib has for a query")
    given = parser.parse_args(arguments)
    sizes = tuple(map(int, given.sizes.split(","))) if given.sizes else SIZES[:1] if given.quick else SIZES
    parts = frozenset(given.only.split(",")) if given.only else frozenset(PARTS)
    if unknown := parts - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    turns, seconds = (3, 1.0) if given.quick else (5, 3.0)
    measured = measure(
        Options(sizes, parts, turns, seconds, min(given.patience, 10) if given.quick else given.patience)
    )
    text = "\n".join(render(measured, sizes))
    print(text)
    if not (given.quick or given.sizes or given.only):
        _write(text)


def measure(options: Options) -> Measured:
    """Run every wanted part."""
    measured = Measured()
    if "build" in options.parts:
        measure_build(measured, options)
    if "lookup" in options.parts:
        measure_lookup(measured, options)
    for size in options.sizes:
        if options.parts & {"load", "sparql", "queries", "rdflib"}:
            _say(f"graph of {size:,} quads")
            measure_size(measured, options, size, cached(size))
    return measured


def by_turns(turns: int, *sides: Callable[[], float]) -> tuple[float, ...]:
    """Measure the sides in turn; return the median of each. The order turns round each time."""
    taken: list[list[float]] = [[] for _ in sides]
    for turn in range(turns):
        order = range(len(sides)) if turn % 2 else reversed(range(len(sides)))
        for side in order:
            taken[side].append(sides[side]())
    return tuple(map(median, taken))


# --- build and load


def measure_build(measured: Measured, options: Options) -> None:
    """Build the shipped data, validation included, from start to exit."""
    _say("build")
    runs = []
    for _ in range(max(1, options.turns // 2)):
        store = _emptied(CACHE / "built")
        runs.append(run([PAYERGRAPH, "build", "--store", str(store)]))
    seconds = median(one.seconds for one in runs)
    measured.figures.append(
        Figure("`payergraph build`, with validation", "shipped", f"{seconds:.1f} s", "", None, "< 30 s", seconds < 30)
    )
    measured.memory.append(("`payergraph build`", "shipped", max(one.peak_mb for one in runs)))


def measure_load(measured: Measured, turns: int, size: int, source: Path) -> None:
    """Load one N-Quads file: our snapshot (twice indexed, hashed, gzipped, synced) and a bare store."""
    peaks = {"ours": 0.0, "bare": 0.0}

    def ours() -> float:
        done = run([PYTHON, "-m", "benchmarks.load_snapshot", str(source), str(_emptied(_snapshots(size)))])
        peaks["ours"] = max(peaks["ours"], done.peak_mb)
        return float(done.output)

    def bare() -> float:
        done = run([OXIGRAPH, "load", "--location", str(_emptied(_bare(size))), "--file", str(source)])
        peaks["bare"] = max(peaks["bare"], done.peak_mb)
        return done.seconds

    _say("load")
    seconds, bare_seconds = by_turns(turns, ours, bare)
    quads = sum(1 for _ in source.open("rb"))
    ours_rate, bare_rate = (f"{quads / taken / 1000:,.0f} k quads/s" for taken in (seconds, bare_seconds))
    ratio = bare_seconds / seconds
    measured.figures.append(
        Figure(
            "loading, against the rate of `oxigraph load`",
            f"{size:,}",
            ours_rate,
            bare_rate,
            ratio,
            "≥ 0.5",
            ratio >= 0.5,
        )
    )
    measured.memory.append(("our loading", f"{size:,}", peaks["ours"]))
    measured.memory.append(("`oxigraph load`", f"{size:,}", peaks["bare"]))


# --- look-ups


def measure_lookup(measured: Measured, options: Options) -> None:
    """Ask for one code again and again, and for nothing at all."""
    _say("look-up")
    store = CACHE / "built"
    if not (store / "current").exists():
        run([PAYERGRAPH, "build", "--store", str(store)])
    path = "/codes/cpt/64454"
    with (
        serving(PAYERGRAPH, "serve", "--store", str(store), "--port", "{port}") as ours,
        serving(PYTHON, "-m", "benchmarks.empty_route", "{port}") as empty,
    ):
        request_rate(ours.port, path, seconds=1)
        request_rate(empty.port, "/", seconds=1)
        rate, empty_rate = by_turns(
            options.turns,
            lambda: request_rate(ours.port, path, seconds=options.seconds),
            lambda: request_rate(empty.port, "/", seconds=options.seconds),
        )
        ratio = rate / empty_rate
        measured.figures.append(
            Figure(
                f"look-up `{path}`, against an empty FastAPI route ({load_generator()})",
                "shipped",
                f"{rate:,.0f} requests/s",
                f"{empty_rate:,.0f} requests/s",
                ratio,
                "≥ 0.5",
                ratio >= 0.5,
            )
        )
        measured.memory.append(("our server and its two workers, after look-ups", "shipped", ours.peak_mb()))
        measured.memory.append(("server of the empty route", "shipped", empty.peak_mb()))


# --- queries


def measure_size(measured: Measured, options: Options, size: int, source: Path) -> None:
    """Measure what is measured on a generated graph."""
    if "load" in options.parts or not (_snapshots(size) / "current").exists() or not _bare(size).exists():
        large = size > SIZES[0]
        turns = max(1, options.turns // (3 if large else 2)) if "load" in options.parts else 1
        measure_load(measured, turns, size, source)
    if not options.parts & {"sparql", "queries", "rdflib"}:
        return
    with ExitStack() as stack:
        ours = stack.enter_context(serving(PAYERGRAPH, "serve", "--store", str(_snapshots(size)), "--port", "{port}"))
        bare = stack.enter_context(
            serving(OXIGRAPH, "serve-read-only", "--location", str(_bare(size)), "--bind", "127.0.0.1:{port}")
        )
        us = stack.enter_context(Client(ours.port, "/sparql"))
        them = stack.enter_context(Client(bare.port, "/query"))
        if "sparql" in options.parts:
            measure_sparql(measured, options, size, us, them)
        if options.parts & {"queries", "rdflib"}:
            measure_queries(measured, options, size, us, them)
        measured.memory.append(("our server and its two workers, after the queries", f"{size:,}", ours.peak_mb()))
        measured.memory.append(("`oxigraph serve`, after the queries", f"{size:,}", bare.peak_mb()))
    if "rdflib" in options.parts and size == _RDFLIB_SIZE:
        measure_rdflib(measured, options, size, source)


def measure_sparql(measured: Measured, options: Options, size: int, us: Client, them: Client) -> None:
    """Ask the same small query, and the same large ones."""
    _say("small and large results")

    def often(client: Client) -> Callable[[], float]:
        return lambda: median(client.ask(_SMALL)[0] for _ in range(100))

    ours, peer = by_turns(options.turns, often(us), often(them))
    measured.figures.append(
        Figure(
            "small query over HTTP, against `oxigraph serve`",
            f"{size:,}",
            f"{ours * 1000:.2f} ms",
            f"{peer * 1000:.2f} ms",
            ours / peer,
            "≤ 3",
            ours / peer <= 3,
        )
    )
    large = {f"result of {name} over HTTP": (_LARGE.format(rows), "≤ 1.3") for name, rows in _LARGE_ROWS.items()}
    large["`GRAPH ?graph { ?s ?p ?o }`, 4,000 rows over HTTP"] = (_SCAN, "")
    for name, (query, target) in large.items():
        if _sorted_rows(us.ask(query)[1]) != _sorted_rows(them.ask(query)[1]):
            _say(f"{name}: the answers differ")
        ours, peer = by_turns(options.turns, partial(_seconds, us, query), partial(_seconds, them, query))
        measured.figures.append(
            Figure(
                f"{name}, against `oxigraph serve`",
                f"{size:,}",
                f"{ours * 1000:.0f} ms",
                f"{peer * 1000:.0f} ms",
                ours / peer,
                target,
                ours / peer <= 1.3 if target else None,
            )
        )


def measure_queries(measured: Measured, options: Options, size: int, us: Client, them: Client) -> None:
    """Ask every competency query as it stands, and compare the answers too."""
    _say("competency queries")
    asked = measured.queries.setdefault(size, {})
    for name, query in load_queries().items():
        (first, answer), (_, other) = us.ask(query.text), them.ask(query.text)
        rows = _sorted_rows(answer)
        ours, peer = by_turns(
            3 if first > _SLOW else options.turns,
            partial(_seconds, us, query.text),
            partial(_seconds, them, query.text),
        )
        asked[name] = Asked(len(rows), ours, peer, rows == _sorted_rows(other))
    ratio = median(one.ours / one.oxigraph for one in asked.values())
    measured.figures.append(
        Figure(
            "competency queries, against `oxigraph serve` (medians over the queries)",
            f"{size:,}",
            f"{median(one.ours for one in asked.values()) * 1000:.1f} ms",
            f"{median(one.oxigraph for one in asked.values()) * 1000:.1f} ms",
            ratio,
        )
    )


def measure_rdflib(measured: Measured, options: Options, size: int, source: Path) -> None:
    """Ask rdflib the same queries; one that it does not answer in time counts as taking that long."""
    _say("rdflib")
    asked = measured.queries[size]
    done = run([PYTHON, "-m", "benchmarks.in_memory", str(source), str(options.patience)], {"PYTHONHASHSEED": "0"})
    for line in map(json.loads, done.output.splitlines()):
        if "peak_mb" in line:
            measured.memory.append(("rdflib in memory, the graph alone", f"{size:,}", line["peak_mb"]))
        else:
            asked[line["name"]].rdflib = line["seconds"] or options.patience
            asked[line["name"]].rdflib_rows = line["rows"]
    ratio = median((one.rdflib or 0) / one.ours for one in asked.values())
    measured.figures.append(
        Figure(
            "competency queries: times as fast as rdflib in memory (medians over the queries)",
            f"{size:,}",
            f"{median(one.ours for one in asked.values()) * 1000:.1f} ms",
            f"{median(one.rdflib or 0 for one in asked.values()) * 1000:,.0f} ms",
            ratio,
            "≥ 20",
            ratio >= 20,
        )
    )


def _seconds(client: Client, query: str) -> float:
    return client.ask(query)[0]


def _sorted_rows(answer: bytes) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in json.loads(answer)["results"]["bindings"])


def _snapshots(size: int) -> Path:
    return CACHE / f"snapshots-{size}"


def _bare(size: int) -> Path:
    return CACHE / f"bare-{size}"


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


# --- tables


def render(measured: Measured, sizes: Sequence[int]) -> Iterator[str]:
    """Yield the tables as lines of Markdown."""
    yield f"Measured on {datetime.now(UTC):%d %B %Y} with `make bench`: {_machine()}"
    if measured.figures:
        yield ""
        yield from _table(
            ("figure", "quads", "ours", "peer", "ratio", "target", "met"),
            (
                (
                    one.what,
                    one.size,
                    one.ours,
                    one.peer,
                    "" if one.ratio is None else f"{one.ratio:.2f}" if one.ratio < 100 else f"{one.ratio:,.0f}",
                    one.target,
                    {True: "yes", False: "**no**", None: ""}[one.met],
                )
                for one in measured.figures
            ),
            right=(1, 2, 3, 4),
        )
    if measured.queries:
        yield ""
        yield from _query_table(measured.queries, [size for size in sizes if size in measured.queries])
    if measured.memory:
        yield ""
        yield from _table(
            ("peak memory", "quads", "MiB"),
            ((what, size, f"{peak:,.0f}") for what, size, peak in measured.memory),
            right=(1, 2),
        )


def _query_table(queries: Mapping[int, Mapping[str, Asked]], sizes: Sequence[int]) -> Iterator[str]:
    heads = ["query", "rows"]
    for size in sizes:
        heads += [f"ours, {size:,}", f"`oxigraph serve`, {size:,}"]
    heads += ["rdflib", "times as fast"]

    def rows() -> Iterator[list[str]]:
        for name in queries[sizes[0]]:
            asked = [queries[size][name] for size in sizes]
            counts = dict.fromkeys(str(one.rows) for one in asked)
            cells = [name + " ¹" * (name in GROWING), " → ".join(counts)]
            for one in asked:
                cells += [f"{one.ours * 1000:.1f} ms", f"{one.oxigraph * 1000:.1f} ms" + " ²" * (not one.equal)]
            known = next((one for one in asked if one.rdflib), None)
            more = "> " * (known is not None and known.rdflib_rows is None)
            other = " ²" * (known is not None and known.rdflib_rows not in (None, known.rows))
            cells += [
                f"{more}{(known.rdflib or 0) * 1000:,.0f} ms{other}" if known else "",
                f"{more}{(known.rdflib or 0) / known.ours:,.0f}" if known else "",
            ]
            yield cells

    yield from _table(heads, rows(), right=range(1, len(heads)))
    yield ""
    yield "¹ asks about every payer, so that its answer grows with the graph. ² the answer differs from ours."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    aligned = set(right)
    yield f"| {' | '.join('---:' if at in aligned else '---' for at in range(len(heads)))} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _machine() -> str:
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("pyoxigraph", "oxigraph", "rdflib", "fastapi", "uvicorn")
    )
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB; {system}, Linux {platform.release()}; "
        f"Python {platform.python_version()}, {libraries}."
    )


def _write(text: str) -> None:
    """Put the tables between the marks of the README."""
    readme = README.read_text(encoding="utf-8")
    before, _, rest = readme.partition(_BEGIN)
    after = rest.partition(_END)[2]
    README.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")
    print(f"Written to {README.relative_to(ROOT)}.", file=sys.stderr)
