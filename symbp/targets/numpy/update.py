"""An optimizer's update in NumPy: a loop over the flat arenas, a block that stays in the cache at a time.

Enters: an update rule, the number of parameters. Leaves: `ArenaUpdate`, of which a module makes its function.
Must not know: which optimizers exist.

Each call passes over a block of every arena; what doesn't depend on the entry is computed before the loop in
double precision. Scalar factors are drawn together, also out of roots and sums, so that they cost one pass:
`lr·m/((1 − β₁)·(√(v/(1 − β₂)) + ε))` is `c₁·m/(√v + c₂)`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.roll_layers import renamed
from symbp.codegen.spelling.elements import ElementSpelling
from symbp.ir.expr import Access, Expr, Size, free_indices, product
from symbp.ir.machine import BLOCK
from symbp.ir.system import Equation
from symbp.ir.training import GRADIENT, THETA, UpdateRule
from symbp.targets.compiled.form import Form, Kind
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.parts import Parts
from symbp.targets.compiled.update import PREFIX, arguments, numbered_updates
from symbp.targets.numpy.arena_update import FIRST, STOP, ArenaUpdate, names_of
from symbp.targets.numpy.inference.calls import Calls
from symbp.targets.numpy.kernels.arrays import DTYPE, ArraySpelling


def numpy_update(
    rule: UpdateRule, names: Names, calls: Calls, count: Expr, parts: Parts | None = None
) -> ArenaUpdate:
    """The update as calls over blocks of the arenas; `count` is their length. Of arenas in parts, each part
    is cut into blocks by itself, or a block."""
    numbered_updates(rule)  # refuses what has no code
    own, rule = rule.own_numbers, rule.of_one()
    blocks = {
        names.tensors[n]: names.free(f"{names.tensors[n]}_block") for n in (THETA, GRADIENT, *rule.moments)
    }
    update = _Update(rule, names, blocks, own)
    numbered = list(enumerate(rule.system.equations, 1))
    once = [(k, e) for k, e in numbered if not e.indices and e.target not in own]
    table = names.free("parts") if parts else ""
    whole = [update.scalar(k, e, table) for k, e in once]
    inner = update.entries([(k, e) for k, e in numbered if (k, e) not in once])
    _know(calls, update)
    lines = calls.statement(inner)
    scratch = [n for n in calls.scratch.shapes if calls.moment in calls.scratch.uses[n]]
    calls.end()
    length = sympy.Integer(min(int(count), BLOCK) if count.is_number else BLOCK)
    if parts is not None and parts.whole:
        length = sympy.Integer(parts.longest)
    for name in scratch:
        calls.scratch.shapes[name] = ((length,), calls.scratch.shapes[name][1])
    settings = [t for t in arguments(rule) if t not in (THETA, GRADIENT, *rule.moments)]
    leaves = [names.tensors[leaf] for leaf in parts.own] if parts else []
    of_parts = {*own, *(name for scale, name in update.constants.items() if update.is_own(scale))}
    made, before, lines = _numbered([*whole, *update.before], lines, settings, names, of_parts)
    return ArenaUpdate(
        rule, blocks, names.free("blocks"), names.free("start"), tuple(leaves), tuple(scratch),
        tuple(settings), tuple(made), tuple(before), tuple(lines), parts, table,
    )  # fmt: skip


def _know(calls: Calls, update: _Update) -> None:
    """Tells what arenas, blocks and numbers of the update look like."""
    entries = Size("block" if "block" not in calls.forms.sizes else "entries_")
    for tensor in update.rule.system.tensors:
        kind: Kind = "real" if tensor.shape else "number"
        if tensor.role.is_leaf or not tensor.shape:
            form = Form((entries,) if tensor.shape else (), kind, view=True, whole=True)
            name = update.names.tensors[tensor.name]
            calls.forms.known[update.blocks.get(name, name)] = form
    calls.forms.known.update(dict.fromkeys(update.constants.values(), Form((), "number", True, True)))


def _numbered(
    before: Sequence[tree.Assign],
    lines: Sequence[tree.Statement],
    settings: Sequence[str],
    names: Names,
    of_parts: Collection[str],
) -> tuple[list[tree.Statement], list[tree.Statement], list[tree.Statement]]:
    """A line that makes arrays of no axes for the numbers that the loop reads, which NumPy takes in half the
    time; the lines before the loop, which fill them; and those of the loop. The lines of numbers of one part
    stay in double precision."""

    def of_part(s: tree.Statement) -> bool:
        return isinstance(s, tree.Assign) and isinstance(s.target, tree.Name) and s.target.id in of_parts

    inside = _read([s for s in lines if not of_part(s)])
    read = _read([s.value for s in before])
    made: list[str] = []
    filled: list[tree.Statement] = []
    for s in before:
        assert isinstance(s.target, tree.Name)
        alone = s.target.id in inside and s.target.id not in read
        made += [s.target.id] if alone else []
        filled.append(replace(s, target=infer.subscript(s.target, tree.Rest())) if alone else s)
    for setting in settings:
        if setting in inside:
            made.append(names.free(f"{setting}_array"))
            array, number = names_of((made[-1], setting))
            filled.append(tree.Assign(infer.subscript(array, tree.Rest()), number))
            lines = [s if of_part(s) else renamed(s, {setting: made[-1]}) for s in lines]
    empty = infer.called("np.empty", infer.tuple_of(), DTYPE)
    if len(made) < 2:
        return [tree.Assign(name, empty) for name in names_of(made)], filled, list(lines)
    count = infer.called("range", infer.number(len(made)))
    (nothing,) = names_of("_")
    several = tree.Comprehension((), "object", empty, nothing, count)
    return [tree.Assign(infer.tuple_of(*names_of(made)), several)], filled, list(lines)


def _read(code: Sequence[tree.Statement | tree.Expression]) -> set[str]:
    return {n.id for one in code for n in one.walk() if isinstance(n, tree.Name)}


class _Update:
    """The code of one update; `constants` are the scalars that `before` computes, by value, and `blocks`
    says what the part of an arena is called. `own` are the numbers that one part has of its own: what is
    computed of these, `inside` holds until it is written."""

    def __init__(
        self, rule: UpdateRule, names: Names, blocks: Mapping[str, str], own: Collection[str]
    ) -> None:
        self.own, self.inside = own, list[tree.Assign]()
        self.rule, self.names, self.blocks = rule, names, blocks
        self.shapes: dict[str, tuple[Expr, ...]] = {t.name: t.shape for t in rule.system.tensors}
        self.current: dict[str, str] = {name: names.tensors[name] for name in self.shapes}
        self.constants: dict[Expr, str] = {}
        self.before: list[tree.Assign] = []

    def scalar(self, number: int, equation: Equation, table: str = "") -> tree.Assign:
        """A number computed from numbers, or the sum of products of two arenas; over a table of their parts,
        if there is one."""
        target = infer.name(self.names.tensors[equation.target], (), "number")
        if equation.reduction is None:
            return tree.Assign(target, self._double(equation.body, number), "", (number,))
        scale, arrays = _scalar_factor(equation.body)
        base, power = arrays.as_base_exp()
        factors = [base] * int(power) if power.is_Integer else sympy.Mul.make_args(arrays)
        spelling = self._spelling(equation, number)
        (left, *right) = factors if len(factors) <= 2 else (factors[0], product(factors[1:]))
        values = [spelling.write(f).node for f in (left, *right)]
        if table:
            arenas = {name for tensor, name in self.current.items() if self.shapes[tensor]}
            values = [_of_part(value, arenas) for value in values]
        total = infer.called("np.dot", *values) if right else infer.called(".sum", *values)
        found: tree.Expression = infer.called("float", total)
        if table:
            over, rest = names_of((table, "_"))
            of_part = infer.tuple_of(FIRST, STOP, infer.unary("*", rest))
            found = infer.called("sum", tree.Comprehension((), "object", found, of_part, over, square=False))
        if scale != 1:
            found = infer.binary("*", self._double(scale, number), found)
        return tree.Assign(target, found, "", (number,))

    def entries(self, numbered: Sequence[tuple[int, Equation]]) -> list[tree.Statement]:
        """The code of the equations that have an entry for each parameter."""
        updates = self.rule.system.updates
        source = {new: old for old, new in updates.items()}
        self.current = {tensor: self.blocks.get(name, name) for tensor, name in self.current.items()}
        body: list[tree.Statement] = []
        late: list[tree.Statement] = []
        for k, (number, equation) in enumerate(numbered):
            old = source.get(equation.target)
            if not equation.indices:
                body.append(self.scalar(number, equation))
                continue
            later = [name for _, e in numbered[k + 1 :] for name in e.read_names]
            equation = equation.with_(body=self._gathered(equation.body, number))
            body += self.inside
            self.inside.clear()
            spelling = self._spelling(equation, number)
            spelling.name_repeated(equation.body)
            body += [replace(s, equations=(number,)) for s in spelling.prelude]
            if old is not None and old not in later:
                body.append(_in_place(spelling, equation, old, number))
                self.current[equation.target] = self.current[old]
            else:
                own = spelling.array(equation.target)
                body.append(tree.Assign(own, spelling.write(equation.body).node, "", (number,)))
                if old is not None:
                    late.append(tree.Assign(infer.subscript(spelling.array(old), tree.Rest()), own))
        return [*body, *late]

    def _spelling(self, equation: Equation, number: int) -> ArraySpelling:
        indices, extents = equation.all_indices, equation.extents
        return ArraySpelling(indices, extents, self.shapes, self.current, f"({PREFIX}{number})")

    def _double(self, e: Expr, number: int) -> tree.Expression:
        """A number in double precision."""
        spelling = ElementSpelling({}, self.shapes, self.current, "", f"({PREFIX}{number})")
        spelling.scalars = {name for name, shape in self.shapes.items() if not shape}
        return spelling.write(e).node

    # --- scalars
    def _gathered(self, body: Expr, number: int) -> Expr:
        """The body with the scalars of each term drawn together, under a name."""
        return sympy.Add(*[self._named(*_scalar_factor(t), number) for t in sympy.Add.make_args(body)])

    def _named(self, scale: Expr, rest: Expr, number: int) -> Expr:
        """`scale·rest` with every scalar in it as the name of what is computed before the loop."""
        sign = -1 if scale.as_coeff_Mul()[0].is_negative else 1
        return sign * self._name(sign * scale, number) * self._inside(rest, number)

    def _name(self, scale: Expr, number: int) -> Expr:
        if scale.is_number or isinstance(scale, Access):
            return scale
        if scale not in self.constants:
            name = self.names.free(f"c{len(self.constants) + 1}")
            lines = self.inside if self.is_own(scale) else self.before
            value = self._double(scale, number)
            lines.append(tree.Assign(infer.name(name, (), "number"), value, "", (number,)))
            self.constants[scale] = self.current[name] = name
            self.shapes[name] = ()
        return Access(self.constants[scale])

    def is_own(self, scale: Expr) -> bool:
        """Whether a number is of one part."""
        return any(access.name in self.own for access in scale.atoms(Access))

    def _inside(self, e: Expr, number: int) -> Expr:
        """An expression of arrays with names for the scalars that stay in it."""
        if isinstance(e, Access) or e.is_number:
            return e
        if not free_indices(e):
            return self._name(e, number)
        if e.is_Add:
            return sympy.Add(*[self._inside(t, number) for t in e.args])
        if e.is_Mul:
            scale = product(f for f in e.args if not free_indices(f))
            rest = [self._inside(f, number) for f in e.args if free_indices(f)]
            return product([self._name(scale, number), *rest])
        return e.func(*[self._inside(a, number) if isinstance(a, sympy.Expr) else a for a in e.args])


def _is_never_zero(scale: Expr) -> bool:
    """Whether a scalar may be divided by: a number, a quotient's denominator, a product of such."""
    if scale.is_number:
        return bool(scale != 0)
    if scale.is_Pow:
        return bool(scale.exp.is_negative) or _is_never_zero(scale.base)
    return bool(scale.is_Mul) and all(map(_is_never_zero, scale.args))


