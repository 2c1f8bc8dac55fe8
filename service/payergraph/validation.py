"""Does the data hold? Quads in, a SHACL report with file and line out.

In:  the stated quads and, where they come from files, a way to locate a node in them.
Out: a `Report` of `Finding`s: severity, focus node, path, value, message, shape, graph, file and line.

Two scopes, each a folder of shapes. *Document*: each named graph by itself, so that two sources may state
different dates for one version. *Whole*: the union of all graphs: references, order of dates, one graph per
statement. pySHACL judges, on an Oxigraph store (`shacl_engine`). Graphs that share no subject are judged in one
run: a document shape looks at nothing but its focus node's own triples, so the verdict is the same and many runs are
saved.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pyoxigraph as ox
from rdflib import RDF, SH, XSD, Graph, Node, URIRef
from rdflib import Literal as RdfLiteral

from payergraph.namespaces import BASE
from payergraph.resources import ONTOLOGY, SHAPES
from payergraph.shacl_engine import run
from payergraph.sources import Place

__all__ = ["Finding", "Locate", "Report", "Scope", "shapes_graph", "validate"]

Scope = Literal["document", "whole"]
Severity = Literal["violation", "warning", "info"]

_SEVERITIES: Final[dict[Node | None, Severity]] = {SH.Violation: "violation", SH.Warning: "warning", SH.Info: "info"}
"""Ours by SHACL's, the worst first."""

Locate = Callable[[str, str | None, str | None], Place | None]
"""Focus node, path and value of a finding (IRIs or lexical forms) to the place of the nearest quad."""


@dataclass(frozen=True)
class Finding:
    """One result of a SHACL report."""

    severity: Severity
    scope: Scope
    message: str
    shape: str
    component: str
    focus: str
    path: str | None = None
    value: str | None = None
    graph: str | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Report:
    """All findings, violations first, in a stable order; `graph` is pySHACL's own report."""

    findings: tuple[Finding, ...]
    graph: Graph

    @property
    def conforms(self) -> bool:
        """Whether nothing is violated; warnings and infos are shown and do not count."""
        return not self.violations

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that stop a build."""
        return tuple(finding for finding in self.findings if finding.severity == "violation")

    def within(self, files: Collection[Path]) -> "Report":
        """The report on these files alone (resolved paths); findings without a place stay."""
        kept = (found for found in self.findings if found.place is None or found.place.path.resolve() in files)
        return replace(self, findings=tuple(kept))


def validate(
    quads: Iterable[ox.Quad], *, scopes: Sequence[Scope] = ("document", "whole"), locate: Locate | None = None
) -> Report:
    """Judge stated quads by the shapes of the given scopes.

    :param quads: every quad in a named graph; derived quads do not belong here
    :param locate: tells the place of a finding; without it findings have no file
    """
    stated = list(quads)
    report = Graph()
    findings: set[Finding] = set()
    for scope in scopes:
        for batch in _batches(stated) if scope == "document" else [stated]:
            results = _run(batch, scope)
            findings.update(_findings(results, scope, batch, locate))
            report += results
    return Report(tuple(sorted(findings, key=_worst_first)), report)


def _worst_first(finding: Finding) -> tuple[int, str, str, str, str, str]:
    severity = list(_SEVERITIES.values()).index(finding.severity)
    return severity, str(finding.place), finding.focus, finding.shape, finding.message, str(finding.value)


@cache
def shapes_graph(scope: str) -> Graph:
    """The shapes of a scope, with the prefixes that all share."""
    graph = Graph()
    for path in (SHAPES / "prefixes.ttl", *sorted((SHAPES / scope).glob("*.ttl"))):
        graph.parse(path, publicID=BASE)
    return _typed(graph)


def _typed(graph: Graph) -> Graph:
    """Write the datatype of plain strings that values are compared with.

    To RDF 1.1 and Oxigraph `"A"` is `"A"^^xsd:string`; to rdflib they are two literals, and `sh:in` would find none.
    """
    for predicate in (RDF.first, SH.hasValue):
        for subject, value in list(graph.subject_objects(predicate)):
            if isinstance(value, RdfLiteral) and value.datatype is None and value.language is None:
                graph.remove((subject, predicate, value))
                graph.add((subject, predicate, RdfLiteral(str(value), datatype=XSD.string)))
    return graph


@cache
def _classes() -> tuple[ox.Quad, ...]:
    """The class hierarchy, which `sh:targetClass` and `sh:class` follow."""
    hierarchy = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
    graph = ox.NamedNode("https://w3id.org/payergraph/ontology")
    return tuple(
        ox.Quad(quad.subject, quad.predicate, quad.object, graph)
        for quad in ox.parse(path=ONTOLOGY / "payergraph.ttl", format=ox.RdfFormat.TURTLE)
        if quad.predicate.value == hierarchy
    )


def _batches(quads: Sequence[ox.Quad]) -> Iterator[list[ox.Quad]]:
    """Put graphs together that share no subject."""
    by_graph: dict[str, list[ox.Quad]] = defaultdict(list)
    for quad in quads:
        by_graph[str(quad.graph_name)].append(quad)
    batches: list[tuple[set[str], list[ox.Quad]]] = []
    for _, graph in sorted(by_graph.items()):
        subjects = {str(quad.subject) for quad in graph}
        for taken, batch in batches:
            if taken.isdisjoint(subjects):
                taken |= subjects
                batch += graph
                break
        else:
            batches.append((subjects, list(graph)))
    return (batch for _, batch in batches)


def _run(quads: Iterable[ox.Quad], scope: Scope) -> Graph:
    store = ox.Store()
    store.extend(quads)
    store.extend(_classes())
    return run(store, shapes_graph(scope))


def _findings(report: Graph, scope: Scope, quads: Sequence[ox.Quad], locate: Locate | None) -> Iterator[Finding]:
    homes: dict[str, str] = {}
    for result in report.subjects(RDF.type, SH.ValidationResult):
        if not homes:
            homes = {str(quad.subject)[1:-1]: str(quad.graph_name)[1:-1] for quad in quads}
        focus = str(report.value(result, SH.focusNode))
        path, value = _text(report.value(result, SH.resultPath)), _text(report.value(result, SH.value))
        yield Finding(
            severity=_SEVERITIES[report.value(result, SH.resultSeverity)],
            scope=scope,
            message=" ".join(sorted(str(message) for message in report.objects(result, SH.resultMessage))),
            shape=str(report.value(result, SH.sourceShape)),
            component=str(report.value(result, SH.sourceConstraintComponent)),
            focus=focus,
            path=path,
            value=value,
            graph=homes.get(focus),
            place=locate(focus, path, value) if locate else None,
        )


def _text(node: Node | None) -> str | None:
    return str(node) if isinstance(node, URIRef | RdfLiteral) else None
