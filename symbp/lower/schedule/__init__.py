"""Schedules: which kernels run in one loop nest, and what lives no longer than it.

Enters: statements, programs. Leaves: programs of the same values. Must not know: targets.
"""
