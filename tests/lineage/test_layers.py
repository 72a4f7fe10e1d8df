"""Columns of a graph, whatever it is: every vertex once, edges to the right but in circles."""

from hypothesis import given
from hypothesis import strategies as st

from mlops.lineage.layers import layers

VERTICES = st.integers(0, 12)
EDGES = st.lists(st.tuples(VERTICES, VERTICES), max_size=40)


@given(EDGES)
def test_every_vertex_stands_in_one_place(edges: list[tuple[int, int]]) -> None:
    columns = layers(edges, 99)
    placed = [vertex for column in columns for vertex in column]
    assert sorted(placed) == sorted({99, *(end for edge in edges for end in edge)})


@given(EDGES)
def test_without_circles_each_edge_leads_to_a_later_column(edges: list[tuple[int, int]]) -> None:
    upward = [edge for edge in edges if edge[0] < edge[1]]
    columns = layers(upward, 99)
    place = {vertex: number for number, column in enumerate(columns) for vertex in column}
    assert all(place[one] < place[other] for one, other in upward)


def test_a_column_is_as_far_as_the_longest_way_and_lines_do_not_cross() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("x", "y"), ("y", "z")]
    first, second, third = layers(edges, "a")
    assert {frozenset(first), frozenset(second), frozenset(third)} == {
        frozenset("ax"),
        frozenset("by"),
        frozenset("cz"),
    }
    assert first.index("a") == second.index("b") == third.index("c")


def test_a_graph_of_ten_thousand_in_a_row_needs_no_deep_stack() -> None:
    assert len(layers([(n, n + 1) for n in range(10_000)], 0)) == 10_001
