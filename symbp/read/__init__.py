"""What a person reads in a derivation: symbols for tensors, the legend, indices, the breaking of lines.

Enters: a derivation. Leaves: frozen values that every format prints.
Must not know: the user's language, ops, a format's layout beyond how a symbol is spelled in it.
"""
