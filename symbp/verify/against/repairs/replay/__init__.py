"""The backward pass run again and again with equations changed: quickly, recurrences too.

Enters: systems, points. Leaves: arrays. Must not know: slips.
"""
