"""The update of a rule that has several forms, in NumPy and Numba: a function for each form, and one that
calls it with each parameter.

Enters: an update rule, the parameters' places. Leaves: functions. Must not know: which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbp.codegen.update_functions import Piece, Spelling, scalars, total, updating
from symbp.codegen.update_layout import Layout, Row, layout
from symbp.emit.blocks import Function, wrapped
from symbp.emit.update import arguments, doc
from symbp.errors import LoweringError
from symbp.ir.system import Equation, System, Tensor
from symbp.ir.training import GRADIENT, THETA, Form, UpdateRule

FORMS = {
    "entries": "parameters that are no matrices",
    "matrix": "a matrix",
    "tall": "a matrix with more rows than columns",
    "rows": "a matrix whose units are its rows",
}
TABLES = {"entries": "vectors", "matrix": "matrices", "tall": "tall", "rows": "tables"}


def shaped_update(
    rule: UpdateRule,
    parameters: Sequence[Tensor],
    sizes: Mapping[str, int],
    dtype: str,
    *,
    compiled: bool,
) -> list[Function]:
    """The functions; `_update` is the last one. Of a target whose functions aren't compiled it gives the
    function of a step."""
    places = layout(rule, parameters, sizes)
    spelling = Spelling("np.zeros({}, DTYPE)", cast=dtype == "float32", means=not compiled)
    update = _Shaped(rule, places, spelling, ("@kernel",) if compiled else ())
    lines = update.lines()
    tables = update.tables()
    settings = [name for name in arguments(rule) if name not in (THETA, GRADIENT, *rule.moments)]
    if compiled:
        head = Function("_update", arguments(rule), doc(rule), (*tables, *lines), ("@kernel",))
    else:
        run = [f"def run({', '.join(settings)}):", *(f"    {line}" for line in lines)]
        given = [name for name in arguments(rule) if name not in settings]
        head = Function("_update", ("tensors", *given), doc(rule), (*tables, "", *run, "", "return run"))
    return [*update.functions, head]


@dataclass
class _Shaped:
    """The functions of a rule, and the lines that call them."""

    rule: UpdateRule
    places: Layout
    spelling: Spelling
    decorators: tuple[str, ...]

    def __post_init__(self) -> None:
        self.functions: list[Function] = []
        self.numbers: dict[Form, dict[str, int]] = {}
        for number, form, equation in self.rule.numbered:
            self.numbers.setdefault(form, {})[equation.target] = number
        system = self.rule.system
        each = self.rule.own_numbers | {e.target for e in system.equations if e.indices}
        self.shared: list[Equation] = (
            [e for e in system.equations if e.target not in each] if self.rule.by_parameter else []
        )

    def lines(self) -> list[str]:
        """The lines of a step."""
        found = self._shared()
        for (form, sparse), rows in self.places.tables.items():
            found += self._form(form, sparse, rows)
        return found

    def tables(self) -> list[str]:
        """The places of all parameters, as tuples."""
        found: list[str] = []
        for (form, sparse), rows in self.places.tables.items():
            entries = [f"({', '.join(self._fields(form, row).values())})" for row in rows]
            name = _table(form, sparse)
            found += wrapped(f"{name} = (", [*entries[:-1], entries[-1] + "," * (len(entries) == 1)], ")")
        return found

    def _fields(self, form: Form, row: Row) -> dict[str, str]:
        """What a table says of a parameter."""
        found = {"first": str(row.first), "stop": str(row.stop)}
        if form != "entries":
            found |= {"rows": str(row.rows), "columns": str(row.columns)}
        found |= {f"{moment}_at": str(begin) for moment, begin in row.begin.items()}
        own = zip(self.places.own, row.values, strict=True) if row.values else ()
        return found | {leaf: repr(value) for leaf, value in own}

    # --- what is computed once
    def _shared(self) -> list[str]:
        """The lines of what is the same for all parameters."""
        found: list[str] = []
        one = self.rule.of_one().system
        for equation in self.shared:
            if equation.reduction is None:
                found += scalars([equation], self.rule.system, self.numbers["entries"])
                continue
            of_one = next(e for e in one.equations if e.target == equation.target)
            name = f"_total_{equation.target}"
            number = self.numbers["entries"][equation.target]
            piece = total(of_one, one, number, self.spelling)
            strange = [a for a in piece.arguments if self._is_shaped(a)]
            if strange:
                raise LoweringError(f"a sum over all parameters reads {', '.join(strange)}")
            self._add(name, piece, f"Equation (U{number}), of one parameter.")
            given = [f"{a}[first:stop]" if self._is_arena(a) else a for a in piece.arguments]
            found.append(f"{equation.target} = 0.0")
            for (form, sparse), rows in self.places.tables.items():
                found.append(f"for {', '.join(self._fields(form, rows[0]))} in {_table(form, sparse)}:")
                found.append(f"    {equation.target} += {name}({', '.join(given)})  # (U{number})")
        return found

    def _is_arena(self, name: str) -> bool:
        return name in (THETA, GRADIENT, *self.rule.moments)

    def _is_shaped(self, name: str) -> bool:
        return name in self.rule.moments and name not in self.rule.like_theta

    def _add(self, name: str, piece: Piece, words: str) -> None:
        self.functions.append(Function(name, piece.arguments, words, piece.lines, self.decorators))

    # --- each form
    def _form(self, form: Form, sparse: bool, rows: Sequence[Row]) -> list[str]:
        """The loop over the parameters of a form."""
        system = self.rule.of_one().system if form == "entries" else self.rule.systems[form]
        piece = updating(
            system, self.numbers[form], self.spelling, [e.target for e in self.shared if form == "entries"]
        )
        name = f"_update_{form}"
        if name not in {function.name for function in self.functions}:
            self._add(name, piece, f"{self.rule.name}: one step with {FORMS[form]}, in place.")
        views = {a: self._view(a, system) for a in piece.arguments if self._is_arena(a)}
        call = self._sparse(name, piece, views) if sparse else _call(name, piece, views)
        head = f"for {', '.join(self._fields(form, rows[0]))} in {_table(form, sparse)}:"
        return [head, *(f"    {line}" for line in call)]

    def _view(self, name: str, system: System) -> str:
        """A parameter's part of an arena in the shape that its equations have."""
        sizes = {"R": "rows", "C": "columns", "P": "stop - first"}
        sizes |= {size: str(value) for size, value in self.places.sizes.items()}
        shape = [sizes[str(extent)] for extent in system.tensor(name).shape]
        if self._is_shaped(name):
            count = " * ".join(f"({e})" if " " in e and len(shape) > 1 else e for e in shape)
            part = f"{name}[{name}_at : {name}_at + {count}]"
        else:
            part = f"{name}[first:stop]"
        return part if len(shape) == 1 else f"{part}.reshape({', '.join(shape)})"

    def _sparse(self, name: str, piece: Piece, views: Mapping[str, str]) -> list[str]:
        """The call with the rows that have a gradient, which go back to their places."""
        found = [f"{arena}_rows = {view}" for arena, view in views.items()]
        found.append("touched = np.flatnonzero((gradient_rows != 0).sum(1))")
        changed = [arena for arena in views if arena != GRADIENT]
        found += [f"{arena}_touched = {arena}_rows[touched]" for arena in views]
        found += _call(name, piece, {arena: f"{arena}_touched" for arena in views})
        found += [f"{arena}_rows[touched] = {arena}_touched" for arena in changed]
        return found


def follow_functions(rule: UpdateRule) -> list[Function]:
    """What follows the loss of epochs: the function that a module calls after each."""
    if rule.follow is None:
        return []
    system, first = rule.follow.system, len(rule.numbered) + 1
    numbers = {e.target: k for k, e in enumerate(system.equations, first)}
    results = [f'"{name}": {after}' for name, after in system.updates.items()]
    lines = [*scalars(system.equations, system, numbers), *wrapped("return {", results, "}")]
    words = "What follows the loss of epochs, after one."
    return [Function("_follow", ("loss", *rule.follow.start), words, tuple(lines))]


def _call(name: str, piece: Piece, views: Mapping[str, str]) -> list[str]:
    return wrapped(f"{name}(", [views.get(argument, argument) for argument in piece.arguments], ")", 12)


def _table(form: Form, sparse: bool) -> str:
    return f"{TABLES[form]}_looked_up" if sparse else TABLES[form]


__all__ = ["follow_functions", "shaped_update"]
