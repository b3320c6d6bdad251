"""Updates of parameters as code: on dictionaries of arrays, or as functions of whole arrays.

Enters: an update rule. Leaves: statements, functions, where they lie. Must not know: targets, optimizers.
"""
