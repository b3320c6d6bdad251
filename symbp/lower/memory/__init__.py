"""Memory: when buffers are live, and where they lie.

Enters: programs. Leaves: plans. Must not know: how a target allocates.
"""
