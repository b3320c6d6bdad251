"""Points at which a system can be evaluated: sizes that fit, leaves that obey their facts.

Enters: a system, a seed. Leaves: sizes and values. Must not know: what they are used for.
"""
