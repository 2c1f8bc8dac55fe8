"""From files to a snapshot that answers; whatever goes wrong, the one before goes on answering."""

import subprocess
import sys
from pathlib import Path

import pytest

from payergraph.build import build
from payergraph.errors import InvalidDataError, SourceSyntaxError, StoreError
from payergraph.exports import FORMATS, export
from payergraph.namespaces import BASE
from payergraph.store import Snapshot, build_lock, open_current
from tests.policies import HEAD

GOOD = HEAD + '<area/> { <area/US> a pg:Area ; skos:prefLabel "United States"@en ; skos:notation "US" . }\n'
DANGLING = GOOD + (
    '<area/> { <area/US-OH> a pg:Area ; skos:prefLabel "Ohio"@en ; skos:notation "US-OH" ;'
    " skos:broader <area/USA> . }\n"
)
TWO_GRAPHS = GOOD + (
    '<source/a> { <source/a#finding-1> a pg:Finding ; dcterms:description "One."@en ; pg:locator "1" . }\n'
    '<source/b> { <source/a#finding-1> a pg:Finding ; dcterms:description "Two."@en ; pg:locator "1" . }\n'
)


@pytest.fixture
def answering(tmp_path: Path) -> tuple[Path, str]:
    """A store with a snapshot of a small good file, and the snapshot's id."""
    (tmp_path / "good.trig").write_text(GOOD)
    store = tmp_path / "store"
    return store, build(store, [tmp_path / "good.trig"]).snapshot.id


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("<source/a> { <source/a#x> a pg:Finding .", SourceSyntaxError, "bad.trig, line 1"),
        (GOOD + "\n<source/a> {\n  <source/a#x> a ;\n}", SourceSyntaxError, "bad.trig, line"),
        (DANGLING, InvalidDataError, "area/USA"),
        (TWO_GRAPHS, InvalidDataError, "finding-1"),
        (GOOD.replace('"US"', "17"), InvalidDataError, "notation"),
    ],
    ids=["malformed", "malformed-later", "dangling-reference", "statement-in-two-graphs", "wrong-type"],
)
def test_bad_data_stops_the_build_and_the_old_snapshot_goes_on_answering(
    text: str, error: type[Exception], says: str, answering: tuple[Path, str], tmp_path: Path
) -> None:
    store, before = answering
    (tmp_path / "bad.trig").write_text(text)
    with pytest.raises(error) as caught:
        build(store, [tmp_path / "bad.trig"])
    told = str(caught.value)
    if isinstance(caught.value, InvalidDataError):
        told = "\n".join(
            f"{finding.place} {finding.focus} {finding.value} {finding.path}"
            for finding in caught.value.report.violations
        )
        assert "bad.trig:" in told
    assert says in told
    assert open_current(store).id == before
    assert not list(store.glob(".building-*"))


def test_an_unchanged_build_is_the_same_snapshot(answering: tuple[Path, str], tmp_path: Path) -> None:
    store, before = answering
    assert build(store, [tmp_path / "good.trig"]).snapshot.id == before


def test_a_second_build_fails_at_once_when_told_not_to_wait(answering: tuple[Path, str], tmp_path: Path) -> None:
    store, before = answering
    with build_lock(store), pytest.raises(StoreError, match="build"):
        build(store, [tmp_path / "good.trig"], wait=False)
    assert open_current(store).id == before


def test_the_steps_are_told_in_order(tmp_path: Path) -> None:
    (tmp_path / "good.trig").write_text(GOOD)
    steps: list[str] = []
    build(tmp_path / "store", [tmp_path / "good.trig"], on_step=steps.append)
    assert steps == ["read", "validate", "derive", "write", "done"]


@pytest.mark.parametrize("format_name", FORMATS)
def test_two_builds_export_the_same_bytes_whatever_the_hash_seed(format_name: str, tmp_path: Path) -> None:
    (tmp_path / "good.trig").write_text(GOOD)
    program = (
        "import sys; from pathlib import Path; from payergraph.build import build;"
        "from payergraph.exports import export;"
        "export(build(Path(sys.argv[1]), [sys.argv[2]]).snapshot, sys.stdout.buffer, sys.argv[3])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program, tmp_path / f"store-{seed}", tmp_path / "good.trig", format_name],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 10_000


def test_an_export_holds_every_quad_of_the_snapshot(shipped: Snapshot, tmp_path: Path) -> None:
    import pyoxigraph as ox

    for name, count in (("trig", shipped.manifest.quads), ("turtle", shipped.manifest.triples)):
        path = tmp_path / name
        with path.open("wb") as file:
            export(shipped, file, name)
        assert sum(1 for _ in ox.parse(path=path, format=FORMATS[name], base_iri=BASE)) == count
