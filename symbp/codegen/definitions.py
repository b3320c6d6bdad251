"""Functions that a page knows by name, as functions of arrays, from what defines them.

Enters: the name of one. Leaves: a tree that defines it. Must not know: any function in particular; a slope is
SymPy's derivative.
"""

from __future__ import annotations

from collections import Counter

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays.bodies import real
from symbp.codegen.arrays.frame import Frame, Variable
from symbp.codegen.tree import Assign, Define, Return, Statement
from symbp.ir.expr import Access, Expr
from symbp.read.display import Named, gelu, gelu_slope, gelu_tanh, gelu_tanh_slope

DEFINED: dict[str, type[Named]] = {
    function.__name__: function for function in (gelu, gelu_slope, gelu_tanh, gelu_tanh_slope)
}
"""Those that are safe as they are defined; others (σ, softplus) are written so that nothing overflows."""


def definition(name: str) -> Define:
    """`def gelu(u)`, of arrays of any shape."""
    function, argument = DEFINED[name], infer.name("u", ())
    whole, frame = function(Access("u")).definition, Frame({"u": Variable(argument)}, {})
    body: list[Statement] = []
    for k, part in enumerate(_repeated(whole), start=1):
        saved = infer.name(f"c{k}", ())
        body.append(Assign(saved, real(part, frame).node))
        frame = Frame({**frame.variables, saved.id: Variable(saved)}, {})
        whole = whole.xreplace({part: Access(saved.id)})
    words = " ".join((function.__doc__ or "").split())
    return Define(name, (argument,), (words,), (*body, Return(real(whole, frame).node)))


def _repeated(e: Expr) -> list[Expr]:
    """The functions of what a definition calls more than once."""
    calls = Counter(part for part in sympy.preorder_traversal(e) if isinstance(part, sympy.Function))
    return sorted((part for part, count in calls.items() if count > 1), key=sympy.default_sort_key)
