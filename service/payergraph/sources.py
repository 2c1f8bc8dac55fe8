"""Files of facts: paths in, quads out, each with its file and its line.

In:  files or folders of RDF. TriG holds facts, Turtle holds vocabularies and shapes; the other syntaxes are what
     users send for validation.
Out: a `Dataset`, or one `SourceFaultsError` with every fault of every file.

Every fact stands in a named graph. A Turtle file has no graph names: its triples go into the graph named by the one
`owl:Ontology` that it declares. Facts have no blank nodes; vocabularies and shapes may have them. Whether a fact
makes sense (a date that is no date, a reference that leads nowhere) is not asked here: that is validation.
"""

import glob
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyoxigraph as ox

from payergraph.errors import NotFoundError, SourceSyntaxError
from payergraph.namespaces import BASE, PREFIXES

__all__ = ["SUFFIXES", "Dataset", "Fact", "Place", "SourceFaultsError", "SourceFile", "find_files", "parse", "read"]

SUFFIXES: Final[dict[str, ox.RdfFormat]] = {
    ".trig": ox.RdfFormat.TRIG,
    ".ttl": ox.RdfFormat.TURTLE,
    ".nq": ox.RdfFormat.N_QUADS,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".rdf": ox.RdfFormat.RDF_XML,
}
"""The syntaxes that are read, by the suffix of the file."""

_NOTES: Final = ".md"
"""Prose may lie beside the facts; it is passed over."""

_TYPE: Final = ox.NamedNode(f"{PREFIXES['rdf']}type")
_ONTOLOGY: Final = ox.NamedNode(f"{PREFIXES['owl']}Ontology")
_WHERE: Final = re.compile(r"^Parser error at [^:]*: ")
"""How pyoxigraph starts its messages; the position is told apart from the problem."""


@dataclass(frozen=True)
class Place:
    """Where in the files a node or a quad stands."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Fact:
    """A quad and the line on which it ends, counted from 1."""

    quad: ox.Quad
    line: int


@dataclass(frozen=True)
class SourceFile:
    """One file, its facts in the order in which they stand there, and the prefixes that it declares."""

    path: Path
    facts: tuple[Fact, ...]
    prefixes: Mapping[str, str] = field(default_factory=dict)


class SourceFaultsError(SourceSyntaxError):
    """All that is wrong in the files: `faults` has one error each, the attributes are those of the first."""

    def __init__(self, faults: Sequence[SourceSyntaxError]) -> None:
        first = faults[0]
        super().__init__(first.path, first.detail, line=first.line, column=first.column)
        self.faults = tuple(faults)
        self.detail = "\n".join(fault.detail for fault in faults)
        self.args = (self.detail,)

    @property
    def members(self) -> dict[str, object]:
        """The members of the first fault, and `errors`: those of each, with its detail."""
        errors = [{"detail": fault.detail, **fault.members} for fault in self.faults]
        return {"path": self.path, "line": self.line, "column": self.column, "errors": errors}


@dataclass(frozen=True)
class Dataset:
    """The facts of several files. One graph may be spread over several of them."""

    files: tuple[SourceFile, ...]

    def __len__(self) -> int:
        return sum(len(file.facts) for file in self.files)

    def quads(self) -> Iterator[ox.Quad]:
        """Yield the quads, in the order of the files and of their lines."""
        return (fact.quad for file in self.files for fact in file.facts)

    def locate(self, focus: str, path: str | None = None, value: str | None = None) -> Place | None:
        """Return the place that a reader should look at for a node, one of its properties, or one value of it.

        A missing property points at its subject's `rdf:type`, and so does a subject by itself; a node that is no
        subject points at its first use as an object. None: the node is in no file.

        :param focus: IRI of the node, or label of a blank node
        :param path: IRI of the property
        :param value: IRI or lexical form of the object
        """
        facts = self._by_subject.get(focus, ())
        of_path = [(fact, place) for fact, place in facts if fact.quad.predicate.value == path]
        of_value = [place for fact, place in of_path if _text(fact.quad.object) == value]
        types = [place for fact, place in facts if fact.quad.predicate == _TYPE]
        stated = [place for _, place in facts]
        candidates = [*of_value, *(place for _, place in of_path), *types, *stated]
        return candidates[0] if candidates else self._by_object.get(focus)

    def locate_quad(self, quad: ox.Quad) -> Place | None:
        """Return where a quad stands, in that very graph; None if no file states it."""
        facts = self._by_subject.get(_text(quad.subject), ())
        return next((place for fact, place in facts if fact.quad == quad), None)

    @cached_property
    def _by_subject(self) -> dict[str, list[tuple[Fact, Place]]]:
        index: dict[str, list[tuple[Fact, Place]]] = defaultdict(list)
        for file in self.files:
            for fact in file.facts:
                index[_text(fact.quad.subject)].append((fact, Place(file.path, fact.line)))
        return dict(index)

    @cached_property
    def _by_object(self) -> dict[str, Place]:
        index: dict[str, Place] = {}
        for file in self.files:
            for fact in file.facts:
                if not isinstance(fact.quad.object, ox.Literal):
                    index.setdefault(_text(fact.quad.object), Place(file.path, fact.line))
        return index


def read(paths: Iterable[Path | str]) -> Dataset:
    """Read files and folders.

    :raises SourceFaultsError: if any file does not parse or is not fit to hold facts; all faults are in it
    :raises NotFoundError: if a path or a pattern leads to no file
    """
    files: list[SourceFile] = []
    faults: list[SourceSyntaxError] = []
    for path in find_files(paths):
        try:
            files.append(_read_file(path))
        except SourceFaultsError as error:
            faults += error.faults
    if faults:
        raise SourceFaultsError(faults)
    return Dataset(tuple(files))


def find_files(paths: Iterable[Path | str]) -> list[Path]:
    """Return the files below the given paths, each once, ordered by path.

    Folders are searched to the bottom. Hidden files, backups (`…~`) and notes (`.md`) in them are passed over.

    :param paths: files, folders, or patterns such as `data/**/*.trig`
    :raises NotFoundError: if one of the paths leads to no file
    """
    found: dict[Path, Path] = {}
    for path in paths:
        files = list(_files_at(Path(path)))
        if not files:
            raise NotFoundError("file or folder with files", str(path))
        for file in files:
            found.setdefault(file.resolve(), file)
    return sorted(found.values(), key=lambda file: file.as_posix())


def parse(
    content: bytes | BinaryIO,
    *,
    path: Path | str,
    format: ox.RdfFormat,  # noqa: A002 - what pyoxigraph and rdflib call it
    graph: str | None = None,
    blank_nodes: bool = False,
) -> SourceFile:
    """Parse one file or request body.

    :param path: the name under which errors and places speak of it
    :param graph: the graph of the triples that stand in none; without it a format without graph names must declare
        one `owl:Ontology`, and a dataset may have no such triples
    :param blank_nodes: whether blank nodes are let through
    :raises SourceFaultsError: if it does not parse, or not all of it can stand in a named graph
    """
    reader = _LineReader(BytesIO(content) if isinstance(content, bytes) else content)
    try:
        quads = ox.parse(input=cast("BinaryIO", reader), format=format, base_iri=BASE)
        facts = [Fact(quad, max(reader.line, 1)) for quad in quads]
    except SyntaxError as error:
        problem = _WHERE.sub("", error.msg)
        raise SourceFaultsError([SourceSyntaxError(path, problem, line=error.lineno, column=error.offset)]) from error
    faults = [] if blank_nodes else list(_blank_node_faults(facts, path))
    if graph is not None or not format.supports_datasets:
        try:
            facts = _in_graph(facts, ox.NamedNode(graph) if graph else _declared_graph(facts, path))
        except SourceSyntaxError as error:
            faults.append(error)
    else:
        faults += _default_graph_faults(facts, path)
    if faults:
        raise SourceFaultsError(faults)
    return SourceFile(Path(path), tuple(facts), dict(quads.prefixes))


class _LineReader:
    """Hands a file out line by line and counts: the parser is lazy, so each quad knows its line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.line = 0

    def read(self, _size: int = -1) -> bytes:
        line = self._file.readline()
        self.line += bool(line)
        return line


