"""Values that more than one equation needs, or that all steps of a loop may have at once, as tensors of
their own.

Enters: a system. Leaves: `Shared`: the system with more equations, each with the number of the first equation
that it serves. Must not know: targets, ops, what a function is for.

The tanh of a gelu is in its value and in its slope: it is computed once. In a loop `a[t] + b` and
`1 − h[t]²` are there for all steps before it (backwards) begins: one call on all of them instead of one at
every step, where steps are so small that calls cost more than memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import sympy

from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, free_indices
from symbp.ir.groups import groups
from symbp.ir.machine import SMALL
from symbp.ir.printer import expression_text
from symbp.ir.system import Equation, System, Tensor
from symbp.lower.select.windows import nominal


@dataclass(frozen=True)
class Shared:
    """A system and the numbers of its equations by target; those of the equations that were there stay."""

    system: System
    numbers: Mapping[str, int]


def numbered(system: System) -> Shared:
    """The system with its equations numbered in order."""
    return Shared(system, {e.target: k + 1 for k, e in enumerate(system.equations)})


def shared(base: Shared) -> Shared:
    """The system with functions computed once, and with what small steps of loops need computed before."""
    return _before_loops(_sums(_errors(_functions(_parts_of_others(base)))))


@dataclass
class Additions:
    """The new tensors of one rewrite, by the value that they hold."""

    base: Shared
    equations: dict[str, list[Equation]] = field(default_factory=dict)  # by the equation that they precede
    tensors: list[Tensor] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    known: dict[tuple[Expr, tuple[Expr, ...]], str] = field(default_factory=dict)

    def read(self, value: Expr, equation: Equation, stem: str, order: tuple[Index, ...] = ()) -> Access:
        """A read of the tensor that holds a value of the equation's indices, in their order or a given one;
        made if there is none."""
        indices, key = _canonical(value, equation, order)
        if key not in self.known:
            taken = {t.name for t in (*self.base.system.tensors, *self.tensors)}
            name, count = stem, 2
            while name in taken:
                name, count = f"{stem}{count}", count + 1
            shape = tuple(equation.extents[i] for i in indices)
            self.tensors.append(Tensor(name, shape))
            new = Equation(name, indices, value, ranges=shape)
            self.equations.setdefault(equation.target, []).append(new)
            self.numbers[name] = self.base.numbers[equation.target]
            self.known[key] = name
        return Access(self.known[key], *indices)

    def done(self, bodies: Mapping[str, Expr]) -> Shared:
        """The system with the additions, and the bodies that read them."""
        if not self.tensors and not bodies:
            return self.base
        equations: list[Equation] = []
        for equation in self.base.system.equations:
            equations += self.equations.get(equation.target, [])
            body = bodies.get(equation.target)
            equations.append(equation if body is None else equation.with_(body=body))
        system = self.base.system.with_(
            tensors=(*self.base.system.tensors, *self.tensors), equations=tuple(equations)
        )
        return Shared(system, {**self.base.numbers, **self.numbers})


def _canonical(
    value: Expr, equation: Equation, order: tuple[Index, ...] = ()
) -> tuple[tuple[Index, ...], tuple[Expr, tuple[Expr, ...]]]:
    """The indices of a value in the equation's order, and what is the same for equal values over equal
    ranges, whatever their indices are called."""
    free = free_indices(value)
    indices = order or tuple(i for i in equation.all_indices if i in free)
    names = {i: Index(f"({k})") for k, i in enumerate(indices)}
    return indices, (value.xreplace(names), tuple(equation.extents[i] for i in indices))


# --- what another tensor has at one position
def _parts_of_others(base: Shared) -> Shared:
    """Maps that are another tensor at one position, `[g = 0]·u + [g = 1]·v` at g = 0 and at 1, read it."""
    places: dict[object, tuple[Equation, Index, Expr]] = {}
    for equation in base.system.equations:
        if equation.reduction is None and equation.body.is_Add:
            for index, place, value in _selected(equation):
                places.setdefault(_canonical(value, equation)[1], (equation, index, place))
    bodies: dict[str, Expr] = {}
    for equation in base.system.equations if places else ():
        if equation.reduction is not None or isinstance(equation.body, Access):
            continue
        indices, key = _canonical(equation.body, equation)
        if key not in places:
            continue
        other, index, place = places[key]
        if equation.target in base.system.ancestors(other.target):
            continue
        own = tuple(i for i in other.indices if i != index)
        if len(indices) != len(own) or indices != equation.indices:
            continue
        names = dict(zip(own, indices, strict=True))
        bodies[equation.target] = Access(
            other.target, *(place if i == index else names[i] for i in other.indices)
        )
    return Additions(base).done(bodies)


def _selected(equation: Equation) -> Iterator[tuple[Index, Expr, Expr]]:
    """The terms that a guard gives one position along one index: the index, the position, the rest."""
    for term in sympy.Add.make_args(equation.body):
        factors = sympy.Mul.make_args(term)
        guards = [f for f in factors if isinstance(f, Guard)]
        if len(guards) != 1 or guards[0].op != "=":
            continue
        (guard,) = guards
        index, place = (guard.lhs, guard.rhs) if isinstance(guard.lhs, Index) else (guard.rhs, guard.lhs)
        rest = sympy.Mul(*[f for f in factors if f is not guard])
        alone = isinstance(index, Index) and place.is_Integer and index not in free_indices(rest)
        if alone and free_indices(rest) == set(equation.indices) - {index}:
            yield index, place, rest


# --- functions
def _functions(base: Shared) -> Shared:
    """Functions that more than one equation has, under the name of the equation that is nothing else, or of
    a new one."""
    users: dict[object, list[str]] = {}
    own: dict[object, str] = {}
    for equation in base.system.equations:
        for value in _costly(equation):
            key = _canonical(value, equation)[1]
            users.setdefault(key, []).append(equation.target)
            if (
                value == equation.body
                and not equation.reduction
                and equation.indices == tuple(i for i in equation.all_indices if i in free_indices(value))
            ):
                own.setdefault(key, equation.target)
    additions = Additions(base)
    bodies: dict[str, Expr] = {}
    for equation in base.system.equations:
        reads: dict[Expr, Expr] = {}
        for value in _costly(equation):
            key = _canonical(value, equation)[1]
            if len(set(users[key])) > 1 and key not in own:
                reads[value] = additions.read(value, equation, f"{equation.target}_{_word(value)}")
        if reads:
            bodies[equation.target] = equation.body.xreplace(reads)
    return additions.done(bodies)


def _costly(equation: Equation) -> list[Expr]:
    """The outermost functions in a body that nothing guards, over at least two indices."""
    if equation.leaf is not None:
        return []
    found: dict[Expr, None] = {}

    def walk(e: Expr) -> None:
        if isinstance(e, (Access, Guard)) or not e.args:
            return
        sigmoid = e.is_Pow and e.base.is_Add and isinstance(e.base - 1, sympy.exp) and e.exp == -1
        if (
            (e.is_Function or isinstance(e, sympy.exp) or sigmoid or _less_one(e))
            and _whole(e)
            and len(free_indices(e)) > 1
        ):
            found[e] = None
            return
        for arg in sorted(e.args, key=expression_text):
            walk(arg)

    walk(equation.body)
    return list(found)


def _less_one(e: Expr) -> bool:
    """exp(u) − 1, which has a function of its own: it would lose its digits to an exponential that is
    shared."""
    number, rest = e.as_coeff_Add() if e.is_Add else (sympy.Integer(0), e)
    return bool(number != 0) and isinstance(-rest / number, sympy.exp)


def _whole(e: Expr) -> bool:
    """Whether a value has no guards and no reads that may be outside."""
    return not e.atoms(Guard) and all(a.outside is None for a in e.atoms(Access))


def _word(value: Expr) -> str:
    if value.is_Add:
        return "expm1"
    return "sigmoid" if value.is_Pow else str(value.func.__name__).lower()


# --- sums
def _sums(base: Shared) -> Shared:
    """Sums of arrays that more than one equation has, where one of the terms is read nowhere else: it takes
    that term's place. A layer's offset is added once."""
    reads: dict[str, int] = {}
    met: dict[object, list[tuple[Equation, Expr]]] = {}
    for equation in base.system.equations:
        for access in equation.reads:
            reads[access.name] = reads.get(access.name, 0) + 1
        for value in _plain_sums(equation):
            met.setdefault(_canonical(value, equation)[1], []).append((equation, value))
    additions = Additions(base)
    bodies: dict[str, Expr] = {}
    kept = set(base.system.asked)
    for places in met.values():
        users = _containing(base.system, *places[0])
        names = sorted({a.name for a in places[0][1].atoms(Access)})
        only = [n for n in names if reads[n] == len(users) and n not in kept and n in base.system.defining]
        if len(users) < 2 or not only:
            continue
        for equation, value in users:
            read = additions.read(value, equation, f"{only[0]}_sum")
            rest = bodies.get(equation.target, equation.body)
            bodies[equation.target] = _with_sum(rest, value, read)
    return additions.done(bodies)


def _plain_sums(equation: Equation) -> list[Expr]:
    """The sums of plain reads in a body, one of them over all of the equation's indices."""
    found = [e for e in equation.body.atoms(sympy.Add) if all(isinstance(a, Access) for a in e.args)]
    found = [e for e in found if _whole(e) and not e.atoms(IntegerAccess) and len(free_indices(e)) > 1]
    full = [e for e in found if any(free_indices(a) == free_indices(e) for a in e.args)]
    return sorted(full, key=expression_text) if equation.reduction is None else []


