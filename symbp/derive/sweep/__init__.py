"""The sweep: adjoint equations of a system, by transposition; those of the leaves of linear algebra by hand.

Enters: a system. Leaves: a system with more equations. Must not know: how closed forms are found.
"""
