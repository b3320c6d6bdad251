"""Bodies of equations as expressions of code: one walk, which a target tells how each node is spelled.

Enters: bodies. Leaves: expressions with their axes and kinds. Must not know: targets, statements.
"""
