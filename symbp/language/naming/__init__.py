"""Names: which may be given, who is called what, which letter an index has.

Enters: nodes, the variables of the author. Leaves: names. Must not know: what a tensor is computed from.
"""
