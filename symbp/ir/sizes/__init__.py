"""Arithmetic of sizes: one canonical form of extents, and what follows where two of them are one.

Must not know: tensors, equations, how users state sizes.
"""
