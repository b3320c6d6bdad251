"""What generated modules take along, whole files and functions, as an ordinary package.

Where a module has its network, `common`, `numpy` and `numba` see the line of `network`: so they are imported,
typed and tested as they are. Files that define the same names stand for each other: a module takes one of
them. `array_functions` are those of the plain target.
"""
