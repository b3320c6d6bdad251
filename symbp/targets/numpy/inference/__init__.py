"""Shapes and dtypes of expressions in lines of NumPy, and such lines without allocations.

Enters: lines. Leaves: forms, lines. Must not know: what a line computes for.
"""
