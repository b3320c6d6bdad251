"""Sizes with a value that subscripts calculate with, as numbers: then it is decided what divides and what
meets what. And sizes that integers stated, as one where they have one value.

Enters: a system, the values of sizes. Leaves: the system with numbers for some of these sizes.
Must not know: targets, who gave a size its value.

`(S − D + 1)//2` pixels are 12 once S = 28 and D = 5, and each read of such an image is a slice with a step;
with symbols nothing says that 2 divides. An extent of 4 shows that the guards `[g = 0]`, …, `[g = 3]` cover
it. A size that only counts rows or columns keeps its name: there it says more than its value does.

Layers of width 32, each declared with an integer, have the widths D2, D3, D4: equal code for equal layers
needs one name for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy

from symbp.errors import GenerationError
from symbp.ir.affine import affine, settled
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, Size, free_indices, free_sizes
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, System, Tensor


def counted(system: System, known: Mapping[str, int]) -> System:
    """The system with numbers for the sizes that it calculates with, as far as they are known."""
    found = {size for size in _calculated(system) if size.name in known}
    values = {size: sympy.Integer(known[size.name]) for size in found}
    return _with(system, values) if values else system


def without_axis(system: System, known: Mapping[str, int]) -> System:
    """The system with numbers for the sizes that stand in formulas only, as far as they are known: no array
    tells the value of a size that no axis has any more."""
    written = {size for e in system.equations for part in (e.body, *e.where) for size in free_sizes(part)}
    gone = sorted({size.name for size in written} - {*system.sizes})
    values = {Size(name): sympy.Integer(known[name]) for name in gone if name in known}
    return _with(system, values) if values else system


def united(system: System) -> System:
    """The system with one size for those that are numbered alike, as integers in shapes are, and have one
    value in the declaration."""
    first: dict[tuple[str, int], Size] = {}
    values: dict[Size, Expr] = {}
    for name in system.sizes:
        if name in system.bound and name[-1].isdigit():
            size = Size(name)
            values[size] = first.setdefault((name.rstrip("0123456789"), system.bound[name]), size)
    values = {size: other for size, other in values.items() if size != other}
    return _with(system, values) if values else system


def _with(system: System, values: Mapping[Size, Expr]) -> System:
    return system.with_(
        tensors=tuple(_tensor(t, values) for t in system.tensors),
        equations=tuple(_equation(e, values) for e in system.equations),
    )


def _calculated(system: System) -> set[Size]:
    """The sizes in sums and quotients of extents, in quotients of subscripts, the extents of indices that are
    compared with a number and of axes that are read at one or in steps, and what windows move over."""
    found: set[Size] = set()
    shapes = [*(t.shape for t in system.tensors), *(e.ranges for e in system.equations)]
    for extent in [e for shape in shapes for e in shape]:
        if extent.is_Add or extent.atoms(FloorDiv, Mod):
            found |= free_sizes(extent)
    for equation in system.equations:
        extents, bodies = equation.extents, (equation.body, *equation.where)
        for quotient in sorted({q for b in bodies for q in b.atoms(FloorDiv, Mod)}, key=str):
            found |= free_sizes(quotient)
            found |= _extents(free_indices(quotient), extents)
        for guard in sorted({g for b in bodies for g in b.atoms(Guard)}, key=str):
            if guard.op == "=" and any(side.is_Integer and side > 0 for side in (guard.lhs, guard.rhs)):
                found |= _extents(free_indices(guard), extents)
        for access in equation.reads:
            shape = system.tensor(access.name).shape
            for subscript, extent in zip(access.subscripts, shape, strict=True):
                if subscript.is_Integer and subscript > 0:  # at 0 there is something for any size
                    found |= free_sizes(extent)
                elif len(free_indices(subscript)) > 1 or _steps(subscript):  # a window: what it moves over
                    found |= free_sizes(extent) | _extents(free_indices(subscript), extents)
    return found


def _steps(subscript: Expr) -> bool:
    """Whether a read leaves out positions: `x[2i + 1]`."""
    form = affine(subscript)
    return form is not None and any(abs(weight) > 1 for weight in form.weights.values())


def _extents(indices: Iterable[Index], extents: Mapping[Index, Expr]) -> set[Size]:
    return {size for i in indices if i in extents for size in free_sizes(extents[i])}


def _number(e: Expr, values: Mapping[Size, Expr]) -> Expr:
    replaced = e.xreplace(dict(values))
    return sympy.expand(settled(replaced, {})) if replaced != e and not replaced.atoms(Access) else replaced


def _tensor(tensor: Tensor, values: Mapping[Size, Expr]) -> Tensor:
    facts = frozenset(
        f if f.bound is None else replace(f, bound=_number(f.bound, values)) for f in tensor.facts
    )
    return replace(tensor, shape=tuple(_number(e, values) for e in tensor.shape), facts=facts)


def _equation(equation: Equation, values: Mapping[Size, Expr]) -> Equation:
    body = equation.body.xreplace(dict(values))
    if body.has(sympy.zoo, sympy.nan):
        sizes = ", ".join(f"{size} = {value}" for size, value in values.items() if equation.body.has(size))
        raise GenerationError(
            f"with {sizes} something is divided by 0, as in a mean of no elements",
            where=equation.origin,
            details=(equation_text(equation),),
        )
    return equation.with_(
        body=body,
        where=tuple(guard.xreplace(dict(values)) for guard in equation.where),
        ranges=tuple(_number(e, values) for e in equation.ranges),
    )
