"""Columns of a graph, whatever it is: every vertex once, edges to the right but in circles."""

from hypothesis import given
from hypothesis import strategies as st

from mlops.lineage.layers import Bend, layers

VERTICES = st.integers(0, 12)
EDGES = st.lists(st.tuples(VERTICES, VERTICES), max_size=40)


@given(EDGES)
def test_every_vertex_stands_in_one_place(edges: list[tuple[int, int]]) -> None:
    placed = [one for column in layers(edges, 99).columns for one in column]
    vertices = [one for one in placed if not isinstance(one, Bend)]
    assert sorted(vertices) == sorted({99, *(end for edge in edges for end in edge)})
    assert len(set(placed)) == len(placed)


@given(EDGES)
def test_without_circles_each_edge_leads_to_a_later_column(edges: list[tuple[int, int]]) -> None:
    upward = [edge for edge in edges if edge[0] < edge[1]]
    found = layers(upward, 99)
    place = {one: number for number, column in enumerate(found.columns) for one in column}
    assert {(route[0], route[-1]) for route in found.routes} == set(upward)
    for route in found.routes:  # through each column between
        passed = [place[one] for one in route]
        assert passed == list(range(passed[0], passed[-1] + 1))
        assert len(passed) > 1


def test_a_column_is_as_far_as_the_longest_way_and_lines_do_not_cross() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("x", "y"), ("y", "z")]
    first, second, third = layers(edges, "a").columns
    (bend,) = (one for one in second if isinstance(one, Bend))
    assert (set(first), set(second), set(third)) == ({"a", "x"}, {"b", "y", bend}, {"c", "z"})
    assert first.index("a") == third.index("c")
    # What belongs to a stands on its side.
    assert (second.index("y") == 2) == (first.index("x") == 1)


def test_a_graph_of_ten_thousand_in_a_row_needs_no_deep_stack() -> None:
    assert len(layers([(n, n + 1) for n in range(10_000)], 0).columns) == 10_001
