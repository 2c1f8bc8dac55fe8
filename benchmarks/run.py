"""`make bench`: measure, print the tables, and write them into benchmarks/README.md. See `suite`."""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import_module("benchmarks.suite").main()
