"""A graph of any size in the shape of ours: a number of quads and a seed in, an N-Quads file out, always the same.

In:  the shipped facts.  Out: stated and derived quads: the shipped ones, then *communities* until there are enough.

A community is the shipped data under other names, in other years: other payers, policies, documents, interventions,
conditions, jurisdictions and codes (with notations of their own that no shipped code and no other community has), and
of the documents only a part, drawn by the seed, with what they refer to. What the world shares, communities share:
schemes, areas, places of service, modifiers. So degrees, lengths and gaps are those of published facts, but what is
asked about a shipped code or payer has the same answer at every size. The exception is `GROWING`.

The derived graph is derived, community by community, by `payergraph.derivation`: no way leads from one to another.
"""

import argparse
import hashlib
import random
import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from payergraph.derivation import derive
from payergraph.namespaces import BASE, PREFIXES
from payergraph.queries import describe, load_queries
from payergraph.resources import DATA, VOCABULARIES
from payergraph.sources import read

__all__ = ["CACHE", "GROWING", "SEED", "cached", "generate", "shipped"]

CACHE: Final = Path(__file__).with_name(".cache")
"""Where generated graphs are kept; ignored by git."""
SEED: Final = 64454
GROWING: Final = frozenset({"unknown-payers"})
"""Queries whose answer grows with the graph by their nature: for which of *all* payers is nothing known?"""

_FRESH: Final = ("condition", "family", "intervention", "jurisdiction", "organization", "payer", "policy", "source")
"""What each community has of its own, by the first part of the path."""
_CODES: Final = ("cpt", "hcpcs", "icd10cm", "revenue", "taxonomy")
"""Systems of which each community has codes of its own; modifiers and places of service are shared."""
_SHARED: Final = frozenset({"condition/any-condition"})
"""What has one of these paths and is nobody's own."""
_LEFT_OUT: Final = re.compile(r"/scheme/(application-mode-(adopted|delegated)|doubt-kind-contradiction)")
"""What a few queries list for everybody; communities leave it out, so that these answers do not grow."""

_PATH: Final = re.compile(
    rf"<{re.escape(BASE)}((?:{'|'.join(_FRESH)}|code/(?:{'|'.join(_CODES)}|icd10cm-group))/[^>#]+)"
)
_YEAR: Final = re.compile(rf'"([0-9]{{4}})(-[0-9]{{2}}-[0-9]{{2}})?"\^\^<{re.escape(PREFIXES["xsd"])}(date|gYear)>')
_NOTATION: Final = f"<{PREFIXES['skos']}notation>"
_NAME: Final = re.compile(
    rf'^(<[^>]+> <(?:{PREFIXES["skos"]}prefLabel|{PREFIXES["dcterms"]}(?:title|identifier))> "(?:[^"\\]|\\.)*)"'
)
_TYPE: Final = f"<{PREFIXES['rdf']}type>"
_MOST_YEARS_BACK: Final = 8
_SMALLEST_SHARE: Final = 0.6
"""Of the stated lines that a community keeps."""
_SMALLEST: Final = 0.02
"""The share of its lines that a community is not made for."""
_ROOM: Final = 1.25
"""Notations set aside for a community, for each that it needs."""


@dataclass(frozen=True)
class Shipped:
    """The shipped graph, as lines of N-Quads without their end, each part sorted."""

    stated: tuple[str, ...]
    derived: tuple[str, ...]
    queries: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, as `payergraph build` stores it."""
        return self.stated + self.derived + self.queries


@dataclass(frozen=True)
class Template:
    """What a community is made from."""

    own: Mapping[str, tuple[str, ...]]
    """The lines of each subject that a community has of its own."""
    refers: Mapping[str, frozenset[str]]
    """The own subjects that each own subject refers to."""
    shared: tuple[str, ...]
    """Lines that all communities share."""
    derived_share: float
    """Derived lines for each own stated line."""


def generate(path: Path, quads: int, *, seed: int = SEED, processes: int = 2) -> int:
    """Write a graph of about so many quads; return how many there are.

    :param path: of the N-Quads file to write; the shipped graph is always part of it
    :param seed: equal seeds and equal shipped facts make equal bytes
    :param processes: how many communities are made at once; the file does not depend on it
    """
    draw = random.Random(seed)
    count, number = len(shipped().lines), 0
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("w", encoding="utf-8") as out:
        out.writelines(f"{line} .\n" for line in shipped().lines)
        while plan := _plan(quads - count, number, draw):  # again, where communities came out smaller than planned
            for lines in _communities(plan, processes):
                count += len(lines)
                out.writelines(f"{line} .\n" for line in lines)
            number += len(plan)
    unfinished.replace(path)
    return count


def cached(quads: int, *, seed: int = SEED, folder: Path = CACHE) -> Path:
    """Return the file of a generated graph, made where it is missing or of other facts."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(Path(__file__).read_bytes())
    for line in shipped().lines:
        mark.update(line.encode())
    path = folder / f"{quads}-{seed}-{mark.hexdigest()[:12]}.nq"
    if not path.is_file():
        for old in folder.glob(f"{quads}-{seed}-*.nq"):
            old.unlink()
        generate(path, quads, seed=seed)
    return path


