"""pySHACL on an Oxigraph store, with three mends that change its speed and not its verdicts.

In:  a store of quads and a graph of shapes.  Out: pySHACL's own report graph.

1. `datagraph or sg` in pySHACL asks the store for its truth, which counts all of it, twice per finding: 320 warnings on
   17,000 quads took 12 s, and 0.05 s where the store just says that it is there.
2. `sh:property` is judged for each value node by itself, and each time the property shape is read anew: two thirds of
   the time. Here all value nodes of a shape are judged in one call, which pySHACL's `Shape.validate` provides for.
3. A SPARQL constraint is asked once per focus node, and its text checked each time by nine regular expressions. Here it
   is asked once for all, and then only for the nodes that it found. Each `sh:select` must bind `$this` in a pattern.

`tests/test_shacl_engine.py` proves equal reports with and without them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, cast

import pyoxigraph as ox
import pyshacl
from pyshacl.constraints.core.shape_based_constraints import PropertyConstraintComponent
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.graph_abstraction import OxigraphDataGraph
from rdflib import Graph, Node

__all__ = ["run"]

_Judge = Callable[..., tuple[bool, list[Any]]]
_JUDGE_ONE_BY_ONE: Final = cast("_Judge", PropertyConstraintComponent._evaluate_property_shape)  # noqa: SLF001 - mended

_AskEach = Callable[..., Any]
_ASK_ONE_BY_ONE: Final = cast("_AskEach", SPARQLBasedConstraint._evaluate_sparql_constraint)  # noqa: SLF001 - mended


def run(store: ox.Store, shapes: Graph) -> Graph:
    """Judge a store by shapes; SPARQL constraints are run, SHACL rules are not.

    :raises TypeError: if the shapes cannot be run, with pySHACL's reason
    """
    data = cast("Any", store)  # pySHACL takes a store, though its annotation does not say so
    _, report, text = pyshacl.validate(data, shacl_graph=shapes, advanced=False, inplace=True)
    if not isinstance(report, Graph):
        raise TypeError(f"The shapes cannot be run: {text}")
    return report


def _judge_together(
    component: PropertyConstraintComponent,
    executor: Any,
    shape: Node,
    target_graph: Any,
    value_nodes: Mapping[Node, Collection[Node]],
    recursive: Any,
    path: Sequence[Any],
) -> tuple[bool, list[Any]]:
    """Judge all value nodes in one call, where each occurs once; where one occurs twice, it has two results."""
    nodes = [node for values in value_nodes.values() for node in values]
    if len(nodes) == len(set(nodes)):
        value_nodes = {nodes[0]: [nodes]} if nodes else {}  # type: ignore[list-item]  # a list is judged as a whole
    return _JUDGE_ONE_BY_ONE(component, executor, shape, target_graph, value_nodes, recursive, path)


def _ask_for_those_found(
    component: SPARQLBasedConstraint, constraint: Any, target_graph: Any, value_nodes: Mapping[Node, Collection[Node]]
) -> Any:
    """Ask for the nodes that the query finds by itself, and for the first one, so that a faulty query still fails."""
    first = next(iter(value_nodes), None)
    if first is not None and len(value_nodes) > 1:
        _, query = constraint.pre_bind_variables(first)
        found = {row["this"] for row in target_graph.query(constraint.apply_prefixes(query))} | {first}
        value_nodes = {node: values for node, values in value_nodes.items() if node in found}
    return _ASK_ONE_BY_ONE(component, constraint, target_graph, value_nodes)


OxigraphDataGraph.__bool__ = lambda _: True  # type: ignore[attr-defined]  # it has none: the point
PropertyConstraintComponent._evaluate_property_shape = _judge_together  # type: ignore[method-assign]  # noqa: SLF001
SPARQLBasedConstraint._evaluate_sparql_constraint = _ask_for_those_found  # type: ignore[method-assign]  # noqa: SLF001
