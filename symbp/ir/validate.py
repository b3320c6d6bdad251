"""The validator between stages: whether a system obeys the rules of the representation.

Enters: a system. Leaves: nothing, or InvalidSystem with the equation that breaks a rule.
Must not know: who made the system, or what will be done with it.
"""

from __future__ import annotations

import keyword
from collections import Counter
from typing import NoReturn

import sympy

from symbp.errors import InvalidSystem
from symbp.ir.evaluation.domains import REFUSED
from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, Size, free_indices
from symbp.ir.system import FLAT, Equation, Role, System, Tensor


def validate(system: System) -> None:
    """Checks every rule, tensor by tensor and equation by equation.

    Raises InvalidSystem at the first break: a name that isn't an identifier, a target without a tensor or
    with two equations, a leaf with an equation or another tensor without one, indices that repeat or are
    loose, a missing range, a sum with `where`, a read of an undeclared tensor, with the wrong number of
    subscripts or by the wrong kind of access, a node without a place in a body, a loss with axes.
    """
    _tensors(system)
    counts = Counter(equation.target for equation in system.equations)
    for equation in system.equations:
        _target(system, equation, counts[equation.target])
        _indices(equation)
        _reduction(equation)
        for expr in (equation.body, *equation.where):
            _expression(system, equation, expr)
    _named_tensors(system)


def _fail(what: str, equation: Equation, help: str | None = None) -> NoReturn:
    raise InvalidSystem(what, where=equation.origin, details=(_shown(equation),), help=help)


def _shown(equation: Equation) -> str:
    """The equation as text; a body that has no notation is shown as SymPy would."""
    try:
        return str(equation)
    except (TypeError, ValueError):
        return f"{equation.target} = {equation.body!r}"


# --- tensors
def _tensors(system: System) -> None:
    seen: set[str] = set()
    for tensor in system.tensors:
        _name(tensor)
        if tensor.name in seen:
            raise InvalidSystem(f"tensor {tensor.name} is declared twice", where=tensor.origin)
        seen.add(tensor.name)
        for extent in tensor.shape:
            if not extent.is_integer or any(not isinstance(s, Size) for s in extent.free_symbols):
                raise InvalidSystem(
                    f"the shape of {tensor.name} is not made of sizes",
                    where=tensor.origin,
                    details=(str(tensor),),
                )
        known = tensor.name in system.defining or tensor.name in system.derivatives
        if tensor.role.is_leaf == known:
            problem = "has an equation" if tensor.role.is_leaf else "has no equation"
            raise InvalidSystem(
                f"{tensor.name} is declared as {tensor.role.value} and {problem}",
                where=tensor.origin,
                help="leaves are inputs, targets, parameters, buffers, random tensors and hyperparameters",
            )
    _derivatives(system)
    for size in (*system.sizes, *system.bound):
        if not _is_name(size):
            raise InvalidSystem(f"the size {size!r} is not a Python identifier, or is a keyword")
    for size, value in system.bound.items():
        if value < 0:
            raise InvalidSystem(f"the size {size} is bound to {value}")


def _derivatives(system: System) -> None:
    """Tensors that stand for a derivative: no equation, the shape of what is differentiated by, and rest on
    none but earlier ones."""
    open_ = dict.fromkeys(system.derivatives)
    for name, (of, by) in system.derivatives.items():
        tensor = system.tensor(name)
        if name in system.defining:
            raise InvalidSystem(
                f"{name} is declared as a derivative and has an equation", where=tensor.origin
            )
        if system.tensor(of).integer or system.tensor(by).integer:
            raise InvalidSystem(f"{name} is a derivative of or by an integer tensor", where=tensor.origin)
        if tensor.shape != system.tensor(by).shape:
            raise InvalidSystem(
                f"{name}, a derivative by {by}, has another shape",
                where=tensor.origin,
                details=(str(tensor), str(system.tensor(by))),
            )
        late = [n for n in open_ if n in system.ancestors(of)]
        if late:
            raise InvalidSystem(f"{name} rests on {late[0]}, which comes with it or after it")
        del open_[name]


def _name(tensor: Tensor) -> None:
    if not _is_name(tensor.name):
        raise InvalidSystem(
            f"{tensor.name!r} is not a Python identifier, or is a keyword",
            where=tensor.origin,
            help="names end up in source code: use letters, digits and underscores",
        )


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _named_tensors(system: System) -> None:
    """The loss, outputs, metrics and updates that the system names."""
    for name in (*system.asked, *system.updates, *system.inference):
        system.tensor(name)
    if system.loss is not None:
        tensor = system.tensor(system.loss)
        if tensor.shape or tensor.integer or tensor.role is not Role.LOSS:
            raise InvalidSystem(
                f"the loss {tensor.name} must be a real scalar with the role loss",
                where=tensor.origin,
                details=(str(tensor),),
                help="reduce it over all its axes: a sum or a mean",
            )
    pairs = [(f"the next value of {name}", name, other) for name, other in system.updates.items()]
    pairs += [(f"{name} at inference", name, other) for name, other in system.inference.items()]
    for what, name, other in pairs:
        if system.tensor(name).shape != system.tensor(other).shape:
            raise InvalidSystem(
                f"{what} has another shape", details=(str(system.tensor(name)), str(system.tensor(other)))
            )


