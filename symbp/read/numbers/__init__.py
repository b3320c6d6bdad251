"""The numbers of a page: the value of every tensor that its equations define, at one point.

Enters: a reading or a derivation, arrays by name, or nothing: then an example is drawn. Leaves: frozen
`Numbers`, each derivative with its central difference. Must not know: formats, ops, how arrays were read.
"""

from symbp.read.numbers.example import example
from symbp.read.numbers.numbers import Numbers, Row, numbers, worked_example

__all__ = ["Numbers", "Row", "example", "numbers", "worked_example"]