@cache
def shipped() -> Shipped:
    """Return the shipped graph: stated, derived, and the queries."""
    stated = list(read([VOCABULARIES, DATA]).quads())
    return Shipped(_lines(stated), _lines(_derived(stated)), _lines(describe(load_queries())))


@cache
def template() -> Template:
    """Return what communities are made from."""
    facts = shipped()
    own: dict[str, tuple[str, ...]] = {}
    shared: list[str] = []
    for subject, lines in groupby(facts.stated, key=lambda line: line[: line.index(" ")]):
        if _is_own(subject):
            own[subject] = tuple(lines)
        else:
            shared += lines
    refers = {
        subject: frozenset(term for line in lines for term in line.split(" ")[2:] if term in own) - {subject}
        for subject, lines in own.items()
    }
    return Template(own, refers, tuple(shared), len(facts.derived) / sum(map(len, own.values())))


def _lines(quads: Iterable[ox.Quad]) -> tuple[str, ...]:
    return tuple(sorted({str(quad) for quad in quads}))


def _derived(stated: Sequence[ox.Quad]) -> list[ox.Quad]:
    store = ox.Store()
    store.bulk_extend(stated)
    return derive(store)


def _is_own(term: str) -> bool:
    match = _PATH.match(term)
    return match is not None and match[1] not in _SHARED


# --- which documents


def _plan(quads: int, number: int, draw: random.Random) -> list[tuple[int, int, int]]:
    """Return number, seed and wanted stated lines of communities of about so many quads; empty where few are missing.

    :param number: how many communities there are already
    """
    model = template()
    largest = sum(map(len, model.own.values()))
    left = quads / (1 + model.derived_share)
    plan: list[tuple[int, int, int]] = []
    while left > _SMALLEST * largest:
        wanted = min(left, draw.uniform(_SMALLEST_SHARE, 1) * largest)
        plan.append((number + len(plan) + 1, draw.getrandbits(32), int(wanted)))
        left -= wanted
    return plan


def _communities(plan: Sequence[tuple[int, int, int]], processes: int) -> Iterator[list[str]]:
    if processes == 1 or len(plan) == 1:
        yield from (_community(*one) for one in plan)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(_community, *zip(*plan, strict=True))


def _community(number: int, seed: int, wanted: int) -> list[str]:
    """Return the lines of one community, stated and derived."""
    model = template()
    draw = random.Random(seed)
    kept = _choose(model, wanted, draw)
    paths, notations = _new_names(f"w{number:03}", number, draw)
    years = draw.randrange(_MOST_YEARS_BACK)
    lines = [line for subject in sorted(kept) for line in model.own[subject]]
    stated = [*_renamed(lines, f"w{number:03}", paths, notations, years)]
    everything = "".join(f"{line} .\n" for line in (*model.shared, *stated))
    derived = _lines(_derived(list(ox.parse(everything, format=ox.RdfFormat.N_QUADS, lenient=True))))
    return sorted({*stated, *(line for line in derived if _is_own(line))})


def _choose(model: Template, wanted: int, draw: random.Random) -> set[str]:
    """Draw documents, with all that they refer to, until there are about so many lines."""
    usable = _without(model, {s for s, lines in model.own.items() if any(map(_LEFT_OUT.search, lines))})
    parts: dict[str, list[str]] = defaultdict(list)
    for subject in sorted(usable):
        document = subject.partition("#")[0].rstrip(">")
        if document.startswith(f"<{BASE}source/"):
            parts[document].append(subject)
    records: dict[str, list[str]] = defaultdict(list)
    for subject in sorted(usable):
        if any(f"<{PREFIXES['pg']}VersionRecord>" in line for line in model.own[subject]):
            for version in model.refers[subject]:
                records[version].append(subject)
    kept: set[str] = set()
    lines = 0
    documents = sorted(parts)
    draw.shuffle(documents)
    for document in documents:
        frontier = set(parts[document]) - kept
        while frontier and lines < wanted:
            kept |= frontier
            lines += sum(len(model.own[subject]) for subject in frontier)
            reached = {other for subject in frontier for other in model.refers[subject]}
            # a version comes with what its own document says of it, and a fragment with its document
            reached |= {record for subject in reached for record in records.get(subject, ())[:1]}
            reached |= {f"{subject.partition('#')[0]}>" for subject in reached if "#" in subject} & usable
            frontier = reached - kept
        if lines >= wanted:
            break
    return _without(model, set(model.own) - kept)


def _without(model: Template, dropped: set[str]) -> set[str]:
    """Return the subjects that are left when some go, and with them what refers to them."""
    referring: dict[str, list[str]] = defaultdict(list)
    for subject, others in model.refers.items():
        for other in others:
            referring[other].append(subject)
    gone = set(dropped)
    frontier = set(dropped)
    while frontier:
        frontier = {subject for other in frontier for subject in referring.get(other, ())} - gone
        gone |= frontier
    return set(model.own) - gone


# --- under which names


