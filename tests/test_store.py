"""Snapshots: whole or not at all, equal for equal data, never deleted while somebody reads."""

import gzip
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, QuerySolutions

from payergraph.errors import StoreError
from payergraph.store import Snapshot, build_lock, open_current, write_snapshot
from payergraph.store.manifest import DATASET, MANIFEST

P = NamedNode("https://example.org/p")
G = NamedNode("https://example.org/g")


def quad(number: int, graph: NamedNode | DefaultGraph = G) -> Quad:
    return Quad(NamedNode(f"https://example.org/s{number}"), P, Literal(number), graph)


def count(snapshot: Snapshot, query: str) -> int:
    rows = snapshot.store.query(query)
    assert isinstance(rows, QuerySolutions)
    return int(next(iter(rows))[0].value)


def folders(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.is_dir() and not path.is_symlink()}


def test_what_is_written_is_what_is_read(store_root: Path, small_quads: list[Quad]) -> None:
    snapshot = open_current(store_root)
    named = {stored for stored in snapshot.store if stored.graph_name != DefaultGraph()}
    assert named == set(small_quads)
    assert (snapshot.manifest.quads, snapshot.manifest.graphs) == (len(small_quads), 3)
    assert snapshot.is_current()


def test_the_default_graph_is_a_set(store_root: Path) -> None:
    snapshot = open_current(store_root)
    label = "<https://example.org/shared> ?p ?o"
    assert count(snapshot, f"SELECT (COUNT(*) AS ?n) {{ GRAPH ?g {{ {label} }} }}") == 2
    assert count(snapshot, f"SELECT (COUNT(*) AS ?n) {{ {label} }}") == 1
    assert count(snapshot, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") == snapshot.manifest.triples
    assert snapshot.manifest.triples == snapshot.manifest.quads - 1


def test_the_dataset_file_is_the_sorted_named_graphs(store_root: Path, small_quads: list[Quad]) -> None:
    snapshot = open_current(store_root)
    text = gzip.decompress(snapshot.dataset.read_bytes())
    assert text == "".join(sorted(f"{quad} .\n" for quad in small_quads)).encode()
    assert hashlib.sha256(text).hexdigest() == snapshot.manifest.sha256
    assert snapshot.manifest.sha256.startswith(snapshot.id)


WRITE = """
import sys
from pathlib import Path
from pyoxigraph import RdfFormat, parse
from payergraph.store import write_snapshot
quads = set(parse(path=sys.argv[2], format=RdfFormat.TRIG))
print(write_snapshot(Path(sys.argv[1]), quads).id)
"""


def test_equal_data_make_equal_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    trig = Path(__file__).parent / "fixtures" / "small.trig"
    written = []
    for seed in ("1", "2"):
        root = tmp_path / seed
        made = subprocess.run(
            [sys.executable, "-c", WRITE, root, trig],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        )
        written.append((made.stdout, (root / "current" / DATASET).read_bytes()))
    assert written[0] == written[1]


def test_order_and_repetition_do_not_matter(store_root: Path, small_quads: list[Quad], tmp_path: Path) -> None:
    shuffled = small_quads * 2
    random.Random(7).shuffle(shuffled)  # noqa: S311 - a shuffle, no secret
    again = write_snapshot(tmp_path / "other", iter(shuffled))
    assert again.id == open_current(store_root).id


def test_blank_nodes_get_canonical_labels(tmp_path: Path) -> None:
    text = "_:{0} <https://example.org/p> _:{1} <https://example.org/g> .\n"
    ids = set()
    for number, labels in enumerate((("a", "b"), ("x", "y"))):
        source = tmp_path / f"{number}.nq"
        source.write_text(text.format(*labels))
        ids.add(write_snapshot(tmp_path / str(number), source).id)
    assert len(ids) == 1


def test_an_nquads_file_is_a_source_too(store_root: Path, tmp_path: Path) -> None:
    source = tmp_path / "all.nq"
    source.write_bytes(gzip.decompress(open_current(store_root).dataset.read_bytes()))
    assert write_snapshot(tmp_path / "other", source).id == open_current(store_root).id


def test_a_statement_without_a_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no named graph"):
        write_snapshot(tmp_path, [quad(1, DefaultGraph())])
    assert folders(tmp_path) == set()


def test_the_same_data_are_not_written_twice(store_root: Path, small_quads: list[Quad]) -> None:
    before = open_current(store_root)
    after = write_snapshot(store_root, small_quads)
    assert after.path == before.path
    assert after.manifest == before.manifest


def test_a_switch_is_seen(store_root: Path) -> None:
    before = open_current(store_root)
    after = write_snapshot(store_root, [quad(1)])
    assert not before.is_current()
    assert open_current(store_root).id == after.id
    assert len(list(before.store)) == before.manifest.quads + before.manifest.triples


def test_snapshots_in_use_stay_and_one_more(store_root: Path) -> None:
    held: Snapshot | None = open_current(store_root)
    assert held is not None
    first = held.path.name
    names = [write_snapshot(store_root, [quad(number)]).path.name for number in range(3)]
    assert folders(store_root) == {first, names[1], names[2]}
    held = None
    last = write_snapshot(store_root, [quad(9)]).path.name
    assert folders(store_root) == {names[2], last}


@pytest.mark.parametrize("part", [MANIFEST, DATASET, "store", "store/CURRENT"])
def test_a_snapshot_that_lacks_a_part_says_what_to_do(store_root: Path, part: str) -> None:
    folder = open_current(store_root).path
    target = folder / part
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with pytest.raises(StoreError, match="Run `payergraph build`"):
        open_current(store_root)


def test_a_file_cut_short_is_noticed(store_root: Path) -> None:
    folder = open_current(store_root).path
    tables = sorted((folder / "store").glob("*.sst"))
    os.truncate(tables[-1], tables[-1].stat().st_size - 1)
    with pytest.raises(StoreError, match="cut short"):
        open_current(store_root)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"snapshot": "x"}'])
