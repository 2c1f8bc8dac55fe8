"""What a snapshot holds, and the proof that it is whole.

In:  the folder of a snapshot.  Out: its `Manifest`; `StoreError` where the folder is not a whole snapshot.

A half-written Oxigraph store opens without an error and answers with nothing, so the manifest is written last
and lists every file of the store with its size: a snapshot is whole if all of them are there.
"""

import json
import os
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from payergraph.errors import StoreError

__all__ = ["DATASET", "MANIFEST", "REMEDY", "STORE", "Manifest", "payergraph_version", "read_manifest", "store_files"]

MANIFEST: Final = "manifest.json"
STORE: Final = "store"
DATASET: Final = "dataset.nq.gz"
REMEDY: Final = "Run `payergraph build`."
_NOT_DATA: Final = ("LOG", "LOCK", "IDENTITY")
"""Files of RocksDB that carry no data: its diary, its lock, a name."""


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says of a snapshot: a dataclass, so that the workers start without pydantic."""

    snapshot: str
    """The id: the first 16 digits of `sha256`, so that equal data have the equal id."""
    quads: int
    """Statements in named graphs, each counted in each graph that states it."""
    triples: int
    """Statements in the default graph: the RDF merge, in which each counts once."""
    graphs: int
    """Named graphs."""
    sha256: str
    """Of the sorted N-Quads, uncompressed."""
    payergraph: str
    """Version of the program that built it."""
    created: str
    """When it was built, in UTC, as ISO 8601."""
    store_files: dict[str, int]
    """The files of the store and their sizes in bytes."""

    def to_json(self) -> str:
        """Return the text of `manifest.json`."""
        return json.dumps(asdict(self), indent=2) + "\n"


def payergraph_version() -> str:
    """Return the version of the installed package; `0` in a bare checkout."""
    try:
        return version("payergraph")
    except PackageNotFoundError:
        return "0"


def store_files(store: Path) -> dict[str, int]:
    """Return the data files of a store with their sizes, in the order of their names."""
    with os.scandir(store) as entries:
        sizes = {entry.name: entry.stat().st_size for entry in entries if not entry.name.startswith(_NOT_DATA)}
    return dict(sorted(sizes.items()))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a whole snapshot.

    :raises StoreError: if there is none, if it does not parse, or if files of the store are missing or cut short
    """
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_bytes()))
        found = store_files(folder / STORE)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise StoreError(f"{folder} is not a whole snapshot: it has no {missing}. {REMEDY}") from error
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{folder} is not a whole snapshot: its {MANIFEST} cannot be read. {REMEDY}") from error
    broken = [name for name, size in manifest.store_files.items() if found.get(name) != size]
    if not (folder / DATASET).is_file():
        broken.append(DATASET)
    if broken:
        raise StoreError(f"{folder} is not a whole snapshot: {broken[0]} is missing or cut short. {REMEDY}")
    return manifest
