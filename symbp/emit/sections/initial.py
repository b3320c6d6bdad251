"""The starting values of parameters as a function of the generated module.

Enters: how each parameter starts. Leaves: a function. Must not know: why a distribution was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.emit.blocks import Function
from symbp.emit.elements import ScalarSpelling
from symbp.emit.names import key_of
from symbp.emit.sections.entries import Entry, entry_lines
from symbp.emit.segments import LoweredNetwork
from symbp.emit.spelling import MUL
from symbp.ir.expr import Expr, free_sizes
from symbp.ir.system import Tensor
from symbp.ir.training import Initial

_MADE = {
    "symmetric": "((u := {}) + u.swapaxes(-1, -2)) / 2",
    "lower triangular": "np.tril({})",
    "upper triangular": "np.triu({})",
}
"""How what was drawn gets a fact."""
_DRAWN = {
    "normal": "rng.standard_normal({})",
    "uniform": "rng.uniform(-1, 1, {})",
    "truncated": "_truncated_normal(rng, {})",
    "orthogonal": "_orthogonal(rng, {})",
}


def initial_function(net: LoweredNetwork, initial: Mapping[str, Initial], *, once: bool = False) -> Function:
    """`_initial(rng, sizes)`: every parameter's starting value by name, drawn in the declared order; `once`
    says each reason once."""
    entries: list[Entry] = []
    needed: set[str] = set()
    said: list[str] = [""]
    for parameter in net.parameters:
        start = initial.get(parameter.name, Initial("constant"))
        for expression in (*parameter.shape, start.scale, start.shift):
            needed |= {size.name for size in free_sizes(expression)}
        comment = " ".join(start.reason.split()) if start.reason not in (said if once else said[-1:]) else ""
        said.append(start.reason)
        value = _value(parameter, start)
        for fact, made in _MADE.items():
            value = made.format(value) if parameter.fact(fact) else value
        entries.append(Entry(parameter.name, value, comment))
    opened = [name for name in net.open_sizes if name in needed]
    head = [f'{name} = sizes["{key_of(name)}"]' for name in opened]
    lines = [f"    {line}" for line in entry_lines(entries)]
    doc = "The parameters' starting values, drawn in this order."
    return Function("_initial", ("rng", "sizes"), doc, (*head, "return {", *lines, "}"))


def _value(parameter: Tensor, start: Initial) -> str:
    spelling = ScalarSpelling({}, {}, {})
    extents = [spelling.integer(extent).text for extent in parameter.shape]
    shape = extents[0] if len(extents) == 1 else f"({', '.join(extents)})"
    if start.distribution == "constant" or start.scale == 0:
        value = start.shift + (start.scale if start.distribution == "constant" else 0)
        return f"np.zeros({shape})" if value == 0 else f"np.full({shape}, {spelling.write(value).text})"
    text = _DRAWN[start.distribution].format(shape)
    if start.scale != 1:
        text = f"{_scale(start.scale, spelling)} * {text}"
    return text if start.shift == 0 else f"{text} + {spelling.write(start.shift).at_least(MUL)}"


def _scale(scale: Expr, spelling: ScalarSpelling) -> str:
    """`math.sqrt(6 / (D + H))`, where SymPy holds √6/√(D + H)."""
    square = sympy.expand(scale**2) if scale.is_positive else scale
    if square.atoms(sympy.Pow) and not _has_root(square) and _has_root(scale):
        return spelling.call("sqrt", scale**2).text
    return spelling.write(scale).at_least(MUL)


def _has_root(expr: Expr) -> bool:
    return any(not power.exp.is_integer for power in expr.atoms(sympy.Pow))
