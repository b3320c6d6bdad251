"""A declaration, written while it is made: each expression as a tensor and as the text that declares it.

Enters: calls of symbp's own functions, with terms and numbers. Leaves: terms, lines of a file, the arrays of
parameters and buffers. Must not know: foreign operations, files.

The text is never run here, nor is anything of a model: names are cleaned, numbers are written by `repr`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy

from symbp import language, ops
from symbp.errors import DataError
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.naming import Names, cleaned
from symbp.ir.expr import Expr, FloorDiv, Mod, Size
from symbp.language.sizes import value_of, with_values
from symbp.language.tensor import Condition, Tensor

WIDTH = 104
INFIX: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a**b, "@": lambda a, b: a @ b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "&": lambda a, b: a & b, "|": lambda a, b: a | b,
}  # fmt: skip


LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2}  # how strongly operators bind; others get brackets


@dataclass(frozen=True, eq=False)
class Term:
    """An expression: its text, and what it is. An `atom` needs no brackets; what is `light` only looks at
    its operand in another way, and gets no name of its own if it is read once. `made` is the function;
    `seen`, of axes in another order, says of what and which, `flat`, of a reshaped tensor, of what.
    Where it stands without a name it is made `again`, as its text is read again."""

    text: str
    value: Any  # a Tensor, or a Condition
    atom: bool = True
    light: bool = False
    named: bool = False
    made: str = ""
    seen: tuple[Term, tuple[int, ...]] | None = None
    flat: Term | None = None
    again: Callable[[], Any] | None = None

    @property
    def is_condition(self) -> bool:
        return isinstance(self.value, Condition)

    @property
    def shape(self) -> tuple[Expr, ...]:
        """The extents: integers where they are known, else formulas of open sizes."""
        if isinstance(self.value, Condition):
            return _broadcast([t.shape for t in self.value.operands if isinstance(t, Tensor)])
        return tuple(map(extent, self.value.shape))

    @property
    def rank(self) -> int:
        return len(self.shape)


def _broadcast(shapes: Sequence[Sequence[Expr]]) -> tuple[Any, ...]:
    """The extents of tensors beside each other, by trailing axes."""
    found: list[Any] = []
    for shape in shapes:
        own = [extent(size) for size in reversed(shape)]
        found += own[len(found) :]
        found = [e if f == 1 else f for f, e in zip(found, own, strict=False)] + found[len(own) :]
    return tuple(reversed(found))


def extent(size: Expr) -> Any:
    """An extent as an integer, or as a formula of open sizes."""
    known = value_of(size)
    return with_values(size) if known is None else known


@dataclass
class Writer:
    """The declaration so far."""

    names: Names = field(default_factory=Names)
    sizes: dict[str, Size] = field(default_factory=dict)
    leaves: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    buffers: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    _held: dict[tuple[str, str], Term] = field(default_factory=dict)

    def size(self, name: str) -> Size:
        """An open size by its foreign name."""
        if name not in self.sizes:
            own = self.names.take(cleaned(name, "N"))
            self.sizes[name] = language.dim(own)
        return self.sizes[name]

    def call(self, function: str, *operands: Any, light: bool = False, **options: Any) -> Term:
        """`bp.function(…)`; options that are as they are by default stay out of the text."""
        home = ops if function in ops.__all__ else language
        called = getattr(home, function)
        known = inspect.signature(called).parameters
        chosen = {k: v for k, v in options.items() if k not in known or not _same(known[k].default, v)}
        given = [spelled(o) for o in operands] + [f"{k}={spelled(v)}" for k, v in chosen.items()]

        def make() -> Any:
            return called(*map(evaluated, operands), **{k: evaluated(v) for k, v in chosen.items()})

        return Term(f"bp.{function}({', '.join(given)})", make(), light=light, made=function, again=make)

    def infix(self, op: str, a: Any, b: Any, light: bool = False) -> Term:
        """`a op b`."""

        def make() -> Any:
            return INFIX[op](evaluated(a), evaluated(b))

        level = LEVELS.get(op, 0)
        left, right = bracketed(a, level), bracketed(b, level + 1)
        return Term(f"{left} {op} {right}", make(), atom=False, light=light, made=op, again=make)

    def negative(self, a: Term) -> Term:
        return Term(f"-{bracketed(a)}", -a.value, atom=False, made="~", again=lambda: -evaluated(a))

    def opposite(self, a: Term) -> Term:
        """Where a condition doesn't hold."""
        return Term(f"~{bracketed(a)}", ~a.value, atom=False, made="~", again=lambda: ~evaluated(a))

    def part(self, a: Term, subscripts: Sequence[Any]) -> Term:
        """`a[…]` of slices, integers and None."""
        given = list(subscripts)
        given += [slice(None)] * (a.rank - sum(one is not None for one in given))
        if all(one == slice(None) for one in given):
            return a
        while given[-1] == slice(None) and any(isinstance(one, slice) or one is None for one in given[:-1]):
            given.pop()
        text = ", ".join(map(_subscript, given))

        def make() -> Any:
            return evaluated(a)[tuple(given)]

        return Term(f"{bracketed(a)}[{text}]", make(), light=True, made="[]", again=make)

    def turned(self, a: Term) -> Term:
        """A matrix transposed."""
        return Term(f"{bracketed(a)}.T", a.value.T, light=True, made=".T", again=lambda: evaluated(a).T)

    def bound(self, term: Term, name: str, hidden: bool = False) -> Term:
        """The term under a name of its own, in a line of its own; one that is `hidden` is no tensor that
        pages speak of."""
        called = f"_{name}" if hidden else name
        self.lines.append(wrapped(f"{called} = {term.text}"))
        plain = not hidden and isinstance(term.value, Tensor)
        value = term.value.named(name) if plain else term.value
        return replace(
            term,
            text=called,
            value=value,
            atom=True,
            light=False,
            named=True,
            seen=None,
            flat=None,
            again=None,
        )

    def leaf(self, function: str, name: str, *operands: Any, **options: Any) -> Term:
        """A leaf declared under its name."""
        term = self.call(function, name, *operands, **options)
        self.leaves.append(wrapped(f"{name} = {term.text}"))
        return replace(term, text=name, named=True, made="", again=None)

    def held(self, one: Held, array: Any = None, form: str = "", facts: str = "", init: float = 0.0) -> Term:
        """A parameter, or a buffer that is never updated, for an array of the model; `array` is it in another
        `form`. Raises DataError: an array in two forms, or one that holds what isn't finite."""
        key = (one.name, form)
        if key in self._held:
            return self._held[key]
        other = next((k for k in self._held if k[0] == one.name), None)
        if other is not None and one.kind == "parameter" and not form.startswith("part"):
            raise DataError(
                f"{one.name} is read in two layouts, so it can't be one parameter",
                details=(f"as {other[1] or 'it is'}, and as {form or 'it is'}",),
            )
        values = np.asarray(one.array if array is None else array)
        values = values.astype(np.float64) if values.dtype.kind != "f" else values
        if not np.isfinite(values).all():
            raise DataError(f"{one.name} holds what is no finite number")
        name = self.names.take(cleaned(one.name, "layer"))
        self.sources[name] = one.name
        shape = tuple(int(n) for n in values.shape)
        if one.kind == "parameter":
            term = self.leaf("param", name, shape)
            self.params[name] = values
        else:
            more: dict[str, Any] = {"facts": facts} if facts else {}
            term = self.leaf("buffer", name, shape, init=init, **more)
            self.buffers[name] = values
        self._held[key] = term
        return term

    def head(self) -> list[str]:
        """The lines that declare open sizes."""
        return [f'{size} = bp.dim("{size}")' for size in self.sizes.values()]


