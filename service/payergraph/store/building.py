"""Writing: validated quads in, a whole snapshot that answers out, and never a half of one.

In:  quads, each in a named graph, or an N-Quads file of them.  Out: the `Snapshot`, switched to in one atomic step.

One build writes at a time. Everything happens in `.building-…`, is flushed to disk, then renamed; readers see the
old snapshot or the new one. A build that is killed leaves a `.building-…` folder that nobody reads.
"""

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyoxigraph import CanonicalizationAlgorithm, Dataset, DefaultGraph, Quad, RdfFormat, Store, parse

from payergraph.errors import StoreError
from payergraph.store.locking import BUILDING, BuildLock, build_lock, remove_unless_read, sweep
from payergraph.store.manifest import DATASET, MANIFEST, STORE, Manifest, payergraph_version, read_manifest, store_files
from payergraph.store.snapshot import CURRENT, Snapshot, open_snapshot

__all__ = ["write_snapshot"]

_ID_DIGITS: Final = 16
"""Digits of the hash that name a snapshot: 64 bits, ample for the snapshots of one folder."""
_CHUNK: Final = 10_000
"""Lines written at once."""
_GZIP_LEVEL: Final = 3
"""A tenth larger than level 6 for a quarter of the time: it runs beside the load and must not outlast it."""
_DEFAULT_GRAPH: Final = DefaultGraph()


def write_snapshot(
    root: Path,
    quads: Iterable[Quad] | Path,
    *,
    lock: BuildLock | None = None,
    wait: bool = True,
    on_wait: Callable[[str], None] | None = None,
) -> Snapshot:
    """Write a snapshot of the quads and make it the one that answers.

    Equal quads, in whatever order and however often each is given, make the equal id and the equal `dataset.nq.gz`.
    Where that snapshot is there already, whole, it is switched to and nothing is written.

    :param root: the folder of the store; made where it is missing
    :param quads: validated quads, each in a named graph, or the path of an N-Quads file of them
    :param lock: from `build_lock`, where the caller locked before parsing; otherwise this call locks
    :param wait: wait for another build; otherwise fail
    :param on_wait: called once with a sentence for the user, before a wait begins
    :raises StoreError: if another build runs and `wait` is false, if a quad stands in no named graph, or if the disk
        fails; the snapshot that answered before goes on answering
    """
    with nullcontext(lock) if lock is not None else build_lock(root, wait=wait, on_wait=on_wait) as held:
        lines = _sorted_lines(quads)
        digest = _sha256(lines)
        try:
            folder = _whole(root, digest) or _write(root, lines, digest)
            return _switch(held, folder)
        except OSError as error:
            raise StoreError(
                f"The snapshot could not be written in {root}: {error}. The one before goes on answering."
            ) from error


def _sorted_lines(quads: Iterable[Quad] | Path) -> list[str]:
    """Return the canonical N-Quads lines, without their final ` .`, sorted, each once."""
    if isinstance(quads, Path):
        quads = parse(path=quads, format=RdfFormat.N_QUADS, lenient=True)  # they are validated: their syntax is enough
    lines = sorted({str(quad) for quad in _in_named_graphs(quads)})
    if any(line.startswith("_:") or "> _:" in line for line in lines):
        # the labels of blank nodes differ from run to run: give them those of RDFC-1.0
        dataset = Dataset(parse("".join(f"{line} .\n" for line in lines), format=RdfFormat.N_QUADS))
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        lines = sorted(str(quad) for quad in dataset)
    return lines


def _in_named_graphs(quads: Iterable[Quad]) -> Iterator[Quad]:
    """Pass the quads on, and stop at one that no document states."""
    for quad in quads:
        if quad.graph_name == _DEFAULT_GRAPH:
            raise StoreError(f"A statement stands in no named graph: {quad} . Put it in the graph of its document.")
        yield quad


def _chunks(lines: Sequence[str]) -> Iterator[bytes]:
    """Give the N-Quads file piece by piece."""
    for start in range(0, len(lines), _CHUNK):
        yield (" .\n".join(lines[start : start + _CHUNK]) + " .\n").encode()


