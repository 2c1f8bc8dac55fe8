"""What is right passes every shape, and each way to be wrong has a file that fails for exactly that reason.

A folder of `tests/shapes/` belongs to the file of `shapes/<scope>/` of the same name (`CodeList` to `code-list.ttl`)
and is judged by that file alone, with the property shapes that several classes share. `valid*` files give no finding.
Every other file is called `<shape>.<reason>` after the local name of the one shape that it fails; its first line says
which node fails: `# focus: <IRI>`. It is one change away from a valid file of its folder.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pyoxigraph as ox
import pyrudof
import pytest
from rdflib import RDF, RDFS, SH, Graph, Literal, Node, URIRef

from payergraph.namespaces import BASE, SHAPES
from payergraph.resources import DATA, ONTOLOGY
from payergraph.resources import SHAPES as SHAPES_FOLDER
from payergraph.shacl_engine import run

FOLDER = Path(__file__).parent / "shapes"
FORMATS = {".ttl": ox.RdfFormat.TURTLE, ".trig": ox.RdfFormat.TRIG}
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in FORMATS)
VALID = [path for path in FILES if path.name.startswith("valid.")]
FAILING = [path for path in FILES if path not in VALID]

COMPONENTS = {
    SH["class"]: SH.ClassConstraintComponent,
    SH.closed: SH.ClosedConstraintComponent,
    SH.datatype: SH.DatatypeConstraintComponent,
    SH.hasValue: SH.HasValueConstraintComponent,
    SH["in"]: SH.InConstraintComponent,
    SH.languageIn: SH.LanguageInConstraintComponent,
    SH.lessThanOrEquals: SH.LessThanOrEqualsConstraintComponent,
    SH.maxCount: SH.MaxCountConstraintComponent,
    SH.minCount: SH.MinCountConstraintComponent,
    SH.minInclusive: SH.MinInclusiveConstraintComponent,
    SH.nodeKind: SH.NodeKindConstraintComponent,
    SH["or"]: SH.OrConstraintComponent,
    SH.pattern: SH.PatternConstraintComponent,
    SH.sparql: SH.SPARQLConstraintComponent,
    SH.uniqueLang: SH.UniqueLangConstraintComponent,
}
"""The parameters of our shapes and the constraint component of each; a new one is added here with its first use."""

TARGETS = (SH.targetClass, SH.targetSubjectsOf)

NO_CONSTRAINT = {
    *TARGETS,
    RDF.type,
    RDFS.isDefinedBy,
    SH.ignoredProperties,
    SH.path,
    SH.property,
    SH.name,
    SH.message,
    SH.severity,
    SH.description,
}
"""What else a shape carries: where it looks and what it says."""

STATEMENTS_APART = 3
"""How far a failing file may be from a valid one: a property that comes in a pair and is said twice makes three."""

ILL_TYPED = (
    "pyrudof 0.3.35 takes any characters for an xsd:date, though SHACL (4.1.2) asks that a literal be well-formed"
)


@dataclass(frozen=True)
class Found:
    """One result of either engine."""

    shape: str
    focus: str
    component: str
    severity: str
    message: str


def readable(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


@cache
def shapes_file(folder: str) -> Path:
    """The shapes that a folder of fixtures is judged by."""
    found = [path for path in SHAPES_FOLDER.glob("*/*.ttl") if path.stem == kebab(folder)]
    assert len(found) == 1, f"tests/shapes/{folder} needs exactly one shapes/*/{kebab(folder)}.ttl; found {found}"
    return found[0]


@cache
def parsed(path: Path) -> Graph:
    return Graph().parse(path, publicID=BASE)


def has_targets(shapes: Graph) -> bool:
    return any((None, predicate, None) in shapes for predicate in TARGETS)


@cache
def shapes_of(folder: str) -> Graph:
    """The shapes of one file, the prefixes, and the property shapes of its scope that it shares with others."""
    file = shapes_file(folder)
    shared = Graph()
    for path in sorted(file.parent.glob("*.ttl")):
        if not has_targets(parsed(path)):
            shared += parsed(path)
    graph = parsed(SHAPES_FOLDER / "prefixes.ttl") + parsed(file)
    for shape in parsed(file).objects(None, SH.property):
        graph += shared.cbd(shape)
    return graph


@cache
def quads_of(path: Path) -> frozenset[ox.Quad]:
    return frozenset(ox.parse(path=path, format=FORMATS[path.suffix], base_iri=BASE))


@cache
def subclasses() -> tuple[ox.Quad, ...]:
    """The class hierarchy, as `payergraph.validation` adds it."""
    triples = ox.parse(path=ONTOLOGY / "payergraph.ttl", format=ox.RdfFormat.TURTLE)
    return tuple(quad for quad in triples if quad.predicate.value.endswith("#subClassOf"))


def background(folder: str) -> Collection[ox.Quad]:
    """What an engine reads beside a file that holds data: the class hierarchy."""
    return () if shapes_file(folder).parent.name == "ontology" else subclasses()


@cache
def found_by_pyshacl(path: Path) -> tuple[Found, ...]:
    store = ox.Store()
    store.extend([*quads_of(path), *background(path.parent.name)])
    report = run(store, shapes_of(path.parent.name))

    def one(result: Node, predicate: URIRef) -> str:
        return str(report.value(result, predicate)).removeprefix(SHAPES).removeprefix(str(SH))

    return tuple(
        Found(
            one(result, SH.sourceShape),
            one(result, SH.focusNode),
            one(result, SH.sourceConstraintComponent),
            one(result, SH.resultSeverity),
            one(result, SH.resultMessage),
        )
        for result in report.objects(None, SH.result)
    )


def expected_focus(path: Path) -> str:
    first = path.read_text().partition("\n")[0]
    match = re.fullmatch(r"# focus: <(.+)>", first)
    assert match, f"{readable(path)}: the first line says which node fails: # focus: <IRI>"
    return match[1]


def local(shape: object) -> str:
    return str(shape or "").removeprefix(SHAPES)


def all_shapes() -> Iterable[tuple[Path, Graph, URIRef]]:
    for path in sorted(SHAPES_FOLDER.glob("*/*.ttl")):
        graph = parsed(path)
        for kind in (SH.NodeShape, SH.PropertyShape):
            for shape in sorted(graph.subjects(RDF.type, kind), key=str):
                assert isinstance(shape, URIRef), f"{path}: a shape without a name"
                yield path, graph, shape


SHAPE_LIST = list(all_shapes())


@pytest.mark.parametrize("path", VALID, ids=readable)
def test_what_is_right_passes(path: Path) -> None:
    assert found_by_pyshacl(path) == ()


@pytest.mark.parametrize("path", FAILING, ids=readable)
def test_what_is_wrong_fails_for_one_reason(path: Path) -> None:
    shape = path.name.partition(".")[0]
    severity = local(shapes_of(path.parent.name).value(URIRef(SHAPES + shape), SH.severity)).rpartition("#")[2]
    assert [(found.shape, found.focus, found.severity) for found in found_by_pyshacl(path)] == [
        (shape, expected_focus(path), severity)
    ]


@pytest.mark.parametrize("path", [path for path in FAILING if path.suffix == ".trig"], ids=readable)
def test_messages_name_what_they_speak_of(path: Path) -> None:
    assert [found.message for found in found_by_pyshacl(path) if "{?" in found.message] == []


def test_a_place_of_service_that_is_printed_as_a_modifier_is_called_by_its_name() -> None:
    (found,) = found_by_pyshacl(FOLDER / "Modifiers" / "Modifiers-another.place-of-service.trig")
    assert found.message.startswith(
        '11 is printed as a modifier and is none. In CMS place of service codes it stands for "Office".'
    )


@pytest.mark.parametrize("path", FAILING, ids=readable)
def test_what_is_wrong_is_one_change_away_from_right(path: Path) -> None:
    valid = [other for other in VALID if other.parent == path.parent]
    quads = quads_of(path)
    distances = [max(len(quads - quads_of(right)), len(quads_of(right) - quads)) for right in valid]
    assert min(distances) <= STATEMENTS_APART


def constraints(shapes: Iterable[tuple[Graph, URIRef]]) -> set[tuple[str, str]]:
    """Each shape with each constraint component that it declares."""
    return {
        (local(shape), str(COMPONENTS[cast("URIRef", predicate)]).removeprefix(str(SH)))
        for graph, shape in shapes
        for predicate in graph.predicates(shape)
        if predicate not in NO_CONSTRAINT
    }


def failed_by(paths: Iterable[Path]) -> set[tuple[str, str]]:
    return {(found.shape, found.component) for path in paths for found in found_by_pyshacl(path)}


@pytest.mark.parametrize("folder", sorted({path.parent.name for path in FILES}))
def test_every_constraint_has_a_file_that_fails_it(folder: str) -> None:
    declared = constraints((graph, shape) for path, graph, shape in SHAPE_LIST if path == shapes_file(folder))
    assert declared - failed_by(path for path in FAILING if path.parent.name == folder) == set()


def test_every_shared_constraint_has_a_file_that_fails_it() -> None:
    """Property shapes that several files share fail in any of the folders that use them."""
    shared = [(graph, shape) for _, graph, shape in SHAPE_LIST if not has_targets(graph)]
    names = {local(shape) for _, shape in shared}
    assert constraints(shared) - failed_by(path for path in FAILING if path.name.partition(".")[0] in names) == set()


def test_every_shapes_file_with_targets_has_a_folder_with_a_valid_file() -> None:
    tested = {shapes_file(path.parent.name) for path in VALID}
    assert [path.stem for path in sorted({path for path, graph, _ in SHAPE_LIST if has_targets(graph)} - tested)] == []


def test_the_ontology_itself_is_right() -> None:
    store = ox.Store()
    for path in sorted(ONTOLOGY.glob("*.ttl")):
        store.extend(ox.parse(path=path, format=ox.RdfFormat.TURTLE, base_iri=BASE))
    shapes = Graph()
    for path in (SHAPES_FOLDER / "prefixes.ttl", *sorted((SHAPES_FOLDER / "ontology").glob("*.ttl"))):
        shapes += parsed(path)
    report = run(store, shapes)
    assert [str(message) for message in report.objects(None, SH.resultMessage)] == []


def test_names_of_shapes_files_are_unique_across_scopes() -> None:
    stems = [path.stem for path in SHAPES_FOLDER.glob("*/*.ttl")]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize(
    ("path", "graph", "shape"), SHAPE_LIST, ids=lambda value: local(value) if isinstance(value, URIRef) else ""
)
def test_every_shape_says_what_it_asks(path: Path, graph: Graph, shape: URIRef) -> None:
    assert str(shape).startswith(SHAPES)
    for predicate in (SH.name, SH.message):
        texts = list(graph.objects(shape, predicate))
        assert len(texts) == 1
        assert isinstance(texts[0], Literal)
        assert texts[0].language == "en"
    assert graph.value(shape, SH.severity, any=False) in {SH.Violation, SH.Warning, SH.Info}
    if (shape, RDF.type, SH.NodeShape) in graph:
        assert graph.value(shape, RDFS.isDefinedBy) == URIRef(f"{BASE}shapes")


def test_every_shape_is_defined_once_and_used() -> None:
    shapes = [shape for _, _, shape in SHAPE_LIST]
    assert len(shapes) == len(set(shapes))
    listed = {shape for _, graph, _ in SHAPE_LIST for shape in graph.objects(None, SH.property)}
    targeting = {shape for _, graph, _ in SHAPE_LIST for target in TARGETS for shape in graph.subjects(target)}
    assert listed | targeting == set(shapes)


def test_every_class_of_the_data_has_a_shape() -> None:
    """Through its own name or that of a class above it."""
    above: dict[str, set[str]] = {}
    for quad in subclasses():
        above.setdefault(str(quad.subject), set()).add(str(quad.object))
    targets = {
        f"<{target}>"
        for path, graph, _ in SHAPE_LIST
        if path.parent.name == "document"
        for target in graph.objects(None, SH.targetClass)
    }
    used = {
        str(quad.object)
        for file in DATA.rglob("*.trig")
        for quad in ox.parse(path=file, base_iri=BASE)
        if quad.predicate.value == str(RDF.type) and str(quad.object).startswith(f"<{BASE}ontology#")
    }
    assert {name for name in used if name not in targets and not above.get(name, set()) & targets} == set()


def is_core(shape: str, folder: str) -> bool:
    graph = shapes_of(folder)
    return (URIRef(SHAPES + shape), SH.sparql, None) not in graph


@cache
def second_engine(folder: str) -> pyrudof.Rudof:
    """Pyrudof with the shapes of a folder, those taken out by name that it would skip in silence and call right."""
    core = Graph()
    core += shapes_of(folder)
    for shape in set(core.subjects(SH.sparql)):
        core.remove((shape, None, None))
    engine = pyrudof.Rudof(pyrudof.RudofConfig())
    engine.read_shacl(core.serialize(format="turtle"), pyrudof.ShaclFormat.Turtle)
    engine.read_data(n_triples(subclasses()), pyrudof.RDFFormat.NTriples)
    return engine


def n_triples(quads: Iterable[ox.Quad]) -> str:
    triples = {ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads}
    text = ox.serialize(sorted(triples, key=str), format=ox.RdfFormat.N_TRIPLES)
    assert text is not None
    return text.decode()


def found_by_pyrudof(path: Path) -> set[tuple[str, str]]:
    engine = second_engine(path.parent.name)
    engine.begin_staging()  # a tenth of a second less than reading everything anew
    try:
        engine.read_data(n_triples(quads_of(path)), pyrudof.RDFFormat.NTriples, merge=True)
        return {(entry.focus_node, local(entry.source_shape)) for entry in engine.validate_shacl().violations}
    finally:
        engine.rollback_staging()


def with_known_faults(path: Path) -> Any:
    """The file as a parameter, marked where pyrudof is known to be wrong."""
    if path.stem.endswith(".not-a-date"):
        return pytest.param(path, marks=pytest.mark.xfail(strict=True, reason=ILL_TYPED))
    return path


@pytest.mark.parametrize("path", [with_known_faults(path) for path in FILES], ids=readable)
def test_a_second_engine_agrees(path: Path) -> None:
    ours = {(found.focus, found.shape) for found in found_by_pyshacl(path) if is_core(found.shape, path.parent.name)}
    assert found_by_pyrudof(path) == ours
