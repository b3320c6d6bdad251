"""Lines of NumPy: what a kernel is spelled as, which views they bind, where they fill arrays.

Enters: programs. Leaves: lines of code. Must not know: how a module is laid out.
"""
