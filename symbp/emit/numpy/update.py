"""An optimizer's update in NumPy: a loop over the flat arenas, a block that stays in the cache at a time.

Enters: an update rule, the number of parameters. Leaves: the function `_update`.
Must not know: which optimizers exist.

Each call passes over a block of every arena; what doesn't depend on the entry is computed before the loop in
double precision. Scalar factors are drawn together, also out of roots and sums, so that they cost one pass:
`lr·m/((1 − β₁)·(√(v/(1 − β₂)) + ε))` is `c₁·m/(√v + c₂)`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import sympy

from symbp.emit.blocks import Function, note
from symbp.emit.elements import ElementSpelling
from symbp.emit.inference.calls import Calls
from symbp.emit.inference.form import Form, Kind
from symbp.emit.names import Names
from symbp.emit.numpy.arrays import ArraySpelling
from symbp.emit.parts import Parts
from symbp.emit.update import PREFIX, arguments, doc, numbered_updates
from symbp.ir.expr import Access, Expr, Size, free_indices, product
from symbp.ir.machine import BLOCK
from symbp.ir.system import Equation
from symbp.ir.training import GRADIENT, THETA, UpdateRule

FIRST, STOP = "first", "stop"  # of a part: no name of an update's tensors


def numpy_update(
    rule: UpdateRule, names: Names, calls: Calls, count: Expr, parts: Parts | None = None
) -> Function:
    """The update as calls over blocks of the arenas; `count` is their length. Of arenas in parts, each part
    is cut into blocks by itself, or a block."""
    numbered_updates(rule)  # refuses what has no code
    own, rule = rule.own_numbers, rule.of_one()
    arenas = [names.tensors[name] for name in (THETA, GRADIENT, *rule.moments)]
    blocks = {arena: names.free(f"{arena}_block") for arena in arenas}
    update = _Update(rule, names, blocks, own)
    numbered = list(enumerate(rule.system.equations, 1))
    once = [(k, e) for k, e in numbered if not e.indices and e.target not in own]
    table = names.free("parts") if parts else ""
    whole = [line for k, e in once for line in update.scalar(k, e, table)]
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
    given = [t for t in arguments(rule) if t in (THETA, GRADIENT, *rule.moments)]
    settings = [t for t in arguments(rule) if t not in given]
    listed = names.free("blocks")
    leaves = [names.tensors[leaf] for leaf in parts.own] if parts else []
    start = names.free("start")
    cut = (
        _cut_parts(parts, table, leaves, listed, start, arenas, scratch)
        if parts
        else _cut(listed, start, arenas, scratch)
    )
    of_parts = {*own, *(name for scale, name in update.constants.items() if update.is_own(scale))}
    made, before, lines = _numbered([*whole, *update.before], lines, settings, names, of_parts)
    body = (
        *cut,
        *made,
        "",
        f"def run({', '.join(settings)}):",
        *(f"    {line}" for line in before),
        f"    for {', '.join([*blocks.values(), *leaves, *scratch])} in {listed}:",
        *(f"        {line}" for line in lines),
        "",
        "return run",
    )
    return Function("_update", ("tensors", *given), doc(rule), body)


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
    before: Sequence[str],
    lines: Sequence[str],
    settings: Sequence[str],
    names: Names,
    of_parts: Collection[str],
) -> tuple[list[str], list[str], list[str]]:
    """A line that makes arrays of no axes for the numbers that the loop reads, which NumPy takes in half the
    time; the lines before the loop, which fill them; and those of the loop. The lines of numbers of one part
    stay in double precision."""
    numbers = [line.partition(" = ")[0] in of_parts for line in lines]
    inside = _words([line for line, number in zip(lines, numbers, strict=True) if not number])
    read = [_words([line.partition(" = ")[2]]) for line in before]
    made: list[str] = []
    filled: list[str] = []
    for line in before:
        name, _, value = line.partition(" = ")
        alone = name in inside and not any(name in words for words in read)
        made += [name] if alone else []
        filled.append(f"{name}[...] = {value}" if alone else line)
    for setting in settings:
        if setting in inside:
            made.append(names.free(f"{setting}_array"))
            filled.append(f"{made[-1]}[...] = {setting}")
            lines = [
                line if number else re.sub(rf"\b{setting}\b", made[-1], line)
                for line, number in zip(lines, numbers, strict=True)
            ]
    each = "np.empty((), DTYPE)"
    several = f"{', '.join(made)} = [{each} for _ in range({len(made)})]"
    return [several] if len(made) > 1 else [f"{name} = {each}" for name in made], filled, list(lines)


def _words(lines: Sequence[str]) -> set[str]:
    return {word for line in lines for word in re.findall(r"\w+", line.partition("  # ")[0])}


def _cut(blocks: str, start: str, arenas: Sequence[str], scratch: Sequence[str]) -> list[str]:
    """The lines that cut arenas into blocks, with as much scratch beside each."""
    parts = [f"arena[{start} : {start} + {BLOCK}]", f"({', '.join(arenas)})"]
    lengths = [f'tensors["{name}"][: len(block[0])]' for name in scratch]
    return [
        f"{blocks} = []",
        f"for {start} in range(0, len({arenas[0]}), {BLOCK}):",
        f"    block = [{parts[0]} for arena in {parts[1]}]",
        f"    {blocks}.append(({', '.join(['*block', *lengths])}))",
    ]


def _cut_parts(
    parts: Parts,
    table: str,
    leaves: Sequence[str],
    blocks: str,
    start: str,
    arenas: Sequence[str],
    scratch: Sequence[str],
) -> list[str]:
    """The same for arenas in parts, whose own numbers go with each block."""
    between = f"{FIRST}:{STOP}" if parts.whole else f"{start} : min({start} + {BLOCK}, {STOP})"
    lengths = [f'tensors["{name}"][: len(block[0])]' for name in scratch]
    inner = [
        f"block = [arena[{between}] for arena in ({', '.join(arenas)})]",
        f"{blocks}.append(({', '.join(['*block', *leaves, *lengths])}))",
    ]
    if not parts.whole:
        inner = [f"for {start} in range({FIRST}, {STOP}, {BLOCK}):", *(f"    {line}" for line in inner)]
    return [
        *parts.lines(table),
        f"{blocks} = []",
        f"for {', '.join([FIRST, STOP, *leaves])} in {table}:",
        *(f"    {line}" for line in inner),
    ]


class _Update:
    """The lines of one update; `constants` are the scalars that `before` computes, by value, and `blocks`
    says what the part of an arena is called. `own` are the numbers that one part has of its own: what is
    computed of these, `inside` holds until it is written."""

    def __init__(
        self, rule: UpdateRule, names: Names, blocks: Mapping[str, str], own: Collection[str]
    ) -> None:
        self.own, self.inside = own, list[str]()
        self.rule, self.names, self.blocks = rule, names, blocks
        self.shapes: dict[str, tuple[Expr, ...]] = {t.name: t.shape for t in rule.system.tensors}
        self.current: dict[str, str] = {name: names.tensors[name] for name in self.shapes}
        self.constants: dict[Expr, str] = {}
        self.before: list[str] = []

    def scalar(self, number: int, equation: Equation, table: str = "") -> Iterator[str]:
        """A number computed from numbers, or the sum of products of two arenas; over a table of their parts,
        if there is one."""
        target, comment = self.names.tensors[equation.target], note(number, prefix=PREFIX)
        if equation.reduction is None:
            yield f"{target} = {self._double(equation.body, number)}{comment}"
            return
        scale, arrays = _scalar_factor(equation.body)
        base, power = arrays.as_base_exp()
        factors = [base] * int(power) if power.is_Integer else sympy.Mul.make_args(arrays)
        arenas = {n: name for n, name in self.current.items() if self.shapes[n]}
        pieces = {n: f"{arena}[{FIRST}:{STOP}]" for n, arena in arenas.items()}
        spelling = self._spelling(equation, number, pieces if table else None)
        (left, *right) = factors if len(factors) <= 2 else (factors[0], product(factors[1:]))
        texts = [spelling.write(f).text for f in (left, *right)]
        text = f"float(np.dot({', '.join(texts)}))" if right else f"float({texts[0]}.sum())"
        text = f"sum({text} for {FIRST}, {STOP}, *_ in {table})" if table else text
        times = "" if scale == 1 else f"{self._double(scale, number)} * "
        yield f"{target} = {times}{text}{comment}"

    def entries(self, numbered: Sequence[tuple[int, Equation]]) -> list[str]:
        """The lines of the equations that have an entry for each parameter."""
        updates = self.rule.system.updates
        source = {new: old for old, new in updates.items()}
        self.current = {tensor: self.blocks.get(name, name) for tensor, name in self.current.items()}
        body: list[str] = []
        late: list[str] = []
        for k, (number, equation) in enumerate(numbered):
            old, comment = source.get(equation.target), note(number, prefix=PREFIX)
            if not equation.indices:
                body += self.scalar(number, equation)
                continue
            later = [name for _, e in numbered[k + 1 :] for name in e.read_names]
            equation = equation.with_(body=self._gathered(equation.body, number))
            body += self.inside
            self.inside.clear()
            spelling = self._spelling(equation, number)
            spelling.name_repeated(equation.body)
            body += [line + comment for line in spelling.prelude]
            if old is not None and old not in later:
                body.append(_in_place(spelling, equation, old, self.current[old]) + comment)
                self.current[equation.target] = self.current[old]
            else:
                body.append(
                    f"{self.current[equation.target]} = {spelling.write(equation.body).text}{comment}"
                )
                if old is not None:
                    late.append(f"{self.current[old]}[...] = {self.current[equation.target]}")
        return [*body, *late]

    def _spelling(
        self, equation: Equation, number: int, called: Mapping[str, str] | None = None
    ) -> ArraySpelling:
        indices, extents = equation.all_indices, equation.extents
        return ArraySpelling(indices, extents, self.shapes, called or self.current, f"({PREFIX}{number})")

    def _double(self, e: Expr, number: int) -> str:
        """A number in double precision."""
        spelling = ElementSpelling({}, self.shapes, self.current, "", f"({PREFIX}{number})")
        spelling.scalars = {name for name, shape in self.shapes.items() if not shape}
        return spelling.write(e).text

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
            lines.append(f"{name} = {self._double(scale, number)}{note(number, prefix=PREFIX)}")
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


__all__ = ["numpy_update"]
