"""Kernels as lines of vectorised NumPy: products, windows, loops over few positions.

Enters: kernels of a program. Leaves: statements. Must not know: stages, how a module is laid out.
"""
