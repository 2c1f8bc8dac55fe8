"""Loading alone: an N-Quads file and a folder in, a snapshot and the seconds that it took out."""

import sys
import time
from pathlib import Path

from payergraph.store import write_snapshot

if __name__ == "__main__":
    source, root = map(Path, sys.argv[1:])
    started = time.perf_counter()
    write_snapshot(root, source)
    print(time.perf_counter() - started)
