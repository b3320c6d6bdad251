"""Slips in conditions on indices: one that is missing or never holds, a bound that is one off, the least for
the greatest; one case of several everywhere.

Enters: a shop. Leaves: mutants. Must not know: conditions on values that are slopes.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symbp.ir.expr import Expr, Guard, IntegerAccess, accesses
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Role, Tensor
from symbp.verify.against.answer import Slip
from symbp.verify.against.repairs.mutant import Mutant
from symbp.verify.against.repairs.shop import Shop, inside, with_body


def conditions(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """An equation with one of its brackets always 1, or 0, or with its bound one off."""
    yield from _opposite(shop, equation)
    yield from _one_case(shop, equation)
    where = equation_text(equation)
    for bracket in _brackets(equation.body):
        text = expression_text(bracket)
        ways: list[tuple[Slip, str, Expr]] = [
            ("term too many", f"the condition {text} is missing", sympy.Integer(1)),
            ("missing term", f"a term is missing: what has {text}", sympy.Integer(0)),
        ]
        for new, wider in _one_off(bracket):
            slip: Slip = "step in time" if wider is None else "term too many" if wider else "missing term"
            ways.append((slip, f"{expression_text(new)} stands where {text} belongs", new))
        for slip, hint, new in ways:
            body = equation.body.xreplace({bracket: new})
            if body != equation.body and body != 0:
                hint = f"{shop.of(equation)}{hint}, in {where}"
                yield Mutant(slip, hint, (with_body(equation, body),), 1 + (new.is_number is not True))


def _one_case(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """What holds in one case of several on values, everywhere: a clipped residual that isn't clipped."""
    for total in (e for e in inside(equation.body) if e.is_Add):
        cases = {part: part.atoms(Guard) for part in total.args}
        cases = {part: guards for part, guards in cases.items() if any(map(_on_values, guards))}
        for part, guards in cases.items() if len(cases) > 1 else ():
            alone = part.xreplace({guard: sympy.Integer(1) for guard in guards if _on_values(guard)})
            new = total - sympy.Add(*cases) + alone
            body = equation.body.xreplace({total: new})
            hint = f"{expression_text(new)} everywhere, where it depends: {equation_text(equation)}"
            if accesses(alone):
                yield Mutant("wrong slope", f"{shop.of(equation)}{hint}", (with_body(equation, body),), 1)


def _on_values(guard: Guard) -> bool:
    return not (guard.lhs.is_integer and guard.rhs.is_integer)


def _brackets(body: Expr) -> list[Expr]:
    """The brackets on integers, those inside others too; products of such as one."""
    found: dict[Expr, None] = {}
    for guard in sorted(body.atoms(Guard), key=sympy.default_sort_key):
        if guard.lhs.is_integer and guard.rhs.is_integer:
            found[guard] = None
            for side in (guard.lhs, guard.rhs):
                for product in sorted(side.atoms(sympy.Mul), key=sympy.default_sort_key):
                    if all(isinstance(factor, Guard) for factor in product.args):
                        found[product] = None
    return [*found]


def _one_off(bracket: Expr) -> Iterator[tuple[Expr, bool | None]]:
    """A bracket with a bound one more or less, and whether more fulfil it so; None where as many do."""
    if isinstance(bracket, Guard) and bracket.op != "!=":
        for by in (-1, 1):
            new = Guard(bracket.op, bracket.lhs, bracket.rhs + by)
            yield new, None if bracket.op == "=" else by > 0


def _opposite(shop: Shop, equation: Equation) -> Iterator[Mutant]:
    """The places of the least where those of the greatest belong."""
    reads = {a.name: a for a in accesses(equation.body) if isinstance(a, IntegerAccess)}
    found = [shop.bench.system.defining[name] for name in reads if name in shop.bench.system.defining]
    found = [places for places in found if places.op == "argmax"]
    if not found:
        return
    helpers = [Tensor(f"{e.target} least", e.shape, Role.ADJOINT, integer=True) for e in found]
    names = {e.target: helper.name for e, helper in zip(found, helpers, strict=True)}
    renamed = {
        a: a.with_(name=names[a.name])
        for guard in equation.body.atoms(Guard)
        for a in guard.atoms(IntegerAccess)
        if a.name in names
    }
    others = [e.with_(target=names[e.target], body=-e.body) for e in found]
    changed = (with_body(equation, equation.body.xreplace(renamed)), *others)
    text = " and ".join(equation_text(e) for e in found)
    hint = f"{shop.of(equation)}the place of the least stands for that of the greatest: {text}"
    yield Mutant("wrong slope", hint, changed, 1, tuple(helpers))
