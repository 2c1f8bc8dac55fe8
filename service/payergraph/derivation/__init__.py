"""What the graph implies: a store of stated facts in, the quads of the derived graph out.

In:  a store that holds every stated graph.
Out: the quads of `<derived/>`, in a stable order: when versions are in force and on what basis, when they are
     stale, what each code reaches, what each statement names, to whom and when it applies, how well it is backed.

What is a plain join is a `.rq` file of this folder; what needs reckoning with days or distances is a module
(SPARQL has no portable arithmetic on dates). Nothing derived is ever stored by hand, and nothing here decides
on coverage: it only shortens the way, so that look-ups stay flat as the graph grows.
"""

import pyoxigraph as ox

from payergraph.derivation import in_force, reach, statements
from payergraph.derivation.queries import construct
from payergraph.namespaces import DERIVED_GRAPH

__all__ = ["derive"]


def derive(store: ox.Store) -> list[ox.Quad]:
    """Return the derived graph of a store of stated facts, sorted; an empty store gives an empty list.

    :param store: holds the stated graphs, each under its own name; it is not changed
    """
    graph = ox.NamedNode(DERIVED_GRAPH)
    versions = in_force.periods(store)
    triples: set[ox.Triple] = set()
    triples.update(in_force.describe(versions))
    triples.update(reach.describe(store))
    for name in ("names", "applies", "settles"):
        triples.update(construct(store, name))
    triples.update(statements.describe(store, versions))
    quads = [ox.Quad(triple.subject, triple.predicate, triple.object, graph) for triple in triples]
    return sorted(quads, key=str)
