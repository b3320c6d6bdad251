"""Constants between what is answered and what is right: which they are, what they count, and how to say it.

Enters: numbers at points. Leaves: monomials, kinds of slips, sentences. Must not know: how they were found.
"""
