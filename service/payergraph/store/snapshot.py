"""Reading: the folder of the store in, the snapshot that answers now out.

In:  the root folder of the store.  Out: a `Snapshot`, whole or not at all (`StoreError` says what to do).

A snapshot in use is held by a shared lock on its folder, so no build deletes it: RocksDB opens files lazily, and a
file that vanishes in the middle of a scan makes a query take memory without end.
"""

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pyoxigraph import Store

from payergraph.errors import StoreError
from payergraph.store.manifest import DATASET, REMEDY, STORE, Manifest, read_manifest

__all__ = ["CURRENT", "Snapshot", "open_current", "open_snapshot"]

CURRENT: Final = "current"
"""The symbolic link in the root that names the snapshot that answers now."""
_ATTEMPTS: Final = 10
"""How often a reader tries again when a build switches and sweeps between its look at `current` and its lock."""


class Hold:
    """A shared lock on a snapshot's folder for as long as this object lives."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def __del__(self) -> None:
        """Let go: closing the descriptor drops the lock."""
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A whole, immutable build: open it once, read it from as many threads as you like."""

    path: Path
    """Its real folder, never the `current` link: later opens stay in this snapshot."""
    manifest: Manifest
    store: Store
    """Read-only. The default graph is the RDF merge of the named graphs: query it without the union flag."""
    _hold: Hold = field(repr=False)

    @property
    def id(self) -> str:
        """The id, equal for equal data: what ETags are made from."""
        return self.manifest.snapshot

    @property
    def dataset(self) -> Path:
        """The named graphs as sorted N-Quads, gzipped."""
        return self.path / DATASET

    def is_current(self) -> bool:
        """Tell whether a newer build has not yet taken over: one `readlink`, some microseconds."""
        try:
            return (self.path.parent / CURRENT).readlink().name == self.path.name
        except OSError:
            return True  # the link is gone: nothing to switch to

    def __hash__(self) -> int:
        return hash(self.path)


def open_current(root: Path) -> Snapshot:
    """Open the snapshot that answers now.

    :raises StoreError: if there is no store at `root`, no snapshot in it, or a broken one; its text says what to do
    """
    link = root / CURRENT
    for _ in range(_ATTEMPTS):
        if not link.is_symlink():
            raise StoreError(f"There is no snapshot in {root}. {REMEDY}")
        try:
            return open_snapshot(link.resolve())
        except FileNotFoundError:
            continue  # swept between the look and the lock: `current` names another one by now
    raise StoreError(f"{link} leads nowhere: its snapshot is gone. {REMEDY}")


def open_snapshot(folder: Path) -> Snapshot:
    """Open one snapshot by its real folder, as the worker processes do.

    :raises FileNotFoundError: if the folder is not there
    :raises StoreError: if it is not a whole snapshot
    """
    hold = Hold(folder)
    if not folder.is_dir():  # swept before the lock was ours
        raise FileNotFoundError(folder)
    manifest = read_manifest(folder)
    try:
        store = Store.read_only(str(folder / STORE))
    except (OSError, ValueError) as error:
        raise StoreError(f"The store in {folder} cannot be opened: {error}. {REMEDY}") from error
    return Snapshot(folder, manifest, store, hold)
