"""Ops on whole arrays that fill or add up along axes: running sums, diagonals, triangles, codes."""
