"""What a person reads and writes: symbols, the legend and the layout of a page; the grammar of formulas.

Enters: a derivation, or text. Leaves: frozen values that every format prints; syntax trees
(`symbp.read.grammar`) and networks (`symbp.read.formula`).
Must not know: how a gradient is derived, or how a format spells more than a symbol.
"""
