"""Slips in recurrences of logarithms, as of paths through states: a summand of an exponent missing, too many,
or of another step.

Enters: a shop. Leaves: mutants. Must not know: which algorithm it is.

Where a forward pass adds up logarithms step by step, α[t] = e[t] + log Σ exp α[t − 1], its backward pass has
products of what is in these: a summand that code forgets, or takes twice, is a factor exp(∓e) here.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Access, Expr, accesses
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, with_body


def exponents(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """The adjoint of a recurrence, as it is read by itself or by others, times what is in an exponent."""
    name = equation.target
    if name not in shop.bench.recurrent:
        return
    readers = [e for e in shop.bench.between if name in e.read_names]
    inside = [e for e in readers if e.target in shop.bench.recurrent]
    outside = [e for e in readers if e.target not in shop.bench.recurrent]
    for summand in _summands(shop, equation):
        text = expression_text(Access(summand, *equation.indices))
        for equations in filter(None, (inside, outside)):
            where = " and ".join(shop.said(e.target) for e in equations)
            for slip, hint, forms in _forms(shop, summand, text):
                changed = tuple(_changed(e, name, forms) for e in equations)
                yield Mutant(slip, f"{hint} for {where}, in the exponent", changed, 2)


def _forms(shop: Shop, summand: str, text: str) -> Iterator[tuple[Slip, str, list[tuple[int, Access]]]]:
    shape = shop.bench.system.tensor(summand).shape
    own = Access(summand, *(sympy.Dummy() for _ in shape))
    yield "missing term", f"{text} is missing", [(-1, own)]
    yield "term too many", f"{text} is too many", [(1, own)]
    for axis in (k for k, extent in enumerate(shape) if extent in shop.steps):
        for by in (-1, 1):
            at = [s + by if k == axis else s for k, s in enumerate(own.subscripts)]
            moved = Access(summand, *at, outside=sympy.Integer(0))
            yield "step in time", f"{text} is taken at another step", [(-1, own), (1, moved)]


def _changed(equation: Equation, name: str, forms: list[tuple[int, Access]]) -> Equation:
    """An equation in which what is read of a tensor is multiplied with the exponential of some summands."""
    new: dict[Expr, Expr] = {}
    own = forms[0][1]
    for access in accesses(equation.body):
        if access.name == name:
            at = dict(zip(own.subscripts, access.subscripts, strict=True))
            new[access] = access * sympy.exp(sympy.Add(*(sign * a.xreplace(at) for sign, a in forms)))
    return with_body(equation, equation.body.xreplace(new))


def _summands(shop: Shop, equation: Equation) -> list[str]:
    """What is added, element by element, to a tensor of the forward pass that rests on itself and stands in
    exponents of the backward pass; of the adjoint's shape."""
    system, found = shop.bench.system, dict[str, None]()
    reads = {a.name for e in shop.bench.between for x in e.body.atoms(sympy.exp) for a in accesses(x)}
    for name in sorted(reads):
        own = system.defining.get(name)
        if own is None or own.op is not None or not _rests_on_itself(shop, own):
            continue
        for term in sympy.Add.make_args(own.body):
            plain = isinstance(term, Access) and term.subscripts == own.indices
            if plain and system.tensor(term.name).shape == equation.shape and _is_free(shop, term.name, name):
                found[term.name] = None
    return [*found]


def _rests_on_itself(shop: Shop, equation: Equation) -> bool:
    return any(equation.target in shop.bench.system.ancestors(name) for name in equation.read_names)


def _is_free(shop: Shop, summand: str, name: str) -> bool:
    """Whether a summand is no part of the recurrence itself."""
    return name not in shop.bench.system.ancestors(summand)
