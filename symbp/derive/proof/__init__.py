"""What makes a rewrite believed: evidence by value that can't be a coincidence, proofs, the last word.

Enters: a system, and claims about it. Leaves: whether they hold.
Must not know: which rule makes a claim, or what is gained by it.
"""
