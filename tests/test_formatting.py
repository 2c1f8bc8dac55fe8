"""The one form of our files: expected outputs, the same facts before and after, and refusals."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payergraph.errors import NotFoundError, SourceSyntaxError
from payergraph.formatting import format_files, format_text
from payergraph.formatting.prefixes import Names, choose_prefixes, relative
from payergraph.formatting.reading_order import natural, reading_order
from payergraph.namespaces import BASE, ONTOLOGY, PREFIXES
from payergraph.sources import SourceFaultsError

FIXTURES = Path(__file__).parent / "fixtures" / "formatting"
INPUTS = sorted(FIXTURES.glob("*.in.*"))
XSD = PREFIXES["xsd"]
HEAD = f"@base <{BASE}> .\n"


def expected(path: Path) -> Path:
    return path.with_name(path.name.replace(".in.", ".out."))


def quads_of(text: str, syntax: ox.RdfFormat = ox.RdfFormat.TRIG) -> ox.Dataset:
    dataset = ox.Dataset(ox.parse(text.encode(), format=syntax, base_iri=BASE))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return dataset


def trig(quads: Iterable[ox.Quad]) -> str:
    return (ox.serialize(quads, format=ox.RdfFormat.TRIG) or b"").decode()


# Names that tempt a formatter: relative paths, escapes, empty parts, dots, numbers, other schemes
iris = st.one_of(
    st.sampled_from(
        ["", "a:b", "//x", "/x", "../x", "./x", "x/../y", "x/.", "?q", "#f", "x?a/../b", "ontology#", "x//y"],
    )
    .map(BASE.__add__)
    .map(ox.NamedNode),
    st.from_regex(r"(code/cpt|source/e/P1|scheme|ontology|x)[/#][A-Za-z0-9._~é%:-]{0,6}", fullmatch=True)
    .filter(lambda path: "%" not in path)
    .map(BASE.__add__)
    .map(ox.NamedNode),
    st.sampled_from(["urn:a:b", "http://example.org/a#b", f"{PREFIXES['rdf']}type", f"{PREFIXES['rdf']}nil"]).map(
        ox.NamedNode
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"\n\r\t#'), max_size=8)
literals = st.one_of(
    st.builds(ox.Literal, texts),
    st.builds(lambda text: ox.Literal(text, language="en"), texts),
    st.builds(
        lambda text, name: ox.Literal(text, datatype=ox.NamedNode(XSD + name)),
        st.sampled_from(["1", "-1", "+1", "1.0", ".5", "1.", "1e3", "true", "TRUE", "", "2024-01-03", "soon"]),
        st.sampled_from(["integer", "decimal", "boolean", "double", "date", "string"]),
    ),
)
quads = st.lists(st.builds(ox.Quad, iris, iris, iris | literals, iris), max_size=12)
terms = st.recursive(
    iris.map(str) | literals.map(str),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"( {' '.join(items)} )"),
        st.lists(inner, max_size=3).map(lambda items: f"[ {' ; '.join(f'<p{len(i)}> {i}' for i in items)} ]"),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_a_file_gets_the_expected_form(path: Path) -> None:
    assert format_text(path.read_text(), path=path) == expected(path).read_text()


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_the_expected_form_is_stable(path: Path) -> None:
    text = expected(path).read_text()
    assert format_text(text, path=path) == text


@settings(deadline=None)
@given(quads, st.randoms())
def test_facts_stay_and_their_order_in_the_file_does_not_matter(facts: list[ox.Quad], random: Random) -> None:
    text = format_text(trig(facts), path="x.trig")
    assert quads_of(text) == ox.Dataset(facts)
    assert format_text(text, path="x.trig") == text
    random.shuffle(facts)
    assert format_text(trig(facts), path="x.trig") == text


@settings(deadline=None)
@given(st.lists(st.tuples(iris.map(str), terms), max_size=6))
def test_blank_nodes_and_lists_stay(statements: list[tuple[str, str]]) -> None:
    before = "".join(f"{subject} <p> {term} .\n" for subject, term in statements)
    text = format_text(before, path="x.ttl")
    assert quads_of(text, ox.RdfFormat.TURTLE) == quads_of(before, ox.RdfFormat.TURTLE)
    assert format_text(text, path="x.ttl") == text


def test_the_hash_seed_does_not_matter(tmp_path: Path) -> None:
    results = set()
    for seed in ("0", "1", "4711"):
        for path in INPUTS:
            (tmp_path / path.name).write_text(path.read_text())
        run(tmp_path, env={**os.environ, "PYTHONHASHSEED": seed})
        results.add(tuple((tmp_path / path.name).read_text() for path in INPUTS))
    assert results == {tuple(expected(path).read_text() for path in INPUTS)}


@pytest.mark.parametrize(
    "text",
    [
        "<g> {\n  <a> <b> <c> . # lost\n}",
        "# head\n<g> {\n  # lost\n  <a> <b> <c> }",
        '<g> { <a> <b> """#\n""" . # lost\n}',
        "# head\n@prefix x: <y#> .\n\n# lost",
    ],
)
def test_a_comment_below_the_head_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(SourceSyntaxError, match="a comment below the head would be lost") as caught:
        format_text(text, path="x.trig")
    assert caught.value.line == next(n for n, line in enumerate(text.split("\n"), 1) if "# lost" in line)


