"""Where the parameters and moments lie that an update of several forms changes.

Enters: an update rule, the parameters in their order, values of sizes. Leaves: a `Layout`. Must not know:
targets, which optimizers exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import sympy

from symbp.errors import GenerationError
from symbp.ir.expr import Expr, Size
from symbp.ir.system import Tensor
from symbp.ir.training import THETA, Form, UpdateRule

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One generic parameter: its first entry and the one behind its last, its rows and columns, where its
    moments begin that have shapes of their own, its values of the leaves `own`."""

    first: int
    stop: int
    rows: int
    columns: int
    begin: Mapping[str, int]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Layout:
    """The generic parameters by their form and whether they are sparse; the shapes of moments by parameter,
    none where they are like the parameters; values of sizes that are the rule's own."""

    tables: Mapping[tuple[Form, bool], list[Row]]
    moments: Mapping[str, Mapping[str, Shape]]
    own: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)


ALL = "all"
"""What moments are called that belong to no parameter alone."""


def layout(rule: UpdateRule, parameters: Sequence[Tensor], sizes: Mapping[str, int]) -> Layout:
    """Where everything lies. Raises GenerationError: a parameter whose size isn't known."""
    shapes = {p.name: _known(p, rule, sizes) for p in parameters}
    if not rule.by_parameter:
        return _together(rule, shapes)
    moments: dict[str, dict[str, Shape]] = {name: {} for name in rule.moments}
    tables: dict[tuple[Form, bool], list[Row]] = {}
    ends = dict.fromkeys(rule.moments, 0)
    parts = {part.parameter: part for part in rule.parts_of(shapes)}
    start = 0
    for name, shape in shapes.items():
        first, start = start, start + prod(shape)
        if name not in parts:
            continue
        part = parts[name]
        count, one = (shape[0], shape[1:]) if part.stacked else (1, shape)
        rows, columns = prod(one[: part.axes_of_rows]), prod(one[part.axes_of_rows :])
        form: Form = part.form
        form = "tall" if form == "matrix" and rows > columns and "tall" in rule.forms else form
        owned = _own_moments(rule, form, one, (rows, columns))
        for moment, own in owned.items():
            moments[moment][name] = (count, *own) if part.stacked else own
        for k in range(count):
            begin = {moment: ends[moment] + k * prod(own) for moment, own in owned.items()}
            place = first + k * prod(one)
            row = Row(place, place + prod(one), rows, columns, begin, part.values)
            tables.setdefault((form, part.sparse), []).append(row)
        ends |= {moment: ends[moment] + count * prod(own) for moment, own in owned.items()}
    return Layout(tables, moments, rule.own)


def _own_moments(rule: UpdateRule, form: Form, shape: Shape, matrix: tuple[int, int]) -> dict[str, Shape]:
    """The shapes of one parameter's moments that aren't like all parameters."""
    system = rule.of_one().system if form == "entries" else rule.systems[form]
    theta, values = system.tensor(THETA).shape, {Size("R"): matrix[0], Size("C"): matrix[1]}
    values |= {Size(name): value for name, value in system.bound.items()}
    found = {}
    for name in system.updates:
        if name != THETA and name not in rule.like_theta:
            own = system.tensor(name).shape
            found[name] = shape if own == theta else tuple(int(values[e]) for e in own)
    return found


def _together(rule: UpdateRule, shapes: Mapping[str, Shape]) -> Layout:
    """All parameters as one vector; moments that aren't like it have a shape of their own."""
    count = sum(map(prod, shapes.values()))
    values: dict[Expr, int] = {Size("P"): count}
    values |= {Size(name): value for name, value in rule.system.bound.items()}
    own = {m: rule.system.tensor(m).shape for m in rule.moments if m not in rule.like_theta}
    moments: dict[str, dict[str, Shape]] = {m: {} for m in rule.moments}
    moments |= {m: {ALL: tuple(int(values[e]) for e in shape)} for m, shape in own.items()}
    row = Row(0, count, 1, count, dict.fromkeys(own, 0), ())
    return Layout({("entries", False): [row]}, moments, (), dict(rule.system.bound))


def _known(parameter: Tensor, rule: UpdateRule, sizes: Mapping[str, int]) -> Shape:
    bound = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
    shape = [sympy.sympify(extent).xreplace(bound) for extent in parameter.shape]
    if not all(extent.is_number for extent in shape):
        raise GenerationError(
            f"{rule.name} tells parameters apart, and {parameter.name} has a size without value",
            help=size_wanted(*shape),
        )
    return tuple(int(extent) for extent in shape)


def size_wanted(*extents: sympy.Expr) -> str:
    """How to give the sizes that stand in these extents."""
    names = sorted({str(size) for extent in extents for size in extent.free_symbols})
    options, given = (", ".join(form.format(n) for n in names) for form in ("--size {}=…", "{!r}: …"))
    return f"give it one: {options}; in Python, sizes={{{given}}}"


__all__ = ["ALL", "Layout", "Row", "layout"]
