"""What the targets share whose modules are made of stages: systems, programs, and a module around the lines.

Enters: an order. Leaves: states between passes. Must not know: how a kernel is spelled.
"""