def test_a_manifest_that_does_not_parse_is_noticed(store_root: Path, text: str) -> None:
    (open_current(store_root).path / MANIFEST).write_text(text)
    with pytest.raises(StoreError, match="not a whole snapshot"):
        open_current(store_root)


def test_a_broken_snapshot_is_mended_by_the_next_build(store_root: Path, small_quads: list[Quad]) -> None:
    folder = open_current(store_root).path
    (folder / "store" / "CURRENT").unlink()
    mended = write_snapshot(store_root, small_quads)
    assert len(list(mended.store)) == mended.manifest.quads + mended.manifest.triples


def test_no_store_an_empty_folder_and_a_dead_link_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "current").symlink_to("gone")
    for name in ("missing", "empty", "dead"):
        with pytest.raises(StoreError, match="Run `payergraph build`"):
            open_current(tmp_path / name)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--store"):
        write_snapshot(tmp_path / "file" / "store", [quad(1)])


def test_a_second_build_fails_when_told_not_to_wait(store_root: Path) -> None:
    with build_lock(store_root), pytest.raises(StoreError, match="Another build is running"):
        write_snapshot(store_root, [quad(1)], wait=False)


def test_a_second_build_waits_and_says_so(store_root: Path) -> None:
    said: list[str] = []
    waiting = threading.Event()

    def on_wait(sentence: str) -> None:
        said.append(sentence)
        waiting.set()

    second = threading.Thread(target=lambda: write_snapshot(store_root, [quad(2)], on_wait=on_wait))
    with build_lock(store_root) as lock:
        second.start()
        assert waiting.wait(5)
        first = write_snapshot(store_root, [quad(1)], lock=lock)
        assert open_current(store_root).id == first.id
    second.join()
    assert "waiting" in said[0]
    assert open_current(store_root).id != first.id


def _endless() -> Iterator[Quad]:
    number = 0
    while True:
        yield quad(number)
        number += 1


def _build_that_is_killed(root: Path) -> None:
    with build_lock(root) as lock:
        (root / ".building-killed" / "store").mkdir(parents=True)
        write_snapshot(root, _endless(), lock=lock)


def test_a_killed_build_leaves_the_snapshot_and_is_swept(store_root: Path) -> None:
    before = open_current(store_root)
    process = multiprocessing.get_context("spawn").Process(target=_build_that_is_killed, args=(store_root,))
    process.start()
    deadline = time.monotonic() + 20
    while not (store_root / ".building-killed").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    process.close()
    assert open_current(store_root).id == before.id
    write_snapshot(store_root, [quad(1)], wait=False)
    assert not list(store_root.glob(".building-*"))


def test_a_build_that_fails_leaves_the_snapshot_and_nothing_else(
    store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_current(store_root)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("payergraph.store.building._write_dataset", full)
    with pytest.raises(StoreError, match=r"No space left.*goes on answering"):
        write_snapshot(store_root, [quad(1)])
    assert open_current(store_root).id == before.id
    assert not list(store_root.glob(".building-*"))


def test_the_manifest_is_readable_by_people_and_programs(store_root: Path) -> None:
    manifest = json.loads((store_root / "current" / MANIFEST).read_text())
    assert manifest["quads"] == 34
    assert manifest["created"].endswith("+00:00")
    assert manifest["payergraph"]
