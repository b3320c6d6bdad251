"""Where a system bends: functions of one number that flatten to a side, whatever they are called.

Enters: a system. Leaves: sites, each with what goes in, what comes out and the slope, as equations.
Must not know: ops. A site is found by its form: a part of a body that depends on what it reads through one
weighted sum u alone, as f(u), where f has a slope everywhere and is flat towards one end (a rectifier: below
it a unit passes nothing on) or both (tanh, σ: beyond them it hardly does).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sympy

from symbp.ir.expr import Access, Expr, Guard, accesses, value_accesses
from symbp.ir.partial import partial
from symbp.ir.system import Equation, Role, System

GRID = (0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
FLAT = 1e-6  # of the greatest slope: far out a flat side has less
GROWS = 1.3  # a slope that grows by this from one place of the grid to the next is not bounded
V = sympy.Symbol("v", real=True)


@dataclass(frozen=True)
class Site:
    """`output = f(argument)` stands in the equation of `target`; all are equations over its indices.
    `steepest` is the greatest slope on a grid, `is_bounded` whether f flattens to both sides; `units` are the
    axes of the target along which parameters have entries of their own; `offsets` are parameters that are
    added to the argument without a factor, `rest` is the argument without them."""

    target: str
    argument: Equation
    output: Equation
    slope: Equation
    steepest: float
    is_bounded: bool
    units: tuple[int, ...]
    offsets: tuple[str, ...]
    offset: Equation
    rest: Equation

    @property
    def is_rectifier(self) -> bool:
        """Whether it passes nothing on where a condition fails."""
        return not self.is_bounded


def sites(system: System) -> tuple[Site, ...]:
    """The sites that the loss rests on, in the order of evaluation."""
    if system.loss is None:
        return ()
    needed = system.ancestors(system.loss)
    own = {extent for tensor in system.parameters for extent in tensor.shape if extent != 1}
    found = []
    for equation in system.equations:
        role = system.tensor(equation.target).role
        if equation.op is not None or equation.target not in needed or equation.constant:
            continue
        if role in (Role.ADJOINT, Role.GRADIENT) or _reads_targets(system, equation) or not equation.indices:
            continue
        units = tuple(k for k, extent in enumerate(equation.shape) if extent in own)
        parts = list(_parts(equation.body))
        found += [_site(system, equation, *part, units) for part in parts if _has_data(system, part[1])]
    return tuple(found)


def _reads_targets(system: System, equation: Equation) -> bool:
    return any(system.tensor(name).role is Role.TARGET for name in equation.read_names)


def _has_data(system: System, argument: Expr) -> bool:
    """Whether an argument isn't made of leaves alone that don't vary: parameters, constants."""
    fixed = (Role.PARAMETER, Role.HYPER, Role.BUFFER)
    return any(system.tensor(a.name).role not in fixed for a in accesses(argument) if not a.is_integer)


def _site(system: System, equation: Equation, f: Expr, u: Expr, units: tuple[int, ...]) -> Site:
    steepest, is_bounded = _character(f) or (1.0, True)
    terms = sympy.Add.make_args(_unfolded(system, u))
    plain = [t for t in terms if isinstance(t, Access) and system.tensor(t.name).role is Role.PARAMETER]

    def over(body: Expr) -> Equation:
        return Equation("", equation.indices, body, ranges=equation.shape)

    rest = sympy.Add(*[t for t in terms if t not in plain])
    return Site(
        equation.target,
        over(u),
        over(f.xreplace({V: u})),
        over(sympy.diff(_smooth(f), V).xreplace(_restored(f)).xreplace({V: u})),
        steepest,
        is_bounded,
        units,
        tuple(t.name for t in plain),
        over(sympy.Add(*plain)),
        over(rest),
    )


def _unfolded(system: System, u: Expr) -> Expr:
    """The argument, each read of a plain equation in it written out: `a1[n,j]` as `z1[n,j] + b1[j]`."""
    written = {}
    for access in accesses(u):
        before = system.defining.get(access.name)
        if before is None or before.op is not None or not before.body.is_Add or before.body.atoms(Guard):
            continue
        if access.outside is None and access.name not in before.read_names:
            own = dict(zip(before.indices, access.subscripts, strict=True))
            written[access] = before.body.xreplace(own)
    return u.xreplace(written)


def _parts(e: Expr) -> Iterator[tuple[Expr, Expr]]:
    """(f, u) of the largest parts f(u) of a body that are sites. Of a sum all terms in one u are taken
    together: what one of them keeps back another may pass, as in a rectifier that leaks."""
    read = [a for a in accesses(e) if not a.is_integer]
    if not read or isinstance(e, (Access, Guard)):
        return
    terms = sympy.Add.make_args(e)
    settled: list[Expr] = []
    for u in _arguments(e):
        own = [term for term in terms if _in_terms(term, u) is not None]
        f = _in_terms(sympy.Add(*own), u) if own else None
        if f is None or f == V:
            continue
        settled = settled or own
        if _character(f) is not None:
            yield f, u
            settled = own
            break
    if settled:
        yield from _parts(sympy.Add(*[term for term in terms if term not in settled]))
        return
    if e.is_Mul:  # conditions on positions are no part of a function of values
        bare = sympy.Mul(*[g for g in e.args if not (isinstance(g, Guard) and not _is_real(g))])
        if bare != e:
            yield from _parts(bare)
            return
    for part in e.args:
        yield from _parts(part)


def _is_real(guard: Guard) -> bool:
    return any(not a.is_integer for a in accesses(guard))


def _arguments(e: Expr) -> Iterator[Expr]:
    """Candidates for the one value that a part depends on: what stands in functions, powers and conditions. A
    sum of reads with numbers before them is taken with the first of these as 1."""
    for node in sympy.preorder_traversal(e):
        if isinstance(node, Access):
            continue
        inside = [node.rhs - node.lhs] if isinstance(node, Guard) else []
        inside += [node.args[0]] if isinstance(node, sympy.Function) else []
        inside += [node.exp] if isinstance(node, sympy.Pow) and node.base == sympy.E else []
        for u in inside:
            read = value_accesses(u)
            if read and all(partial(u, a).is_number for a in read):
                weight = abs(partial(u, read[0]))
                sign = 1 if partial(u, read[0]).is_positive else -1
                yield sympy.expand(sign * u / weight)
            elif read:
                yield u


def _in_terms(e: Expr, u: Expr) -> Expr | None:
    """A part as a function of v, which stands for the sum u; None if it depends on more than that."""
    first = value_accesses(u)[0]
    inverse = V - (u - first)
    found = e.xreplace({u: V, sympy.expand(-u): -V}) if not isinstance(u, Access) else e.xreplace({u: V})
    if any(not a.is_integer for a in accesses(found)) and partial(u, first) == 1:
        found = found.replace(lambda x: x == first, lambda _: inverse)
        found = found.replace(
            lambda x: isinstance(x, sympy.Add) and any(not a.is_integer for a in accesses(x)), sympy.expand
        )
    return found if not found.free_symbols - {V} and not accesses(found) else None


@lru_cache(maxsize=1024)
def _character(f: Expr) -> tuple[float, bool] | None:
    """(the greatest slope, whether f is flat to both sides); None if f isn't flat to any, or has no bounded
    slope everywhere."""
    slope = sympy.diff(_smooth(f), V).xreplace(_restored(f))
    if not slope.has(V):  # a straight line
        return None
    places = [sign * u for u in GRID for sign in (1, -1)]
    values = {}
    for place in places:
        value = complex(sympy.N(slope.xreplace({V: sympy.Float(place)})))
        if value.imag or value != value or abs(value) == float("inf"):
            return None
        values[place] = abs(value.real)
    greatest, last = max(values.values()), GRID[-2:]
    if greatest == 0 or any(values[s * last[1]] > GROWS * values[s * last[0]] + FLAT for s in (1, -1)):
        return None
    flat = [values[s * last[1]] <= FLAT * greatest for s in (1, -1)]
    return (greatest, all(flat)) if any(flat) else None


def _conditions(f: Expr) -> dict[Expr, Expr]:
    return {g: sympy.Symbol(f"g{k}", nonnegative=True) for k, g in enumerate(sorted(f.atoms(Guard), key=str))}


def _smooth(f: Expr) -> Expr:
    """The function with its conditions as constants."""
    return f.xreplace(_conditions(f))


def _restored(f: Expr) -> dict[Expr, Expr]:
    return {symbol: guard for guard, symbol in _conditions(f).items()}
