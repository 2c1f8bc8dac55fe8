"""The snapshot store: quads in, an immutable folder out that many processes read at once.

In:  validated quads, each in a named graph.  Out: snapshots; `open_current` gives the one that answers now.

    <root>/
      current -> 3f0c…            what readers open; switched in one atomic step
      3f0c…/                      a snapshot, named after the content it holds
        manifest.json             written last: only a folder with a manifest is whole
        store/                    Oxigraph, opened read-only: every triple in its named graph and,
                                  a second time, in the default graph (the RDF merge, a set)
        dataset.nq.gz             the named graphs as sorted N-Quads: equal data, equal bytes
      .lock                       held by the build that is running
      .building-…/                a build that is running, or one that was killed (the next one sweeps it)
"""

from payergraph.store.building import write_snapshot
from payergraph.store.locking import BuildLock, build_lock
from payergraph.store.manifest import Manifest
from payergraph.store.snapshot import Snapshot, open_current

__all__ = ["BuildLock", "Manifest", "Snapshot", "build_lock", "open_current", "write_snapshot"]
