"""The one grammar of formulas and of printed equations: text in, syntax trees and their values out.

Enters: text that a person typed or that symbp printed. Leaves: frozen trees with places; values of equations
at given arrays. Must not know: tensors of the language, systems, derivatives. Nothing of the text is ever
run as Python.
"""

from symbp.read.grammar.latex import plain
from symbp.read.grammar.matrix_values import Facts, evaluate_matrix
from symbp.read.grammar.parser import parse_equation, parse_formula, parse_matrix_equation
from symbp.read.grammar.values import elements, evaluate

__all__ = [
    "Facts",
    "elements",
    "evaluate",
    "evaluate_matrix",
    "parse_equation",
    "parse_formula",
    "parse_matrix_equation",
    "plain",
]