def _scalar_factor(e: Expr) -> tuple[Expr, Expr]:
    """A scalar and the rest, whose product is the expression; the rest has the fewest scalars."""
    one = sympy.Integer(1)
    if not free_indices(e):
        return e, one
    if e.is_Mul:
        parts = [_scalar_factor(f) for f in e.args]
        return product(s for s, _ in parts), product(r for _, r in parts)
    if e.is_Pow and e.exp.is_number:
        scale, rest = _scalar_factor(e.base)
        return _power(scale, e.exp), rest**e.exp
    if e.is_Add:
        arrays = [_scalar_factor(t) for t in e.args if free_indices(t)]
        alone = sympy.Add(*[t for t in e.args if not free_indices(t)])
        scales = {s for s, _ in arrays}
        if len(scales) == 1 and (alone == 0 or _is_never_zero(next(iter(scales)))):
            (scale,) = scales
            return scale, sympy.Add(*[r for _, r in arrays], alone / scale)
    return one, e


def _power(scale: Expr, exponent: Expr) -> Expr:
    """A power of a scalar, of each factor by itself. A root of `s·x` is real only where both have one sign,
    and what updates take roots of is a mean of squares, so that s is positive."""
    if scale.is_Mul:
        return product(_power(f, exponent) for f in scale.args)
    base, own = scale.as_base_exp()
    return base ** (own * exponent) if own.is_number else scale**exponent


def _of_part(value: Any, arenas: Collection[str]) -> Any:
    """An expression of arenas as one of their parts."""
    if isinstance(value, tree.Name) and value.id in arenas:
        return tree.Subscript(value.shape, value.dtype, value, (tree.Slice(FIRST, STOP),))
    return value.rebuilt(lambda child: _of_part(child, arenas))


def _in_place(spelling: ArraySpelling, equation: Equation, old: str, number: int) -> tree.Assign:
    """`theta -= …` where the new value is the old one plus something, else `m[...] = …`."""
    terms, target = sympy.Add.make_args(equation.body), spelling.array(old)
    own = [t for t in terms if isinstance(t, Access) and t.name == old]
    rest = equation.body - sympy.Add(*own)
    if len(own) == 1 and rest != 0 and old not in {a.name for a in rest.atoms(Access)}:
        negative = all(t.as_coeff_Mul()[0].is_negative for t in sympy.Add.make_args(rest))
        written = spelling.write(-rest if negative else rest)
        return tree.Assign(target, written.node, "-" if negative else "+", (number,))
    return tree.Assign(
        infer.subscript(target, tree.Rest()), spelling.write(equation.body).node, "", (number,)
    )


__all__ = ["ArenaUpdate", "numpy_update"]