def _new_names(mark: str, number: int, draw: random.Random) -> tuple[dict[str, str], dict[str, str]]:
    """Return the new path of each path of ours, and the new notation of each code's old and new path."""
    paths: dict[str, str] = {}
    notations: dict[str, str] = {}
    by_system: dict[str, list[str]] = defaultdict(list)
    for path in _paths():
        kind, _, rest = path.partition("/")
        system, _, notation = rest.partition("/")
        if kind == "code" and system in _CODES:
            by_system[system].append(notation)
        elif kind == "code":
            paths[path] = f"code/{system}/{mark}-{notation}"
        else:
            paths[path] = f"{kind}/{mark}-{rest}"
    for system, old in sorted(by_system.items()):
        for before, after in _new_notations(system, old, number, draw).items():
            paths[f"code/{system}/{before}"] = f"code/{system}/{after}"
            notations[f"code/{system}/{before}"] = after
    return paths, notations


@cache
def _paths() -> tuple[str, ...]:
    """All paths of ours that communities have of their own, used as a subject or not."""
    found = {path for line in shipped().stated for path in _PATH.findall(line)}
    return tuple(sorted(found - _SHARED))


def _new_notations(system: str, old: Sequence[str], number: int, draw: random.Random) -> dict[str, str]:
    """Give each notation a new one, in the same order; diagnosis codes keep their place below their category."""
    if system == "icd10cm":
        categories = sorted({notation[:3] for notation in old})
        new = dict(zip(categories, _draw(system, categories, number, draw), strict=True))
        return {notation: new[notation[:3]] + notation[3:] for notation in old}
    return dict(zip(sorted(old), _draw(system, sorted(old), number, draw), strict=True))


def _draw(system: str, old: Sequence[str], number: int, draw: random.Random) -> list[str]:
    block = _blocks(system, tuple(old))
    if number > len(block):
        raise SystemExit(f"There are not enough {system} codes for {number} communities. Ask for a smaller graph.")
    return sorted(draw.sample(block[number - 1], len(old)))


@cache
def _blocks(system: str, old: tuple[str, ...]) -> list[list[str]]:
    """Cut what a system could still number into blocks, one a community; no shipped code lies within a block.

    So a range of codes, which reaches every code between its ends, stays within its community.
    """
    everything = {
        "cpt": (f"{digits:04}{last}" for digits in range(10_000) for last in "0123456789AFTU"),
        "hcpcs": (f"{first}{digits:04}" for first in "ABCDEGHJKLMPQRSTV" for digits in range(10_000)),
        "icd10cm": (f"{a}{b}{c}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in range(10) for c in "0123456789AB"),
        "revenue": (f"{digits:04}" for digits in range(10_000)),
        "taxonomy": (f"{digits:04}00000X" for digits in range(10_000)),
    }[system]
    ranges = _ranges() if system == "cpt" else []
    size = int(len(old) * _ROOM) + 1
    gaps: dict[int, list[str]] = defaultdict(list)
    for notation in everything:
        if notation not in old and not any(first <= notation <= last for first, last in ranges):
            gaps[bisect(old, notation)].append(notation)
    whole = [gap[start : start + size] for gap in gaps.values() for start in range(0, len(gap) - size + 1, size)]
    random.Random(system).shuffle(whole)
    return whole


def _ranges() -> list[tuple[str, str]]:
    """The shipped ranges of procedure codes."""
    ends: dict[str, dict[str, str]] = defaultdict(dict)
    for line in shipped().stated:
        subject, predicate, value = line.split(" ", 3)[:3]
        for end in ("rangeFrom", "rangeTo"):
            if predicate == f"<{PREFIXES['pg']}{end}>":
                ends[subject][end] = value.rpartition("/")[2].rstrip(">")
    return [(pair["rangeFrom"], pair["rangeTo"]) for pair in ends.values()]


def _renamed(
    lines: Iterable[str], mark: str, paths: Mapping[str, str], notations: Mapping[str, str], years: int
) -> Iterator[str]:
    """Yield lines under their new names, some years earlier."""

    def rename(match: re.Match[str]) -> str:
        return f"<{BASE}{paths.get(match[1], match[1])}"

    def earlier(match: re.Match[str]) -> str:
        day = "-02-28" if match[2] == "-02-29" else match[2] or ""
        return f'"{int(match[1]) - years:04}{day}"^^<{PREFIXES["xsd"]}{match[3]}>'

    for line in lines:
        new = _YEAR.sub(earlier, _PATH.sub(rename, line))
        subject, predicate, rest = line.split(" ", 2)
        if predicate == _NOTATION and (notation := notations.get(subject[len(BASE) + 1 : -1])):
            new = f'{new[: new.index(" ")]} {_NOTATION} "{notation}" {rest.rpartition(" ")[2]}'
        else:
            new = _NAME.sub(rf'\1 ({mark})"', new)
        yield new


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a graph: `python benchmarks/generate.py 300000 graph.nq`."""
    parser = argparse.ArgumentParser(description="Write a graph of about so many quads in the shape of ours.")
    parser.add_argument("quads", type=int)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    print(generate(options.output, options.quads, seed=options.seed, processes=options.processes), "quads")


if __name__ == "__main__":
    main()