def _containing(system: System, first: Equation, value: Expr) -> list[tuple[Equation, Expr]]:
    """The maps with a sum that has all terms of a value among its own, and the value with their indices."""
    names = [a.name for a in value.atoms(Access)]
    indices, key = _canonical(value, first)
    found = []
    for equation in system.equations:
        if equation.reduction is not None or not set(names) <= set(equation.read_names):
            continue
        if len(equation.indices) != len(first.indices) or len(indices) != len(equation.indices):
            continue
        own = value.xreplace(dict(zip(first.indices, equation.indices, strict=True)))
        if _canonical(own, equation)[1] == key and _with_sum(equation.body, own, Access("")) != equation.body:
            found.append((equation, own))
    return found


def _with_sum(body: Expr, value: Expr, read: Expr) -> Expr:
    """The body with a read for a sum, also where the sum has more terms."""
    if isinstance(body, Access) or not body.args:
        return body
    if body.is_Add and set(value.args) <= set(body.args):
        others = [_with_sum(a, value, read) for a in body.args if a not in value.args]
        return sympy.Add(read, *others)
    args = [_with_sum(a, value, read) if isinstance(a, sympy.Expr) else a for a in body.args]
    return body if args == list(body.args) else body.func(*args)


# --- errors
def _errors(base: Shared) -> Shared:
    """Differences that an equation sums up, and of which a later map is a multiple: computed once, and the
    multiple takes their place. The errors in a mean of squares are those in its gradient."""
    multiples: dict[object, tuple[Equation, Expr]] = {}
    for equation in base.system.equations:
        scale, value = equation.body.as_independent(*equation.body.atoms(Access), as_Add=False)
        if equation.reduction is None and value in _differences(equation) and not free_indices(scale):
            multiples.setdefault(_canonical(value, equation, equation.indices)[1], (equation, scale))
    additions = Additions(base)
    bodies: dict[str, Expr] = {}
    place = {e.target: k for k, e in enumerate(base.system.equations)}
    for equation in base.system.equations if multiples else ():
        for value in _differences(equation) if equation.op == "sum" else ():
            for sign in (1, -1):
                key = _canonical(sign * value, equation, equation.all_indices)[1]
                later, scale = multiples.get(key, (equation, value))
                if place[later.target] <= place[equation.target]:
                    continue
                name = "_minus_".join(a.name for a in _by_sign(sign * value))
                read = additions.read(sign * value, equation, name, equation.all_indices)
                bodies[equation.target] = equation.body.xreplace({value: sign * read})
                bodies[later.target] = scale * Access(read.name, *later.indices)
    return additions.done(bodies)


