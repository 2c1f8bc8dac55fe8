"""From files to a snapshot that answers: read, validate, derive, write, switch.

In:  folders of facts, and the folder of the store.  Out: the snapshot that answers from now on.

Whatever goes wrong on the way, the snapshot that answered before goes on answering. Only one build writes a store
at a time; the lock is taken first, so that a second one does not read files for nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from payergraph.derivation import derive
from payergraph.errors import InvalidDataError
from payergraph.queries import describe, load_queries
from payergraph.resources import DATA, VOCABULARIES
from payergraph.sources import Dataset, read
from payergraph.store import Snapshot, build_lock, write_snapshot
from payergraph.validation import Report, validate

__all__ = ["STEPS", "Built", "build", "check"]

STEPS: Final = ("read", "validate", "derive", "write", "done")
"""What `on_step` is told, in this order."""


@dataclass(frozen=True)
class Built:
    """A finished build: the snapshot, and the report with its warnings and infos."""

    snapshot: Snapshot
    report: Report


def build(
    store: Path,
    data: Sequence[Path | str] = (DATA,),
    *,
    wait: bool = True,
    on_wait: Callable[[str], None] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build a snapshot and let it answer.

    :param store: folder of the snapshots; made where it is missing
    :param data: files and folders of facts; the ontology and its schemes always belong to them
    :param wait: wait for another build of this store; otherwise fail
    :param on_wait: called once with a sentence for the user, before a wait begins
    :param on_step: called with the name of each step when it begins
    :raises SourceSyntaxError: if a file does not parse; every faulty file is named
    :raises InvalidDataError: if the shapes find a violation; the report is attached
    :raises StoreError: if another build runs and `wait` is false, or the disk fails
    """
    with build_lock(store, wait=wait, on_wait=on_wait) as lock:
        on_step("read")
        facts = read([VOCABULARIES, *data])
        on_step("validate")
        report = check(facts)
        if not report.conforms:
            raise InvalidDataError(report)
        on_step("derive")
        stated = list(facts.quads())
        derived = _derived(stated)
        on_step("write")
        queries = describe(load_queries())
        snapshot = write_snapshot(store, [*stated, *derived, *queries], lock=lock)
        on_step("done")
        return Built(snapshot, report)


def check(facts: Dataset) -> Report:
    """Validate facts that come from files; findings know their places."""
    return validate(facts.quads(), locate=facts.locate)


def _derived(stated: Sequence[ox.Quad]) -> list[ox.Quad]:
    memory = ox.Store()
    memory.bulk_extend(stated)
    return derive(memory)
