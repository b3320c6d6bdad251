"""Rewrite rules: other forms of the same value, each with its reason.

Enters: expressions, equations. Leaves: candidates. Must not know: costs of a whole system, what is accepted.
"""
