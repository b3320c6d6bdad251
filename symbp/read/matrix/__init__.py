"""Matrix notation: equations as trees without indices but subscripts, how they are found, spelled, evaluated.

Enters: equations and tensors. Leaves: trees, text. Must not know: ops, formats of a page.
"""