# --- equations
def _target(system: System, equation: Equation, count: int) -> None:
    if equation.target not in system.by_name:
        _fail(f"{equation.target} has an equation but is not declared", equation)
    if count > 1:
        _fail(f"{equation.target} is defined by {count} equations", equation, "define each tensor once")
    tensor = system.tensor(equation.target)
    if len(tensor.shape) != len(equation.indices):
        _fail(f"{tensor.name} has {len(tensor.shape)} axes and {len(equation.indices)} indices", equation)
    places = equation.op == "argmax" or (equation.leaf is not None and equation.leaf.integer)
    if places and not tensor.integer:
        _fail(f"{tensor.name} holds an {equation.op} and is not declared as integer", equation)
    if len(equation.ranges) != len(equation.all_indices):
        _fail(f"{len(equation.all_indices)} indices have {len(equation.ranges)} ranges", equation)
    for index, extent, declared in zip(equation.indices, equation.shape, tensor.shape, strict=True):
        if sympy.expand(extent - declared) != 0:
            _fail(f"index {index} runs to {extent}, the axis of {tensor.name} to {declared}", equation)


def _indices(equation: Equation) -> None:
    for index, count in Counter(equation.all_indices).items():
        if not isinstance(index, Index):
            _fail(f"{index!r} is not an index", equation)
        if not _is_name(index.name):
            _fail(f"the index {index.name!r} is not a Python identifier, or is a keyword", equation)
        if count > 1:
            _fail(f"index {index} stands twice among the indices", equation, "give each axis its own index")
    for extent in equation.ranges:
        if not extent.is_integer or any(not isinstance(s, Size) for s in extent.free_symbols):
            _fail(f"the range {extent} is not made of sizes", equation)


def _reduction(equation: Equation) -> None:
    if equation.reduction is not None:
        if not equation.reduced:
            _fail("the reduction has no index", equation, "leave the reduction out")
        if not FLAT <= equation.reduction.component < len(equation.reduced):
            _fail(f"the argmax has no component {equation.reduction.component}", equation)
    if equation.leaf is not None:
        _matrix_leaf(equation)
    if equation.where and equation.op in (None, "sum"):
        kind = "sum" if equation.op else "map"
        _fail(f"a {kind} has conditions beside its body", equation, "write them as factors of the body")
    for condition in equation.where:
        if not isinstance(condition, Guard):
            _fail(f"the condition {condition} is not a guard", equation)


def _matrix_leaf(equation: Equation) -> None:
    """A leaf of linear algebra: a matrix without conditions, a square one for most, and what it gives."""
    leaf = equation.leaf
    assert leaf is not None
    if len(equation.reduced) != leaf.axes:
        what = "a row and a column" if leaf.axes == 2 else "one"
        _fail(f"the {equation.op} runs over {len(equation.reduced)} indices, not {what}", equation)
    if len(equation.result) != len(leaf.result):
        _fail(f"the {equation.op} needs more indices of its target: those of its result", equation)
    sides = dict(zip(("row", "column"), equation.reduced, strict=False))
    pairs = [(sides[axis], i) for axis, i in zip(leaf.result, equation.result, strict=True) if axis in sides]
    pairs += [(sides["row"], sides["column"])] if leaf.square else []
    for one, other in pairs:
        if sympy.expand(equation.extents[one] - equation.extents[other]) != 0:
            extents = ", ".join(str(equation.extents[i]) for i in (one, other))
            what = "of a matrix that is not square" if leaf.square else "does not fit what it is of"
            _fail(f"the {equation.op} {what}: {extents}", equation)
    if equation.where:
        _fail(f"the {equation.op} has conditions beside its body", equation)
    if free_indices(equation.body) & set(equation.result):
        _fail(f"the body of the {equation.op} mentions the row or the column of the result", equation)


def _expression(system: System, equation: Equation, expr: Expr) -> None:
    """The nodes of a body or condition: what is read, what is free, what has no place."""
    if not isinstance(expr, sympy.Expr):
        _fail(f"{expr!r} is not an expression", equation)
    for node in sympy.preorder_traversal(expr):
        if isinstance(node, Access):
            _access(system, equation, node)
        elif type(node).__name__ in REFUSED:
            _fail(
                f"{type(node).__name__} has no place in a body",
                equation,
                "write kinks with guards, where(x > 0, x, 0), and reductions as equations",
            )
        elif node in (sympy.nan, sympy.zoo) or node is sympy.I:
            _fail(f"the body contains {node}", equation)
        elif getattr(node, "is_Symbol", False) and not isinstance(node, (Index, Size)):
            _fail(
                f"{node} is neither a tensor, nor an index, nor a size", equation, "read tensors by an access"
            )
    loose = free_indices(expr) - set(equation.all_indices)
    if loose:
        first = min(index.name for index in loose)
        _fail(f"index {first} is neither on the left nor reduced over", equation)


def _access(system: System, equation: Equation, access: Access) -> None:
    if access.name not in system.by_name:
        _fail(f"{access.name} is read but not declared", equation)
    tensor = system.tensor(access.name)
    if len(access.subscripts) != len(tensor.shape):
        _fail(
            f"{access} has {len(access.subscripts)} subscripts, {access.name} {len(tensor.shape)} axes",
            equation,
        )
    if isinstance(access, IntegerAccess) != tensor.integer:
        kind = "an integer tensor" if tensor.integer else "a real tensor"
        _fail(f"{access.name} is {kind} and read as the other kind", equation, "read it through Tensor.at")
    for subscript in access.subscripts:
        if not subscript.is_integer:
            _fail(f"the subscript {subscript} of {access.name} is not an integer", equation)
