"""The search for closed forms: trials, what they cost, and which of them are taken.

Enters: a swept system. Leaves: a shorter one. Must not know: any op.
"""
