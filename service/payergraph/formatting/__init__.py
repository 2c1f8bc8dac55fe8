"""The one form of our Turtle and TriG files: text in, the same facts in the same order and shape out.

In:  text of a TriG file (facts) or a Turtle file (vocabularies, shapes).
Out: text with one base and one set of prefixes, one block for each subject, registers before documents, facts in the
     order in which the ontology declares classes and properties, numbers in names in natural order.

In TriG files the subjects are sorted. In Turtle files they keep the order that their author gave them, for that is
the order of reading (and in the ontology, the very order that this package follows); literals with line breaks,
such as the queries of shapes, keep them there between triple quotes, while in TriG each fact is one line. A comment
may stand at the head of a file, nowhere else: where one would be lost, the file is refused, not changed.

`python -m payergraph.formatting [--check] [PATH…]` formats files, or says which it would change.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from payergraph.errors import SourceSyntaxError
from payergraph.formatting.layout import GraphLayout, SharedBlankNodeError
from payergraph.formatting.prefixes import Names, choose_prefixes, relative
from payergraph.formatting.reading_order import natural, reading_order
from payergraph.namespaces import BASE
from payergraph.sources import SUFFIXES, SourceFaultsError, find_files, parse

__all__ = ["FORMATTED", "format_files", "format_text"]

FORMATTED: Final = (".trig", ".ttl")
"""The suffixes of the files that are written by hand and kept in form."""

_TOKEN: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
    r"|<[^<>\s]*>"
    r"|\\."
    r"|(?P<comment>#[^\n]*)",
    re.DOTALL,
)
"""Whatever may hold a `#` that starts no comment, and comments (Turtle, sections 6.2 and 6.5)."""

_HEAD: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
"""The lines at the top of a file that are comments or blank."""


def format_text(text: str, *, path: Path | str) -> str:
    """Return the text in our form.

    :param path: its suffix says which syntax it is in; errors name it
    :raises SourceSyntaxError: if it does not parse, a triple stands in no graph, a comment stands below the head,
        or two facts share a blank node
    """
    suffix = Path(path).suffix
    if suffix not in FORMATTED:
        raise SourceSyntaxError(path, f"only files that end in {' or '.join(FORMATTED)} can be formatted")
    head = _HEAD.match(text)
    comments = head[0] if head else ""
    _refuse_lost_comments(text, len(comments), path)
    quads, declared = _parse(text, path)
    names = Names(choose_prefixes(declared, _documents(quads)))
    try:
        body = "\n\n".join(_graphs(quads, names) if suffix == ".trig" else _bare(quads, names))
    except SharedBlankNodeError as error:
        problem = "a blank node is used twice or in a circle. Give it an IRI."
        raise SourceSyntaxError(path, problem) from error
    head_lines = [line.rstrip() for line in comments.strip("\n").split("\n")] if comments.strip() else []
    result = "\n".join([*head_lines, *names.declarations()]) + "\n" + (f"\n{body}\n" if body else "")
    if result != text and not _same(quads, _parse(result, path)[0]):
        raise AssertionError(f"{path}: the formatter would change what the file states; it was left as it is.")
    return result


def format_files(paths: Iterable[Path | str], *, check: bool) -> list[Path]:
    """Bring files into form; return those that changed (with `check`: that would change), ordered by path.

    Nothing is written unless every file can be.

    :param paths: files, folders or patterns; in folders only Turtle and TriG files are looked at
    :raises SourceFaultsError: if any file cannot be formatted; all faults are in it
    :raises NotFoundError: if a path or a pattern leads to no file
    """
    given = [Path(path) for path in paths]
    changed: dict[Path, str] = {}
    faults: list[SourceSyntaxError] = []
    for path in find_files(given):
        if path.suffix not in FORMATTED and path not in given:
            continue
        try:
            text = path.read_bytes().decode()
            result = format_text(text, path=path)
        except SourceFaultsError as error:
            faults += error.faults
        except SourceSyntaxError as error:
            faults.append(error)
        except UnicodeDecodeError as error:
            faults.append(SourceSyntaxError(path, f"byte {error.start} is not UTF-8"))
        else:
            if result != text:
                changed[path] = result
    if faults:
        raise SourceFaultsError(faults)
    for path, result in changed.items() if not check else ():
        path.write_bytes(result.encode())
    return list(changed)


def _parse(text: str, path: Path | str) -> tuple[list[ox.Quad], dict[str, str]]:
    syntax = SUFFIXES[Path(path).suffix]
    graph = None if syntax.supports_datasets else BASE
    file = parse(text.encode(), path=path, format=syntax, graph=graph, blank_nodes=True)
    return [fact.quad for fact in file.facts], dict(file.prefixes)


def _refuse_lost_comments(text: str, head: int, path: Path | str) -> None:
    for token in _TOKEN.finditer(text, head):
        if token["comment"]:
            problem = "a comment below the head would be lost. Move it to the head, or state it (skos:editorialNote)."
            raise SourceSyntaxError(path, problem, line=text.count("\n", 0, token.start()) + 1)


def _documents(quads: Iterable[ox.Quad]) -> set[str]:
    """Return the graphs that have a fragment of their own among their subjects."""
    pairs = {(_graph(quad), quad.subject.value) for quad in quads if isinstance(quad.subject, ox.NamedNode)}
    return {graph for graph, subject in pairs if subject.startswith(f"{graph}#")}


def _graphs(quads: Sequence[ox.Quad], names: Names) -> Iterator[str]:
    """Yield the text of each graph: registers, whose names end in a slash, before documents."""
    graphs: dict[str, list[ox.Quad]] = defaultdict(list)
    for quad in quads:
        graphs[_graph(quad)].append(quad)
    for name in sorted(graphs, key=lambda graph: (not graph.endswith("/"), natural(graph))):
        layout = GraphLayout(graphs[name], names, reading_order(), long_strings=False)
        blocks = "\n\n".join(layout.blocks(sort=True, indent="  "))
        yield f"{relative(name)} {{\n{blocks}\n}}"


def _graph(quad: ox.Quad) -> str:
    return str(quad.graph_name)[1:-1]


def _bare(quads: Sequence[ox.Quad], names: Names) -> list[str]:
    return GraphLayout(quads, names, reading_order(), long_strings=True).blocks(sort=False, indent="")


def _same(before: Iterable[ox.Quad], after: Iterable[ox.Quad]) -> bool:
    datasets = [ox.Dataset(before), ox.Dataset(after)]
    for dataset in datasets:
        dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return datasets[0] == datasets[1]