def _differences(equation: Equation) -> list[Expr]:
    """The differences of two arrays in a body, over all of the equation's indices."""
    full = set(equation.all_indices)
    found = [e for e in equation.body.atoms(sympy.Add) if len(e.args) == len(_by_sign(e)) == 2]
    found = [e for e in found if _whole(e) and not e.atoms(IntegerAccess) and free_indices(e) == full]
    return sorted(found, key=expression_text) if equation.leaf is None and len(full) > 1 else []


def _by_sign(value: Expr) -> list[Access]:
    """The positive and the negative array of a difference."""
    terms = {t.as_coeff_Mul()[0]: t.as_coeff_Mul()[1] for t in value.args}
    return [a for a in map(terms.get, (1, -1)) if isinstance(a, Access)]


# --- loops
def _before_loops(base: Shared) -> Shared:
    """What the steps of a loop need and none of them changes, computed for all steps before it."""
    additions = Additions(base)
    bodies: dict[str, Expr] = {}
    for group in groups(base.system):
        if group.loop is None:
            continue
        own = set(group.targets)
        for equation in group.equations:
            if equation.reduction is not None or equation.leaf is not None:
                continue

            def named(value: Expr, equation: Equation = equation) -> Expr:
                return additions.read(value, equation, f"{equation.target}_all")

            loop = group.loop_index(equation)
            body = _without_constants(equation, loop, own, base.system, named)
            if body != equation.body:
                bodies[equation.target] = body
    return additions.done(bodies)


