"""The peers: each makes a row's training step from the same initial parameters and the same data.

A peer is one module with `prepare(row, dtype) -> Step`; importing it imports its framework, and fails where
that is missing. `*_models` hold the rows' forward passes as each framework's users would write them.
"""
