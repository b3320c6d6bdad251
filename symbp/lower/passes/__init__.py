"""Passes from system to system, before there is a program: what is computed once, and where.

Enters: a system. Leaves: a system of the same values. Must not know: targets, buffers.
"""