def _is_small(value: Expr, equation: Equation, loop: Index) -> bool:
    """Whether one step has few elements of a value, for usual sizes: widths don't change the text."""
    free = free_indices(value) - {loop}
    return nominal(sympy.Mul(*[e for i, e in equation.extents.items() if i in free])) <= SMALL


def _without_constants(
    equation: Equation,
    loop: Index,
    own: Collection[str],
    system: System,
    named: Callable[[Expr], Expr],
) -> Expr:
    """The body with names for the largest parts of sums and products that no step changes."""

    def constant(e: Expr) -> bool:
        return (
            bool(e.atoms(Access))
            and not e.atoms(Guard, IntegerAccess)
            and free_indices(e) <= set(equation.indices)
            and _is_small(e, equation, loop)
            and not any(a.name in own for a in e.atoms(Access))
            and all(_in_range(a, equation, system) for a in e.atoms(Access))
        )

    def walk(e: Expr) -> Expr:
        if isinstance(e, (Access, Guard)) or not e.args:
            return e
        if constant(e) and _calls(e) > 1:
            return named(e)
        if not (e.is_Add or e.is_Mul):
            return e.func(*[walk(a) for a in e.args])
        same = [a for a in e.args if constant(a)]
        rest = [walk(a) for a in e.args if a not in same]
        together = e.func(*same)
        if not same or not rest or _calls(together) < 1 or not free_indices(together):
            return e.func(*[walk(a) for a in e.args])
        negative = e.is_Add and all(a.as_coeff_Mul()[0].is_negative for a in same)
        return e.func(-named(-together) if negative else named(together), *rest)

    return walk(equation.body)


def _in_range(access: Access, equation: Equation, system: System) -> bool:
    shape = system.tensor(access.name).shape
    return access.outside is not None or all(
        not within(s, extent, equation.extents) for s, extent in zip(access.subscripts, shape, strict=True)
    )


def _calls(e: Expr) -> int:
    """The calls on whole arrays that a value takes."""
    if isinstance(e, (Access, Guard)) or not free_indices(e):
        return 0
    inner = sum(map(_calls, _parts(e)))
    return inner + (len(e.args) - 1 if e.is_Add or e.is_Mul else 1)


def _parts(e: Expr) -> Iterator[Expr]:
    return (a for a in e.args if isinstance(a, sympy.Expr))
