"""From equations to a program of kernels, independent of any target."""

from symbp.lower.lowering import lower
from symbp.lower.program import Contraction, Cost, Loop, Nest, Program, Statement, validate

__all__ = ["Contraction", "Cost", "Loop", "Nest", "Program", "Statement", "lower", "validate"]
