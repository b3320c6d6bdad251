"""The validator of lines over whole arrays: what a call computes has the shape and kind of what it fills.

Enters: the statements of a stage, the forms of what they read, sizes with values. Leaves: nothing, or an
InvalidTree that shows the statement. Must not know: equations, where memory lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.printer import text
from symbp.codegen.scopes import bound_by
from symbp.errors import InvalidTree
from symbp.targets.compiled.form import NUMBER, Form, Mismatch, Unknown, broadcast
from symbp.targets.numpy.inference.shape_inference import OPERATORS, Forms

BINARY = {f"np.{name}": op for op, name in OPERATORS.items()}
BINARY |= {"np.dot": "@", "np.right_shift": "//", "np.bitwise_and": "%"}


class Validator:
    """One walk through the lines of a stage; `forms` grows with the names that they bring."""

    def __init__(self, forms: Forms, values: Mapping[Any, Any]) -> None:
        self.forms, self.values = forms, values
        self.foreseen = self.skipped = 0  # statements whose forms are known, and others

    def statements(self, body: Iterable[tree.Statement]) -> None:
        """Raises InvalidTree where a line fills an array with what doesn't fit."""
        for s in body:
            try:
                self.statement(s)
                self.foreseen += 1
            except Mismatch as e:
                if self._differ(*e.lengths):
                    raise self._wrong(s, f"{e.lengths[0]} elements meet {e.lengths[1]}") from None
            except Unknown:
                self.skipped += 1

    def statement(self, s: tree.Statement) -> None:
        """Raises Unknown where the forms of a statement aren't foreseen."""
        if isinstance(s, tree.For):
            for name in bound_by(s.variable):
                self.forms.known[name] = NUMBER
            self.statements(s.body)
        elif isinstance(s, tree.If):
            self.statements((*s.body, *s.otherwise))
        elif isinstance(s, tree.Effect):
            out = next((k.value for k in s.call.keywords if k.name == "out"), None)
            if out is not None:
                self._fills(s, self._given(s.call), self.forms.of(out))
        elif isinstance(s, tree.Assign):
            self._assigned(s)

    def _assigned(self, s: tree.Assign) -> None:
        names = bound_by(s.target)
        for name in names:
            self.forms.known.pop(name, None)
        value = self.forms.of(s.value)
        if isinstance(s.target, tree.Name):
            self.forms.known[s.target.id] = value
        elif not names:
            self._fills(s, value, self.forms.of(s.target))

    def _given(self, call: tree.Call) -> Form:
        """The form of what a call would give if it didn't fill an array."""
        if call.name in BINARY and len(call.arguments) == 2:
            return self.forms.of(infer.binary(BINARY[call.name], *call.arguments))
        if call.name == "np.logical_not":
            return self.forms.of(infer.unary("~", *call.arguments))
        if call.name == "np.take":
            return self._taken(*call.arguments)
        if call.name == "_masked":
            array, mask = map(self.forms.of, call.arguments)
            return replace(array, shape=broadcast([array.shape, mask.shape]))
        return self.forms.of(replace(call, keywords=tuple(k for k in call.keywords if k.name != "out")))

    def _taken(self, array: tree.Expression, places: tree.Expression, *axis: tree.Expression) -> Form:
        """The form of elements along one axis; without one, of all that an array has."""
        form, at = self.forms.of(array), self.forms.of(places).shape
        if not axis:
            return replace(form, shape=at)
        k = int(self.forms.extent(axis[0]))
        return replace(form, shape=(*form.shape[:k], *at, *form.shape[k + 1 :]))

    def _fills(self, s: tree.Statement, value: Form, into: Form) -> None:
        """The value has the shape of what it fills, or spreads over it; reals aren't put into integers."""
        together = broadcast([value.shape, into.shape])
        if len(together) != len(into.shape):
            raise self._wrong(s, f"{len(value.shape)} axes are put into {len(into.shape)}")
        for one, other in zip(together, into.shape, strict=True):
            if self._differ(one, other):
                raise self._wrong(s, f"{one} elements are put into {other}")
        if value.kind == "real" and into.kind in ("integer", "bool"):
            raise self._wrong(s, f"reals are put into an array of kind {into.kind}")

    def _differ(self, one: Any, other: Any) -> bool:
        """Whether two lengths differ at these sizes."""
        difference = sympy.sympify(one - other).xreplace(dict(self.values))
        return bool(difference.is_Integer and difference != 0)

    def _wrong(self, s: tree.Statement, what: str) -> InvalidTree:
        return InvalidTree(
            f"in a line of NumPy {what}",
            details=(text(s).rstrip(),),
            help="a pass has put an array in the place of one of another form",
        )
