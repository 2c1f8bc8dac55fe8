"""Writes the expected rows of the named queries anew, from a fresh build of the shipped data.

Run it after a change of data or query, and read the diff: `python tests/update_expected_rows.py`.
"""

import tempfile
from pathlib import Path

import pyoxigraph as ox

from payergraph.build import build
from payergraph.queries import NamedQuery, load_queries

EXPECTED = Path(__file__).parent / "queries"


def rows_of(store: ox.Store, query: NamedQuery) -> str:
    """The rows of a query with its example values, as CSV with plain line ends."""
    rows = store.query(query.text)
    assert isinstance(rows, ox.QuerySolutions)
    return (rows.serialize(format=ox.QueryResultsFormat.CSV) or b"").decode().replace("\r\n", "\n")


def main() -> None:
    """Build, ask, write."""
    EXPECTED.mkdir(exist_ok=True)
    queries = load_queries()
    with tempfile.TemporaryDirectory() as folder:
        store = build(Path(folder)).snapshot.store
        for name, query in queries.items():
            (EXPECTED / f"{name}.csv").write_text(rows_of(store, query), encoding="utf-8")
    for path in EXPECTED.glob("*.csv"):
        if path.stem not in queries:
            path.unlink()


if __name__ == "__main__":
    main()
