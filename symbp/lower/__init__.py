"""From equations to a program of kernels, independent of any target."""

from symbp.lower.lowering import lower
from symbp.lower.program import Contraction, Cost, EquationKernel, Loop, Nest, Program
from symbp.lower.validate import validate

__all__ = ["Contraction", "Cost", "EquationKernel", "Loop", "Nest", "Program", "lower", "validate"]
