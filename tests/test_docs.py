"""The generated pages are what their sources give, and every word of the ontology has a use and a meaning."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from rdflib import OWL, RDF, RDFS, SKOS, Graph

from payergraph.namespaces import ONTOLOGY
from payergraph.queries import load_queries
from payergraph.settings import Settings

ROOT = Path(__file__).parents[1]
TERMS = Graph().parse(ROOT / "ontology" / "payergraph.ttl")
NAMES = {str(term).removeprefix(ONTOLOGY) for term in TERMS.subjects(RDFS.isDefinedBy)}


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_query_and_setting_is_documented() -> None:
    queries = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
    assert all(name in queries for name in load_queries())
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert all(name in settings for name in Settings.model_fields)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_term_has_one_label_one_definition_and_an_example_or_a_note(name: str) -> None:
    term = next(term for term in TERMS.subjects(RDFS.isDefinedBy) if str(term) == ONTOLOGY + name)
    assert len(list(TERMS.objects(term, RDFS.label))) == 1
    assert len(list(TERMS.objects(term, SKOS.definition))) == 1
    assert list(TERMS.objects(term, SKOS.example)) or list(TERMS.objects(term, SKOS.scopeNote))
    assert {OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty} & set(TERMS.objects(term, RDF.type))


def test_no_term_is_undefined_or_unused() -> None:
    patterns = (
        "data/**/*.trig",
        "shapes/**/*.ttl",
        "queries/*.rq",
        "service/payergraph/derivation/*.rq",
        "ontology/schemes.ttl",
    )
    texts = [path.read_text(encoding="utf-8") for pattern in patterns for path in ROOT.glob(pattern)]
    used = {name for text in texts for name in re.findall(r"\bpg:([A-Za-z]+)", text)}
    derived = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("service/payergraph/derivation/*.py"))
    assert used <= NAMES
    unused = {name for name in NAMES - used if f'"{name}"' not in derived}
    assert not unused


def test_versions_agree() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    for name in ("payergraph", "schemes", "alignments"):
        graph = Graph().parse(ROOT / "ontology" / f"{name}.ttl")
        [ontology] = graph.subjects(RDF.type, OWL.Ontology)
        assert str(graph.value(ontology, OWL.versionInfo)) == version[1]
        assert str(graph.value(ontology, OWL.versionIRI)).endswith(f"/{version[1]}")
