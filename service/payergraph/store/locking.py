"""Whose turn it is: one build at a time, and no snapshot deleted that somebody reads.

In:  the root folder of the store.  Out: a `BuildLock` for as long as a build runs; folders that nobody needs, gone.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from payergraph.errors import StoreError

__all__ = ["BUILDING", "BuildLock", "build_lock", "remove_unless_read", "sweep"]

BUILDING: Final = ".building-"
"""How the folder of a running or killed build begins."""
_LOCK: Final = ".lock"


@dataclass(frozen=True)
class BuildLock:
    """Proof that this process is the one that builds in `root`."""

    root: Path


@contextmanager
def build_lock(root: Path, *, wait: bool = True, on_wait: Callable[[str], None] | None = None) -> Iterator[BuildLock]:
    """Hold the store for one build, and sweep what killed builds left.

    :param wait: wait for a build that is running; otherwise fail
    :param on_wait: called once with a sentence for the user, before the wait begins
    :raises StoreError: if another build runs and `wait` is false, or if the folder cannot be written to
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(
            f"{root} cannot be written to ({error.strerror}). Choose another folder with --store."
        ) from error
    try:
        _take(descriptor, root, wait, on_wait)
        for leftover in root.glob(f"{BUILDING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield BuildLock(root)
    finally:
        os.close(descriptor)  # closing drops the lock


def _take(descriptor: int, root: Path, wait: bool, on_wait: Callable[[str], None] | None) -> None:
    """Take the lock, waiting for it if that is wanted."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            raise StoreError(f"Another build is running in {root}. Wait for it to end, then build again.") from None
        if on_wait is not None:
            on_wait(f"Another build is running in {root}; waiting for it to end.")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def sweep(lock: BuildLock, *, current: Path, before: Path | None) -> None:
    """Delete the snapshots that nobody needs: all but the current one, those being read, and one more.

    :param before: what was current until now: the one more; where that is the same snapshot, the newest other
    """
    others = [folder for folder in lock.root.iterdir() if _is_snapshot(folder) and folder != current]
    others.sort(key=lambda folder: (folder == before, folder.stat().st_mtime_ns))
    for folder in others[:-1]:
        remove_unless_read(folder)


def _is_snapshot(path: Path) -> bool:
    """Tell a snapshot from the link to it, the lock, and builds that are running."""
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def remove_unless_read(folder: Path) -> bool:
    """Delete a snapshot's folder unless a reader holds it; tell whether it is gone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        shutil.rmtree(folder)
        return True
    finally:
        os.close(descriptor)