def evaluated(value: Any) -> Any:
    """What an argument is, for the function itself."""
    if isinstance(value, Term):
        return value.value if value.again is None else value.again()
    if isinstance(value, (list, tuple)):
        return type(value)(map(evaluated, value))
    if isinstance(value, Mapping):
        return {key: evaluated(one) for key, one in value.items()}
    return value


def spelled(value: Any) -> str:
    """An argument as text."""
    if isinstance(value, Term):
        return value.text
    if isinstance(value, tuple):
        inner = ", ".join(map(spelled, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(spelled, value))}]"
    if isinstance(value, sympy.Expr):
        return size_text(value)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'{"-" if value < 0 else ""}float("inf")'
    if isinstance(value, str):
        return '"' + repr(value)[1:-1].replace('"', '\\"') + '"'
    return repr(value)


def bracketed(value: Any, level: int = 3) -> str:
    """An operand of an operator, in brackets unless it binds at least as strongly as the `level` says."""
    bare = isinstance(value, sympy.Expr) and not value.is_Atom
    if isinstance(value, Term) and not value.atom:
        bare = not 0 < level <= LEVELS.get(value.made, 0)
    text = spelled(value)
    return f"({text})" if bare or text.startswith("-") else text


def size_text(size: Expr) -> str:
    """An extent as Python writes it."""
    if size.is_Integer:
        return str(int(size))
    if isinstance(size, Size):
        return str(size)
    if isinstance(size, sympy.Add):
        return " + ".join(map(size_text, size.args)).replace("+ -", "- ")
    if isinstance(size, sympy.Mul):
        return " * ".join(f"({size_text(a)})" if a.is_Add else size_text(a) for a in size.args)
    if isinstance(size, (FloorDiv, Mod)):
        sign = "//" if isinstance(size, FloorDiv) else "%"
        return f"(({size_text(size.args[0])}) {sign} ({size_text(size.args[1])}))"
    if isinstance(size, sympy.Pow) and size.exp.is_Integer and size.exp > 0:
        return f"({size_text(size.base)})**{size.exp}"
    raise DataError(f"the model has an axis of {size} elements, which is no formula of sizes")


def wrapped(line: str) -> str:
    """A line, its outermost call over several lines if it is long."""
    if len(line) <= WIDTH or not line.endswith(")"):
        return line
    start = line.index("(")
    parts, depth, last = [], 0, start + 1
    quoted = False
    for k in range(start + 1, len(line) - 1):
        quoted ^= line[k] == '"'
        depth += 0 if quoted else (line[k] in "([{") - (line[k] in ")]}")
        if depth < 0:  # the first bracket isn't the whole right side
            return line
        if line[k] == "," and depth == 0 and not quoted:
            parts.append(line[last:k].strip())
            last = k + 1
    parts.append(line[last:-1].strip())
    return "\n".join([line[: start + 1], *(f"    {part}," for part in parts if part), ")"])


def _same(default: Any, value: Any) -> bool:
    return type(default) is type(value) and bool(default == value)


def _subscript(given: Any) -> str:
    if not isinstance(given, slice):
        return spelled(given)
    ends = ["" if e is None else spelled(e) for e in (given.start, given.stop)]
    step = "" if given.step is None else f":{spelled(given.step)}"
    return ":".join(ends) + step
