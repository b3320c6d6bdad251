"""Selection of kernels: which matrix product, solve, scatter or window an equation is.

Enters: an equation. Leaves: kernels. Must not know: targets, the other equations.
"""
