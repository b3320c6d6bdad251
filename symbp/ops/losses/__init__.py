"""Losses: what a network is trained to make small.

Enters: predictions, targets. Leaves: a scalar. Must not know: gradients.
"""
