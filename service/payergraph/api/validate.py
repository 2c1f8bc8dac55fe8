"""`POST /validate`: RDF in, the SHACL report out.

In:  a body in any RDF syntax that files may have. A triple that stands in no graph is put into that of the document
     whose fragment its subject is, else into one for the body; blank nodes are refused, as they are in files.
Out: the report as RDF or JSON; a body that does not parse is a problem with line and column.

What the body points at may stand in the served graph, so its neighbours there, and the documents that it adds to, are
judged with it: a reference that resolves there is no fault. What the body says of a subject in a graph stands in place
of what is served. Only findings on the body's own subjects are told.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Final

import orjson
import pyoxigraph as ox
from fastapi import APIRouter
from pydantic import BaseModel
from rdflib import RDF, SH, BNode, Graph, Literal, Node
from starlette.requests import Request
from starlette.responses import Response

from payergraph.api.bodies import content_type, read_body
from payergraph.api.negotiation import GRAPH_FORMATS, Format, negotiate
from payergraph.api.service import ServiceDependency
from payergraph.errors import UnsupportedMediaTypeError
from payergraph.namespaces import BASE, DERIVED_GRAPH, QUERY_GRAPH
from payergraph.reports import to_dict
from payergraph.sources import Dataset, Fact, parse
from payergraph.validation import Report, validate

__all__ = ["ValidationFinding", "ValidationReport", "router"]

router = APIRouter(tags=["validation"])

_SYNTAXES: Final = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/trig": ox.RdfFormat.TRIG,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
}
"""The syntaxes of a body, by its media type."""
_JSON: Final = Format("application/json", "json")
_REPORT_FORMATS: Final = (
    _JSON,
    *(
        offer
        for offer in GRAPH_FORMATS
        if offer.suffix in ("ttl", "nt", "rdf", "jsonld") and offer.media_type != _JSON.media_type
    ),
)
_RDFLIB_NAMES: Final = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}
_BODY: Final = "body"
"""The name under which findings and errors speak of what was sent."""
_BODY_GRAPH: Final = f"{BASE}source/body"
"""The graph of triples that stand in none."""
_JUDGE: Final = ThreadPoolExecutor(1, thread_name_prefix="validate")
"""One document at a time: judging is Python, so two at once would only slow each other and everything else."""
_UNSTATED: Final = (DERIVED_GRAPH, QUERY_GRAPH)
"""Graphs that no document states, and that shapes do not judge."""


class ValidationFinding(BaseModel):
    """One result of the shapes; absent values are null."""

    severity: str
    scope: str
    message: str
    shape: str
    component: str
    focus: str
    path: str | None
    value: str | None
    graph: str | None
    file: str | None
    line: int | None


class ValidationReport(BaseModel):
    """Whether nothing is violated, and every finding."""

    conforms: bool
    findings: list[ValidationFinding]
    snapshot: str


@router.post(
    "/validate",
    summary="Judge RDF by the shapes",
    response_model=ValidationReport,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {media_type: {"schema": {"type": "string"}} for media_type in _SYNTAXES},
        },
        "responses": {
            "200": {"content": {offer.media_type: {} for offer in _REPORT_FORMATS}},
        },
    },
)
async def post_validate(request: Request, service: ServiceDependency) -> Response:
    """Judge a document by the shapes, without keeping it.

    The report comes as JSON, with the line of each finding, or as RDF: Turtle, N-Triples, RDF/XML or JSON-LD.
    """
    chosen = negotiate(request.headers.get("accept"), _REPORT_FORMATS)
    media_type, _ = content_type(request)
    if media_type not in _SYNTAXES:
        raise UnsupportedMediaTypeError(media_type, list(_SYNTAXES))
    body = await read_body(request, service.settings.body_bytes)
    snapshot = service.snapshot
    loop = asyncio.get_running_loop()
    report = await loop.run_in_executor(_JUDGE, judge, body, _SYNTAXES[media_type], snapshot.store)
    headers = {"Content-Type": chosen.content_type, "Vary": "Accept", "Cache-Control": "no-store"}
    if chosen == _JSON:
        return Response(orjson.dumps({**to_dict(report), "snapshot": snapshot.id}), headers=headers)
    render = partial(report.graph.serialize, format=_RDFLIB_NAMES[chosen.suffix])
    content = await loop.run_in_executor(_JUDGE, render)
    return Response(content, headers=headers)


def judge(body: bytes, syntax: ox.RdfFormat, store: ox.Store) -> Report:
    """Judge a body beside the served graph; this may take seconds.

    :raises SourceSyntaxError: if it does not parse, or not all of it can be a stated fact; with line and column
    """
    parsed = parse(body, path=_BODY, format=syntax, graph=_BODY_GRAPH)
    dataset = Dataset((replace(parsed, facts=tuple(_at_home(fact) for fact in parsed.facts)),))
    stated = list(dataset.quads())
    report = validate([*stated, *_neighbours(stated, store)], locate=dataset.locate)
    return _within(report, {_text(quad.subject) for quad in stated})


def _at_home(fact: Fact) -> Fact:
    """Put a fact that stood in no graph into that of the document whose fragment its subject is."""
    quad = fact.quad
    document, mark, _ = _text(quad.subject).partition("#")
    if _text(quad.graph_name) != _BODY_GRAPH or not mark:
        return fact
    return replace(fact, quad=ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(document)))


def _neighbours(stated: Sequence[ox.Quad], store: ox.Store) -> Iterator[ox.Quad]:
    """What is served of a body's subjects and objects, where the body says nothing of them in that graph itself."""
    said = {(quad.subject, quad.graph_name) for quad in stated}
    graphs = {quad.graph_name for quad in stated}
    nodes = {node for quad in stated for node in (*quad, quad.graph_name) if isinstance(node, ox.NamedNode)}
    around = (
        *(quad for node in nodes for quad in store.quads_for_pattern(node, None, None, None)),
        *(quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph)),
    )
    for quad in around:
        graph = quad.graph_name
        served = isinstance(graph, ox.NamedNode) and graph.value not in _UNSTATED
        if served and (quad.subject, graph) not in said:
            yield quad


def _within(report: Report, subjects: set[str]) -> Report:
    """The report on these subjects alone: one `sh:ValidationReport`, whichever scopes were judged."""
    findings = tuple(finding for finding in report.findings if finding.focus in subjects)
    graph, root = Graph(), BNode()
    graph.bind("sh", SH)
    graph.add((root, RDF.type, SH.ValidationReport))
    graph.add((root, SH.conforms, Literal(not findings)))  # SHACL's word counts every result, not violations alone
    for result in report.graph.subjects(RDF.type, SH.ValidationResult):
        if str(report.graph.value(result, SH.focusNode)) in subjects:
            graph.add((root, SH.result, result))
            _copy(report.graph, graph, result)
    return Report(findings, graph)


def _copy(source: Graph, target: Graph, node: Node) -> None:
    """Copy what is said of a node, and of the blank nodes that it leads to."""
    for triple in source.triples((node, None, None)):
        if triple not in target:
            target.add(triple)
            if isinstance(triple[2], BNode):
                _copy(source, target, triple[2])


def _text(term: Any) -> str:
    return str(term.value)