@pytest.mark.parametrize("fact", ["<a#b> <c#> 1", "<a> <b> '#', \"#\"", "<a> <b> '''\n#'''", "<a> <b> x:c\\#d"])
def test_a_hash_sign_that_starts_no_comment_is_none(fact: str) -> None:
    text = f"@prefix x: <x/> .\n<g> {{ {fact} }}"
    assert quads_of(format_text(text, path="x.trig")) == quads_of(text)


@pytest.mark.parametrize(
    "text",
    ["_:a <b> _:a .", "<a> <b> _:x . <c> <d> _:x .", "_:a <b> _:c . _:c <b> _:a ."],
    ids=["itself", "twice", "circle"],
)
def test_a_blank_node_that_is_no_part_of_one_fact_is_refused(text: str) -> None:
    with pytest.raises(SourceSyntaxError, match="Give it an IRI"):
        format_text(text, path="x.ttl")


def test_a_triple_in_no_graph_is_refused() -> None:
    with pytest.raises(SourceSyntaxError, match="no named graph"):
        format_text("<a> <b> <c> .", path="x.trig")


def test_other_syntaxes_are_refused() -> None:
    with pytest.raises(SourceSyntaxError, match="only files that end in"):
        format_text("", path="x.nt")


def test_an_empty_file_keeps_its_head() -> None:
    assert format_text("# Nothing yet.\n\n", path="x.trig") == f"# Nothing yet.\n{HEAD}"


def test_turtle_keeps_the_order_of_its_subjects() -> None:
    text = format_text("<z> <p> 1 . <a> <p> 2 . <z> <o> 3 .", path="x.ttl")
    assert text == f"{HEAD}\n<z> <o> 3 ;\n  <p> 1 .\n\n<a> <p> 2 .\n"


def test_fragments_follow_the_subject_that_they_belong_to() -> None:
    facts = "<x#2> a <ontology#Coding> . <y> a <ontology#Intervention> . <x> a <ontology#Intervention> ."
    text = format_text(f"<g/> {{ {facts} }}", path="x.trig")
    assert [line.split()[0] for line in text.splitlines() if " a " in line] == ["<x>", "<x#2>", "<y>"]


def test_properties_come_in_the_order_of_the_ontology(tmp_path: Path) -> None:
    (tmp_path / "o.ttl").write_text(
        f"@prefix pg: <{ONTOLOGY}> . @prefix owl: <{PREFIXES['owl']}> . @prefix rdfs: <{PREFIXES['rdfs']}> ."
        "pg:Statement a owl:Class . pg:Zebra a owl:Class ; rdfs:subClassOf pg:Statement ."
        "pg:Ape a owl:Class ; rdfs:subClassOf pg:Statement . pg:Foal a owl:Class ; rdfs:subClassOf pg:Zebra ."
        "pg:z a owl:ObjectProperty . pg:a a owl:DatatypeProperty ."
    )
    order = reading_order(tmp_path / "o.ttl")
    names = ["other", f"{ONTOLOGY}a", f"{ONTOLOGY}z", f"{PREFIXES['rdfs']}label", f"{PREFIXES['rdf']}type"]
    closing = f"{PREFIXES['rdfs']}isDefinedBy"
    assert sorted([closing, *names], key=order.predicate) == [*reversed(names), closing]
    subjects = {"ape": "Ape", "foal": "Foal", "mule": "Zebra", "unknown": "Fish"}
    assert sorted(subjects, key=lambda s: order.subject(s, [ONTOLOGY + subjects[s]])) == [
        "foal",
        "mule",
        "ape",
        "unknown",
    ]


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ("p-10 p-2", "p-2 p-10"),
        ("c-1.10 c-1.2 c-1", "c-1 c-1.2 c-1.10"),
        ("p1 p 1 p01", "1 p p01 p1"),
    ],
)
def test_numbers_in_names_count_as_numbers(names: str, ordered: str) -> None:
    assert sorted(names.split(), key=natural) == ordered.split()


