"""Where the shipped folders are: ontology, data, shapes and queries.

In:  nothing.  Out: the path of each folder, in a checkout or in an installed wheel.
"""

from pathlib import Path
from typing import Final

__all__ = ["DATA", "ONTOLOGY", "QUERIES", "SHAPES", "VOCABULARIES"]

_PACKAGE: Final = Path(__file__).parent


def _folder(name: str) -> Path:
    """Find a shipped folder: inside the wheel, else at the top of the checkout."""
    packaged = _PACKAGE / "resources" / name
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / name


ONTOLOGY: Final = _folder("ontology")
VOCABULARIES: Final = ONTOLOGY / "*.ttl"
"""The files of the ontology that belong to the dataset: terms, schemes and alignments, not the JSON-LD context."""
DATA: Final = _folder("data")
SHAPES: Final = _folder("shapes")
QUERIES: Final = _folder("queries")
