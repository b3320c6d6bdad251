"""What people write and read: the grammar of formulas, and what a formula declares.

Enters: text. Leaves: syntax trees (`symbp.read.grammar`), networks (`symbp.read.formula`).
Must not know: how a gradient is derived or printed.
"""
