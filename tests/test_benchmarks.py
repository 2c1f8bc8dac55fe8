"""The generated graphs of the benchmarks: the same bytes always, our shape, and answers that do not grow."""

import os
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from benchmarks import generate
from payergraph.derivation import derive
from payergraph.namespaces import DERIVED_GRAPH, QUERY_GRAPH
from payergraph.queries import load_queries
from payergraph.validation import validate

ROOT = Path(__file__).parents[1]
MORE = 6_000
"""Quads beside the shipped ones: one small community."""


def stands_in(quad: ox.Quad, *graphs: str) -> bool:
    return isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value in graphs


def write(path: Path, hash_seed: str, seed: int = generate.SEED) -> bytes:
    size = str(len(generate.shipped().lines) + MORE)
    command = [sys.executable, "benchmarks/generate.py", size, str(path), "--seed", str(seed), "--processes", "1"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, check=True, capture_output=True)
    return path.read_bytes()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generated") / "graph.nq"
    write(path, "1")
    return path


@pytest.fixture(scope="module")
def quads(graph: Path) -> list[ox.Quad]:
    return list(ox.parse(path=graph, format=ox.RdfFormat.N_QUADS))


@pytest.fixture(scope="module")
def made(quads: list[ox.Quad]) -> list[ox.Quad]:
    """What is stated of communities alone."""
    shipped = set(generate.shipped().lines)
    return [quad for quad in quads if str(quad) not in shipped and not stands_in(quad, DERIVED_GRAPH)]


def test_same_bytes_under_two_hash_seeds(graph: Path, tmp_path: Path) -> None:
    assert write(tmp_path / "again.nq", "2") == graph.read_bytes()


def test_another_seed_draws_other_documents(graph: Path, tmp_path: Path) -> None:
    assert write(tmp_path / "other.nq", "1", seed=1) != graph.read_bytes()


def test_size_is_about_what_was_asked(quads: list[ox.Quad]) -> None:
    more = len(quads) - len(generate.shipped().lines)
    assert 0.5 * MORE < more < 1.5 * MORE
    assert len(set(quads)) == len(quads)


def test_communities_say_nothing_of_shipped_things(made: list[ox.Quad]) -> None:
    shipped = {line.partition(" ")[0] for line in generate.shipped().stated}
    assert made
    assert not shipped & {str(quad.subject) for quad in made}


def test_communities_hold_to_the_document_shapes(made: list[ox.Quad]) -> None:
    shared = ox.parse("".join(f"{line} .\n" for line in generate.template().shared), format=ox.RdfFormat.N_QUADS)
    report = validate([*shared, *made], scopes=("document",))
    assert not [(found.focus, found.message) for found in report.violations]


def test_derived_quads_are_what_derivation_derives_of_the_whole(quads: list[ox.Quad]) -> None:
    store = ox.Store()
    store.bulk_extend(quad for quad in quads if not stands_in(quad, DERIVED_GRAPH, QUERY_GRAPH))
    assert set(derive(store)) == {quad for quad in quads if stands_in(quad, DERIVED_GRAPH)}


def test_answers_do_not_grow(quads: list[ox.Quad]) -> None:
    """But for the questions that ask about everybody."""
    shipped, grown = ox.Store(), ox.Store()
    lines = "".join(f"{line} .\n" for line in generate.shipped().lines)
    shipped.bulk_extend(ox.parse(lines, format=ox.RdfFormat.N_QUADS))
    grown.bulk_extend(quads)

    def rows(store: ox.Store, text: str) -> list[str]:
        answer = store.query(text)
        assert isinstance(answer, ox.QuerySolutions)
        return sorted(map(str, answer))

    queries = load_queries()
    assert queries.keys() >= generate.GROWING
    differ = {name for name, query in queries.items() if rows(shipped, query.text) != rows(grown, query.text)}
    assert differ <= generate.GROWING
