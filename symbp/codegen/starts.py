"""Starting values of parameters as expressions.

Enters: how a parameter starts. Leaves: an expression that draws from `rng`. Must not know:
statements, targets.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays import Frame
from symbp.codegen.arrays.bodies import length, real
from symbp.codegen.tree import Expression
from symbp.errors import GenerationError
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Tensor
from symbp.ir.training import Initial

MADE = {"symmetric": "symmetric", "lower triangular": "np.tril", "upper triangular": "np.triu"}
"""How what was drawn gets a fact."""


def starting_value(parameter: Tensor, start: Initial, frame: Frame, sizes: Mapping[str, str]) -> Expression:
    """What a parameter starts as; `sizes` are other names that the frame has for some."""
    shape = parameter.shape
    renamed = {Size(old): Size(new) for old, new in sizes.items()}
    scale, shift = start.scale.xreplace(renamed), start.shift.xreplace(renamed)
    lengths = infer.sizes_of(length(e, frame) for e in shape)
    if start.distribution in ("mean", "deviation"):
        raise GenerationError(
            f"{parameter.name} starts at the {start.distribution} of data, which plain code doesn't measure",
            help="leave out --standardise, or choose another target",
        )
    if start.distribution == "constant" or scale == 0:
        value = shift + (scale if start.distribution == "constant" else 0)
        if value in (0, 1):
            return infer.call("np.ones" if value == 1 else "np.zeros", lengths, shape=shape)
        full = infer.number(float(value)) if value.is_Integer else real(value, frame).node
        return infer.call("np.full", lengths, full, shape=shape)
    if start.distribution == "normal":
        node: Expression = infer.call("rng.standard_normal", lengths, shape=shape)
    elif start.distribution in ("orthogonal", "truncated"):
        name = "_orthogonal" if start.distribution == "orthogonal" else "_truncated_normal"
        node = infer.call(name, infer.name("rng", (), "object"), lengths, shape=shape)
    else:
        node = infer.call("rng.uniform", infer.number(-1), infer.number(1), lengths, shape=shape)
    node = node if scale == 1 else infer.binary("*", _scale(scale, frame), node)
    node = node if shift == 0 else infer.binary("+", node, real(shift, frame).node)
    for fact, made in MADE.items():
        node = infer.call(made, node, shape=shape) if parameter.fact(fact) else node
    return node


def _scale(scale: Expr, frame: Frame) -> Expression:
    """`np.sqrt(6 / (D + H))`, where SymPy holds √6/√(D + H)."""
    square = sympy.expand(scale**2)
    roots = any(p.exp.is_Rational and not p.exp.is_integer for p in scale.atoms(sympy.Pow))
    if roots and scale.is_positive and not any(not p.exp.is_integer for p in square.atoms(sympy.Pow)):
        return infer.elementwise("np.sqrt", real(sympy.factor_terms(square), frame).node)
    return real(scale, frame).node
