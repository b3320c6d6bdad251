"""What a declaration itself says about differentiation: derivatives that it contains, values that it stops.

Enters: a declared system. Leaves: one without either, which sweeps and rewrites may treat like any other.
Must not know: how gradients are found or made short.
"""
