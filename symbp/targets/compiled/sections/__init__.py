"""The sections of a module that are of the network alone, and which files of the runtime it takes.

Enters: the stages of a network. Leaves: lines, tables, names of files. Must not know: spelling of kernels.
"""