def _sha256(lines: Sequence[str]) -> str:
    """Return the hash of the sorted N-Quads."""
    digest = hashlib.sha256()
    for chunk in _chunks(lines):
        digest.update(chunk)
    return digest.hexdigest()


def _whole(root: Path, digest: str) -> Path | None:
    """Return the folder of a whole snapshot of this very content, or None."""
    for folder in sorted(root.glob(f"{digest[:_ID_DIGITS]}*")):
        try:
            manifest = read_manifest(folder)
            store = open_snapshot(folder).store
        except StoreError:
            continue
        if manifest.sha256 == digest and len(store) == manifest.quads + manifest.triples:
            return folder
    return None


def _write(root: Path, lines: Sequence[str], digest: str) -> Path:
    """Write a snapshot in a folder of its own and, once it is whole and on the disk, give it its name."""
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=root))
    try:
        building.chmod(0o755)
        with ThreadPoolExecutor(1) as beside:
            dataset = beside.submit(_write_dataset, building / DATASET, lines)
            triples, graphs = _load(building, lines)
            dataset.result()
        manifest = Manifest(
            snapshot=digest[:_ID_DIGITS],
            quads=len(lines),
            triples=triples,
            graphs=graphs,
            sha256=digest,
            payergraph=payergraph_version(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            store_files=store_files(building / STORE),
        )
        (building / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        _sync(*building.rglob("*"), building)
        return building.rename(_free_name(root, manifest.snapshot))
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _load(building: Path, lines: Sequence[str]) -> tuple[int, int]:
    """Load every quad, and its triple into the default graph; return the numbers of triples and of graphs.

    Two files, loaded at once: the engine lets Python's lock go, so that both cores work.
    """
    named, merged = building / "named.nq", building / "merged.nq"
    triples, graphs, last = 0, set[str](), ""
    with named.open("wb") as quads_out, merged.open("wb") as triples_out:
        for start in range(0, len(lines), _CHUNK):
            chunk = lines[start : start + _CHUNK]
            parts = [line.rpartition(" ") for line in chunk]
            graphs.update([graph for _, _, graph in parts])
            stated = [triple for triple, _, _ in parts]
            # sorted: the same triple of several graphs stands together
            once = [triple for before, triple in zip([last, *stated], stated, strict=False) if triple != before]
            triples += len(once)
            last = stated[-1]
            quads_out.write((" .\n".join(chunk) + " .\n").encode())
            triples_out.write((" .\n".join(once) + " .\n").encode() if once else b"")
    store = Store(building / STORE)
    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(_bulk_load, store, path) for path in (named, merged)]
        for load in loads:
            load.result()
    store.optimize()
    store.flush()
    del store
    return triples, len(graphs)


def _bulk_load(store: Store, path: Path) -> None:
    """Load a file and remove it."""
    store.bulk_load(path=path, format=RdfFormat.N_QUADS, lenient=True)  # our own lines, valid by construction
    path.unlink()


def _write_dataset(path: Path, lines: Sequence[str]) -> None:
    """Write the sorted N-Quads, gzipped; no name and no time in the header, so that equal data make equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as out:
        for chunk in _chunks(lines):
            out.write(chunk)


def _sync(*paths: Path) -> None:
    """Bring files and folders to the disk, so that a power cut after the switch loses nothing."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _free_name(root: Path, snapshot: str) -> Path:
    """Return the path for a snapshot; a broken folder there goes, or is stepped around while somebody reads it."""
    folder, number = root / snapshot, 1
    while folder.exists() and not remove_unless_read(folder):
        number += 1
        folder = root / f"{snapshot}-{number}"
    return folder


def _switch(lock: BuildLock, folder: Path) -> Snapshot:
    """Let the snapshot answer from now on, in one atomic step; then delete what nobody needs."""
    current = lock.root / CURRENT
    before = lock.root / current.readlink() if current.is_symlink() else None
    snapshot = open_snapshot(folder)
    link = lock.root / f"{BUILDING}{CURRENT}"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(current)
    _sync(lock.root)
    sweep(lock, current=folder, before=before)
    return snapshot
