"""Evaluators: the reference semantics over any domain of numbers, and the same in NumPy.

Enters: a system, values. Leaves: values. Must not know: how anything is derived or lowered.
"""
