"""Somebody else's backward pass beside the derivation: what it answers, what of it is wrong, and why.

Enters: a derivation, code or equations that symbp didn't write. Leaves: a report with a verdict for each
tensor. Must not know: how a gradient was derived, or how a report is shown.
"""