def _read_file(path: Path) -> SourceFile:
    if path.suffix not in SUFFIXES:
        problem = f"the suffix {path.suffix!r} says no RDF syntax. Use one of {', '.join(SUFFIXES)}, or move it away."
        raise SourceFaultsError([SourceSyntaxError(path, problem)])
    with path.open("rb") as file:
        return parse(file, path=path, format=SUFFIXES[path.suffix], blank_nodes=path.suffix == ".ttl")


def _files_at(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file() and _is_source(file.relative_to(path)))
    elif glob.has_magic(str(path)):
        matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
        yield from (file for file in matches if file.is_file() and _is_source(file))


def _is_source(path: Path) -> bool:
    hidden = any(part.startswith(".") and part != ".." for part in path.parts)
    return not hidden and not path.name.endswith("~") and path.suffix != _NOTES


def _declared_graph(facts: Sequence[Fact], path: Path | str) -> ox.NamedNode:
    declared = {fact.quad.subject for fact in facts if fact.quad.predicate == _TYPE and fact.quad.object == _ONTOLOGY}
    names = [subject for subject in declared if isinstance(subject, ox.NamedNode)]
    if len(names) != 1 or len(declared) != 1:
        problem = f"its triples stand in no named graph, and it declares {len(declared)} ontologies"
        raise SourceSyntaxError(path, f"{problem}. Use TriG or declare one owl:Ontology.", line=1)
    return names[0]


def _in_graph(facts: Sequence[Fact], graph: ox.NamedNode) -> list[Fact]:
    """Put the facts that stand in no named graph into this one."""
    return [fact if _is_named(fact.quad) else Fact(_named(fact.quad, graph), fact.line) for fact in facts]


def _is_named(quad: ox.Quad) -> bool:
    return not isinstance(quad.graph_name, ox.DefaultGraph)


def _named(quad: ox.Quad, graph: ox.NamedNode) -> ox.Quad:
    return ox.Quad(quad.subject, quad.predicate, quad.object, graph)


def _default_graph_faults(facts: Sequence[Fact], path: Path | str) -> Iterator[SourceSyntaxError]:
    lines = [fact.line for fact in facts if not _is_named(fact.quad)]
    if lines:
        problem = (
            f"a triple stands in no named graph{_and_more(lines)}. Put it into the graph of its source: <…> {{ … }}"
        )
        yield SourceSyntaxError(path, problem, line=lines[0])


def _blank_node_faults(facts: Sequence[Fact], path: Path | str) -> Iterator[SourceSyntaxError]:
    lines = [fact.line for fact in facts if _has_blank_node(fact.quad)]
    if lines:
        problem = f"a blank node{_and_more(lines)}. Give it an IRI: a fragment of its source, such as …#criterion-1"
        yield SourceSyntaxError(path, problem, line=lines[0])


def _has_blank_node(quad: ox.Quad) -> bool:
    return any(isinstance(node, ox.BlankNode) for node in (quad.subject, quad.object, quad.graph_name))


def _and_more(lines: Sequence[int]) -> str:
    more = sorted(set(lines) - {lines[0]})
    return f" (and on {len(more)} more lines, the next is {more[0]})" if more else ""


def _text(node: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    return str(node) if isinstance(node, ox.Triple) else node.value
