"""One module for each command: its arguments, and what it does.

Enters: parsed arguments. Leaves: an exit status. Must not know: each other.
"""
