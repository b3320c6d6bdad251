"""The parts of a generated module that are the same for every network, as ordinary Python files.

Enters: nothing. Leaves: source text that `emit.splice` puts into modules, without the imports from here.
Must not know: symbp. `program` stands for what is written per network.
"""
