"""The starting values of parameters as a function of the generated module.

Enters: how each parameter starts. Leaves: a function. Must not know: why a distribution was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symbp.codegen import infer
from symbp.codegen.function import Function
from symbp.codegen.spelling.elements import ScalarSpelling
from symbp.codegen.tree import Assign, Expression
from symbp.ir.expr import Expr, free_sizes
from symbp.ir.system import Tensor
from symbp.ir.training import Initial
from symbp.targets.compiled.names import key_of
from symbp.targets.compiled.sections.entries import Entry, table_of
from symbp.targets.compiled.segments import LoweredNetwork

_DRAWN = {
    "normal": "rng.standard_normal",
    "uniform": "rng.uniform",
    "truncated": "_truncated_normal",
    "orthogonal": "_orthogonal",
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
        entries.append(Entry(parameter.name, _with_facts(parameter, value), comment))
    opened = [name for name in net.open_sizes if name in needed]
    sizes = infer.word("sizes")
    head = [
        Assign(infer.name(name), infer.sliced(sizes, [infer.quoted(key_of(name))], ())) for name in opened
    ]
    doc = "The parameters' starting values, drawn in this order."
    return Function("_initial", ("rng", "sizes"), doc, (*head, table_of(entries)))


def _with_facts(parameter: Tensor, value: Expression) -> Expression:
    """What was drawn, with the facts that a parameter has."""
    if parameter.fact("symmetric"):
        drawn = infer.name("u", value.shape)
        given = infer.binary(":=", drawn, value)
        value = infer.binary("/", infer.plus(given, infer.swapped(drawn)), infer.number(2))
    for fact, function in (("lower triangular", "np.tril"), ("upper triangular", "np.triu")):
        value = infer.elementwise(function, value) if parameter.fact(fact) else value
    return value


def _value(parameter: Tensor, start: Initial) -> Expression:
    spelling = ScalarSpelling({}, {}, {})
    shape = infer.sizes_of(spelling.integer(extent).node for extent in parameter.shape)
    if start.distribution == "constant" or start.scale == 0:
        value = start.shift + (start.scale if start.distribution == "constant" else 0)
        if value == 0:
            return infer.call("np.zeros", shape, shape=parameter.shape)
        return infer.call("np.full", shape, spelling.write(value).node, shape=parameter.shape)
    function = _DRAWN[start.distribution]
    before: list[Expression] = [infer.word("rng")] if function.startswith("_") else []
    before += [infer.number(-1), infer.number(1)] if start.distribution == "uniform" else []
    drawn: Expression = infer.call(function, *before, shape, shape=parameter.shape)
    if start.scale != 1:
        drawn = infer.binary("*", _scale(start.scale, spelling), drawn)
    return drawn if start.shift == 0 else infer.plus(drawn, spelling.write(start.shift).node)


def _scale(scale: Expr, spelling: ScalarSpelling) -> Expression:
    """`math.sqrt(6 / (D + H))`, where SymPy holds √6/√(D + H)."""
    square = sympy.expand(scale**2) if scale.is_positive else scale
    if square.atoms(sympy.Pow) and not _has_root(square) and _has_root(scale):
        return spelling.call("sqrt", scale**2).node
    return spelling.write(scale).node


def _has_root(expr: Expr) -> bool:
    return any(not power.exp.is_integer for power in expr.atoms(sympy.Pow))
