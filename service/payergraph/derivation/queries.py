"""The query files of this folder: a name in, rows or triples out."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import pyoxigraph as ox

__all__ = ["construct", "select"]


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(f"{name}.rq").read_text(encoding="utf-8")


def select(store: ox.Store, name: str) -> Iterator[ox.QuerySolution]:
    """Run the SELECT query of that name; an unbound variable of a row is None."""
    rows = store.query(_text(name))
    assert isinstance(rows, ox.QuerySolutions), f"{name}.rq is no SELECT query"  # noqa: S101 - a fault of ours
    return rows


def construct(store: ox.Store, name: str) -> Iterator[ox.Triple]:
    """Run the CONSTRUCT query of that name."""
    triples = store.query(_text(name))
    assert isinstance(triples, ox.QueryTriples), f"{name}.rq is no CONSTRUCT query"  # noqa: S101 - a fault of ours
    return triples
