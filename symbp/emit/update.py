"""An optimizer's update, emitted once over the flat arenas.

Enters: an update rule, equations over one generic parameter. Leaves: a function in either target.
Must not know: which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from symbp.emit.arrays import ArraySpelling
from symbp.emit.blocks import Function, note
from symbp.emit.elements import ElementSpelling
from symbp.emit.names import Names
from symbp.emit.spelling import ATOM, Written
from symbp.errors import LoweringError
from symbp.ir.expr import Access, Expr, Index, free_indices
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, Role, System
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule

PREFIX = "U"


def numbered_updates(rule: UpdateRule) -> list[tuple[int, Equation]]:
    """The update's equations with their numbers, scalars first where they are computed."""
    numbered = [(k + 1, e) for k, e in enumerate(rule.system.equations)]
    for number, equation in numbered:
        flat = all(a.subscripts in ((), equation.indices) for a in equation.reads)
        if equation.reduction is not None or len(equation.indices) > 1 or not flat:
            raise LoweringError(
                f"equation ({PREFIX}{number}) of the update {rule.name} is no map of one entry",
                details=(equation_text(equation),),
                help="an update reads and writes each parameter entry by itself",
            )
    return numbered


def arguments(rule: UpdateRule) -> tuple[str, ...]:
    """The arguments of the update function."""
    return (THETA, GRADIENT, *rule.moments, STEP, *hyperparameters(rule.system))


def hyperparameters(system: System) -> tuple[str, ...]:
    return tuple(t.name for t in system.with_role(Role.HYPER) if t.name != STEP)


def _doc(rule: UpdateRule) -> str:
    return f"{rule.name}: one step over all parameters, in place."


# --- NumPy


def numpy_update(rule: UpdateRule, names: Names) -> tuple[Function, set[str]]:
    """The update as vector expressions over the arenas."""
    numbered = numbered_updates(rule)
    shapes = {t.name: t.shape for t in rule.system.tensors}
    current = {name: names.tensors[name] for name in shapes}
    source = {new: old for old, new in rule.system.updates.items()}
    body: list[str] = []
    late: list[str] = []
    helpers: set[str] = set()
    for k, (number, equation) in enumerate(numbered):
        old = source.get(equation.target)
        later = [name for _, e in numbered[k + 1 :] for name in e.read_names]
        spelling = ArraySpelling(equation.indices, equation.extents, shapes, current, f"({PREFIX}{number})")
        spelling.name_repeated(equation.body)
        body += [line + note(number, prefix=PREFIX) for line in spelling.prelude]
        if old is not None and old not in later:
            body.append(_in_place(spelling, equation, old, current[old]) + note(number, prefix=PREFIX))
            current[equation.target] = current[old]
        else:
            text = spelling.write(equation.body).text
            body.append(f"{current[equation.target]} = {text}{note(number, prefix=PREFIX)}")
            if old is not None:
                late.append(f"{current[old]}[...] = {current[equation.target]}")
        helpers |= spelling.helpers
    return Function(
        "_update", arguments(rule), _doc(rule), (*body, *late), ('@np.errstate(all="ignore")',)
    ), helpers


def _in_place(spelling: ArraySpelling, equation: Equation, old: str, name: str) -> str:
    """`theta -= …` where the new value is the old one plus something, else `m[...] = …`."""
    terms = sympy.Add.make_args(equation.body)
    own = [t for t in terms if isinstance(t, Access) and t.name == old]
    rest = equation.body - sympy.Add(*own)
    if len(own) == 1 and rest != 0 and old not in {a.name for a in rest.atoms(Access)}:
        negative = all(t.as_coeff_Mul()[0].is_negative for t in sympy.Add.make_args(rest))
        written = spelling.write(-rest if negative else rest)
        return f"{name} {'-=' if negative else '+='} {written.text}"
    return f"{name}[...] = {spelling.write(equation.body).text}"


# --- Numba


class _UpdateSpelling(ElementSpelling):
    """Elements of the update: what depends on scalars alone is computed in double precision."""

    def write(self, e: Expr) -> Written:
        scalar = not free_indices(e) and e.atoms(Access)
        if scalar and self.real_type and not isinstance(e, Access) and e not in self.known:
            double = ElementSpelling(self.loops, self.shapes, self.names, "", self.where)
            double.scalars = self.scalars
            return Written(f"{self.real_type}({double.write(e).text})", ATOM)
        return super().write(e)


def numba_update(rule: UpdateRule, names: Names, real: str) -> tuple[Function, set[str]]:
    """The update as one loop over the arenas."""
    numbered = numbered_updates(rule)
    shapes = {t.name: t.shape for t in rule.system.tensors}
    scalars = {t.name for t in rule.system.tensors if not t.shape}
    locals_ = frozenset(e.target for _, e in numbered)
    loop = names.free("i")
    helpers: set[str] = set()
    body: list[str] = []
    inner: list[str] = []
    for number, equation in sorted(numbered, key=lambda row: bool(row[1].indices)):
        lines = _element_lines(number, equation, shapes, scalars, names.tensors, locals_, loop, real, helpers)
        (inner if equation.indices else body).extend(lines)
    updates = rule.system.updates
    inner += [f"{names.tensors[old]}[{loop}] = {names.tensors[new]}" for old, new in updates.items()]
    body += [f"for {loop} in range(len({names.tensors[THETA]})):", *(f"    {line}" for line in inner)]
    return Function("_update", arguments(rule), _doc(rule), tuple(body), ("@kernel",)), helpers


def _element_lines(
    number: int,
    equation: Equation,
    shapes: Mapping[str, tuple[Expr, ...]],
    scalars: set[str],
    names: Mapping[str, str],
    locals_: frozenset[str],
    loop: str,
    real: str,
    helpers: set[str],
) -> Iterator[str]:
    loops: dict[Index, str] = dict.fromkeys(equation.indices, loop)
    spelling = _UpdateSpelling(loops, shapes, names, real if equation.indices else "", f"({PREFIX}{number})")
    spelling.scalars = scalars
    spelling.locals = locals_
    if equation.indices:
        spelling.name_repeated(equation.body)
    comment = note(number, prefix=PREFIX)
    text = spelling.write(equation.body).text
    yield from (line + comment for line in spelling.prelude)
    yield f"{names[equation.target]} = {text}{comment}"
    helpers |= spelling.helpers


__all__ = ["arguments", "hyperparameters", "numba_update", "numbered_updates", "numpy_update"]
