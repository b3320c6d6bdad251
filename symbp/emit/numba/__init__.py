"""Kernels of Numba: loops over elements, what calls them, chunks of a batch on threads.

Enters: programs. Leaves: lines of code. Must not know: how a module is laid out.
"""
