"""Metrics: numbers that are looked at, of all rows at once.

Enters: predictions, targets. Leaves: scalars. Must not know: derivatives.
"""
