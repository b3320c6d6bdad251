"""From equations over indices to expressions over whole arrays: each index is an axis."""

from symbp.codegen.arrays.equations import right_hand_side
from symbp.codegen.arrays.frame import Frame, Variable
from symbp.codegen.arrays.values import Value, aligned, filled

__all__ = ["Frame", "Value", "Variable", "aligned", "filled", "right_hand_side"]
