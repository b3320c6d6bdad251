"""The parts of a generated module that are the same for every network, as ordinary Python files.

Enters: nothing. Leaves: source text, spliced into modules by `emit.splice` without the imports from this package.
Must not know: symbp. `program` stands for what is written per network.
"""
