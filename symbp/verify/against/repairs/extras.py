"""Slips that add what doesn't belong there: a decay of the weights, another derivative.

Enters: a shop. Leaves: mutants. Must not know: terms that belong there.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Access
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation, Role, Tensor
from symbp.verify.against.repairs.agreement import Array, ratio
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop

CLOSE = 1e-6


def added(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """Something of the same shape more, times a constant."""
    rest = _rest(shop) if equation.target == shop.bench.target else None
    for access in _extras(shop, equation) if rest is not None else ():
        read = equation.with_(body=access, reduction=None, ranges=equation.shape)
        found = [ratio(left, shop.bench.base(k).value(read)) for k, left in enumerate(rest or ())]
        numbers = [f for f in found if f is not None]
        form = shop.recogniser.monomial(numbers) if len(numbers) == len(found) else None
        if len(numbers) < len(found) or (form is None and not _is_constant(numbers)):
            continue
        factor = shop.expression(form) if form is not None else sympy.Float(numbers[0], 15)
        text = expression_text(access)
        if form is None or not form.is_one:
            text = f"{form or format(numbers[0], '.6g')}·{text}"
        helper = Tensor(f"{equation.target} alone", equation.shape, Role.ADJOINT)
        body = helper.at(*equation.indices) + factor * access
        changed = (read.with_(body=body), equation.with_(target=helper.name))
        hint = f"{text} is added to {shop.theirs}: it doesn't belong there"
        yield Mutant("term too many", hint, changed, 2, (helper,))


def _rest(shop: Shop) -> list[Array] | None:
    """What the answers have beyond what is right."""
    pairs = [(answer, shop.bench.right(k)) for k, answer in enumerate(shop.answered)]
    return [a - right for a, right in pairs] if all(a.shape == right.shape for a, right in pairs) else None


def _is_constant(numbers: list[float]) -> bool:
    return max(numbers) - min(numbers) <= CLOSE * abs(numbers[0])


def _extras(shop: Shop, equation: Equation) -> Iterator[Access]:
    """Tensors of the shape of an adjoint, first that by which it is one; adjoints at the next step, too."""
    what = shop.bench.system.tensor(equation.target).differential
    first = [what.by] if what is not None and what.by in shop.bench.system.by_name else []
    for name in dict.fromkeys([*first, *shop.of_shape(shop.bench.system.tensor(equation.target).shape)]):
        if name != equation.target:
            yield Access(name, *equation.indices)
        if name in shop.adjoints:
            for axis in (k for k, extent in enumerate(equation.shape) if extent in shop.steps):
                for by in (1, -1):
                    at = [i + by if k == axis else i for k, i in enumerate(equation.indices)]
                    yield Access(name, *at, outside=sympy.Integer(0))
