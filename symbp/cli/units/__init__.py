"""Commands about single units of a network.

Enters: a network, a unit. Leaves: pictures. Must not know: how derivatives are found or pictures are made.
"""
