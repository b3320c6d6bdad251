"""The update of a rule that has several forms, in NumPy and Numba: a function for each form, and one that
calls it with each parameter.

Enters: an update rule, the parameters' places. Leaves: functions. Must not know: which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbp.codegen import infer, tree
from symbp.codegen.function import Function
from symbp.codegen.updates.functions import Piece, Spelling, scalars, total, updating
from symbp.codegen.updates.layout import Layout, Row, layout
from symbp.errors import LoweringError
from symbp.ir.system import Equation, System, Tensor
from symbp.ir.training import GRADIENT, THETA, Form, UpdateRule
from symbp.targets.compiled.update import PREFIX, arguments, doc

FIRST, STOP = infer.integer("first"), infer.integer("stop")
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
    spelling = Spelling(typed=True, cast=dtype == "float32", means=not compiled)
    update = _Shaped(rule, places, spelling, ("@kernel",) if compiled else ())
    code = update.code()
    tables = update.tables()
    settings = [name for name in arguments(rule) if name not in (THETA, GRADIENT, *rule.moments)]
    if compiled:
        body = (*tables, *code)
        head = Function("_update", arguments(rule), doc(rule), body, ("@kernel",), PREFIX)
    else:
        run = tree.Define("run", tuple(map(infer.word, settings)), (), tuple(code))
        given = [name for name in arguments(rule) if name not in settings]
        body = (*tables, tree.Blank(), run, tree.Blank(), tree.Return(infer.word("run")))
        head = Function("_update", ("tensors", *given), doc(rule), body, prefix=PREFIX)
    return [*update.functions, head]


@dataclass
class _Shaped:
    """The functions of a rule, and the code that calls them."""

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

    def code(self) -> list[tree.Statement]:
        """The code of a step."""
        found = self._shared()
        return [*found, *(self._form(form, sparse) for form, sparse in self.places.tables)]

    def tables(self) -> list[tree.Assign]:
        """The places of all parameters, as tuples."""
        return [
            tree.Assign(
                _table(form, sparse),
                infer.tuple_of(
                    *(infer.tuple_of(*map(infer.number, self._fields(form, row).values())) for row in rows)
                ),
            )
            for (form, sparse), rows in self.places.tables.items()
        ]

    def _fields(self, form: Form, row: Row) -> dict[str, float]:
        """What a table says of a parameter."""
        found: dict[str, float] = {"first": row.first, "stop": row.stop}
        if form != "entries":
            found |= {"rows": row.rows, "columns": row.columns}
        found |= {f"{moment}_at": begin for moment, begin in row.begin.items()}
        return found | (dict(zip(self.places.own, row.values, strict=True)) if row.values else {})

    def _each(self, form: Form, sparse: bool, body: Sequence[tree.Statement]) -> tree.For:
        """A loop over the parameters of a form."""
        first, *_ = self.places.tables[form, sparse]
        variables = infer.tuple_of(*map(infer.word, self._fields(form, first)))
        return tree.For(variables, _table(form, sparse), tuple(body))

    # --- what is computed once
    def _shared(self) -> list[tree.Statement]:
        """The code of what is the same for all parameters."""
        found: list[tree.Statement] = []
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
            given = [_part(a) if self._is_arena(a) else infer.name(a) for a in piece.arguments]
            target = infer.name(equation.target)
            found.append(tree.Assign(target, infer.number(0.0)))
            added = tree.Assign(target, infer.called(name, *given), "+", (number,))
            found += [self._each(form, sparse, [added]) for form, sparse in self.places.tables]
        return found

    def _is_arena(self, name: str) -> bool:
        return name in (THETA, GRADIENT, *self.rule.moments)

    def _is_shaped(self, name: str) -> bool:
        return name in self.rule.moments and name not in self.rule.like_theta

    def _add(self, name: str, piece: Piece, words: str) -> None:
        self.functions.append(Function(name, piece.arguments, words, piece.body, self.decorators, PREFIX))

    # --- each form
    def _form(self, form: Form, sparse: bool) -> tree.For:
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
        return self._each(form, sparse, call)

    def _view(self, name: str, system: System) -> tree.Expression:
        """A parameter's part of an arena in the shape that its equations have."""
        sizes: dict[str, tree.Expression] = {"R": infer.integer("rows"), "C": infer.integer("columns")}
        sizes["P"] = infer.binary("-", STOP, FIRST)
        sizes |= {size: infer.number(int(value)) for size, value in self.places.sizes.items()}
        shape = [sizes[str(extent)] for extent in system.tensor(name).shape]
        part = _part(name)
        if self._is_shaped(name):
            start = infer.integer(f"{name}_at")
            stop = infer.plus(start, infer.joined("*", shape))
            part = infer.sliced(infer.name(name), [tree.Slice(start, stop)], ())
        return part if len(shape) == 1 else infer.called(".reshape", part, *shape)

    def _sparse(self, name: str, piece: Piece, views: Mapping[str, tree.Expression]) -> list[tree.Statement]:
        """The call with the rows that have a gradient, which go back to their places."""
        rows = {arena: infer.name(f"{arena}_rows") for arena in views}
        kept = {arena: infer.name(f"{arena}_touched") for arena in views}
        touched = infer.integer("touched")
        there = {arena: infer.sliced(rows[arena], [touched], ()) for arena in views}
        moved = infer.binary("!=", rows[GRADIENT], infer.number(0))
        where = infer.called("np.flatnonzero", infer.called(".sum", moved, infer.number(1)))
        return [
            *(tree.Assign(rows[arena], view) for arena, view in views.items()),
            tree.Assign(touched, where),
            *(tree.Assign(kept[arena], there[arena]) for arena in views),
            *_call(name, piece, kept),
            *(tree.Assign(there[arena], kept[arena]) for arena in views if arena != GRADIENT),
        ]


def follow_functions(rule: UpdateRule) -> list[Function]:
    """What follows the loss of epochs: the function that a module calls after each."""
    if rule.follow is None:
        return []
    system, first = rule.follow.system, len(rule.numbered) + 1
    numbers = {e.target: k for k, e in enumerate(system.equations, first)}
    results = infer.table((name, infer.name(after)) for name, after in system.updates.items())
    body = (*scalars(system.equations, system, numbers), tree.Return(results))
    words = "What follows the loss of epochs, after one."
    return [Function("_follow", ("loss", *rule.follow.start), words, body, prefix=PREFIX)]


def _call(name: str, piece: Piece, views: Mapping[str, tree.Expression]) -> list[tree.Statement]:
    given = [views.get(argument, infer.name(argument)) for argument in piece.arguments]
    return [tree.Effect(infer.called(name, *given))]


def _part(arena: str) -> tree.Expression:
    """A parameter's part of an arena."""
    return infer.sliced(infer.name(arena), [tree.Slice(FIRST, STOP)], ())


def _table(form: Form, sparse: bool) -> tree.Name:
    return infer.word(f"{TABLES[form]}_looked_up" if sparse else TABLES[form])


__all__ = ["follow_functions", "shaped_update"]