def test_documents_get_readable_prefixes() -> None:
    documents = [f"{BASE}source/{key}" for key in ("e/P1/2024-01-03", "e/P1/~undated-1", "e/P2/2024-01-03", "e/~a.b")]
    own = {name: iri for name, iri in choose_prefixes({}, documents).items() if name not in PREFIXES}
    assert list(own) == ["s2024-01-03", "s-undated-1", "sP2-2024-01-03", "s-a-b"]


def test_two_documents_with_names_alike_get_two_prefixes() -> None:
    documents = [f"{BASE}a.b", f"{BASE}a-b"]
    assert [*choose_prefixes({}, documents)][-2:] == ["sa-b", "sa-b-2"]


def test_our_prefixes_mean_what_they_mean() -> None:
    prefixes = choose_prefixes({"pg": "http://example.org/", "dct": PREFIXES["dcterms"], "": "urn:x:"}, [])
    assert prefixes == PREFIXES | {"": "urn:x:"}
    assert Names(prefixes).short("urn:x:y") == ":y"


@pytest.mark.parametrize(
    ("path", "short"),
    [("x/y#z", "<x/y#z>"), ("a:b", None), ("/x", None), ("x/../y", None), ("", None), ("x?a:b", "<x?a:b>")],
)
def test_iris_are_relative_where_that_is_safe(path: str, short: str | None) -> None:
    assert relative(BASE + path) == (short or f"<{BASE}{path}>")


def test_files_are_written_or_only_named(tmp_path: Path) -> None:
    (tmp_path / "good.trig").write_text(format_text("<g> { <a> <b> 1 }", path="x.trig"))
    (tmp_path / "bad.trig").write_text("<g> { <a> <b> 1 }")
    (tmp_path / "context.jsonld").write_text("{}")
    assert format_files([tmp_path], check=True) == [tmp_path / "bad.trig"]
    assert (tmp_path / "bad.trig").read_text() == "<g> { <a> <b> 1 }"
    assert format_files([tmp_path], check=False) == [tmp_path / "bad.trig"]
    assert format_files([tmp_path], check=True) == []


def test_nothing_is_written_if_one_file_is_faulty(tmp_path: Path) -> None:
    (tmp_path / "a.trig").write_text("<g> { <a> <b> 1 }")
    (tmp_path / "b.trig").write_text("<g> {")
    (tmp_path / "c.ttl").write_text("<a> <b> 1 . # lost")
    (tmp_path / "d.ttl").write_bytes(b"\xff")
    with pytest.raises(SourceFaultsError) as caught:
        format_files([tmp_path], check=False)
    assert [Path(fault.path).name for fault in caught.value.faults] == ["b.trig", "c.ttl", "d.ttl"]
    assert (tmp_path / "a.trig").read_text() == "<g> { <a> <b> 1 }"


def test_a_path_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        format_files([tmp_path], check=False)


def test_command_line_says_what_it_did(tmp_path: Path) -> None:
    (tmp_path / "a.trig").write_text("<g> { <a> <b> 1 }")
    checked = run("--check", tmp_path)
    assert (checked.returncode, "not in form" in checked.stderr, checked.stdout) == (1, True, "")
    assert run(tmp_path).returncode == 0
    assert run("--check", tmp_path).returncode == 0
    assert run(tmp_path / "nothing").returncode == 2
    (tmp_path / "a.trig").write_text("<g> {")
    broken = run(tmp_path)
    assert (broken.returncode, "a.trig, line 1: " in broken.stderr) == (1, True)


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "payergraph.formatting", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=60)
