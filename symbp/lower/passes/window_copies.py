"""Windows that more than one product reads, copied once for all of them.

Enters: a system. Leaves: `Shared`: the same values, with tensors for such windows.
Must not know: targets, what a product is for.

A convolution is a product with windows of an image, `w[n, c, p, q, i, j] = x[n, c, i + p, j + q]`, and so is
its gradient by the kernel: copied once, the windows serve both. Image by image the second is a product, too,
of what lies in the cache, and a sum over images is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbp.ir.affine import affine
from symbp.ir.bounds import within
from symbp.ir.expr import Access, Expr, Index, IntegerAccess, Size, free_indices, unused_name
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System, Tensor
from symbp.lower.passes.common_subexpressions import Additions, Shared
from symbp.lower.select.windows import nominal

Key = tuple[object, ...]


def windows_once(base: Shared) -> Shared:
    """The system with a tensor for windows that two or more sums of products read."""
    system = base.system
    looped = {name for group in groups(system) if group.loop is not None for name in group.targets}
    met: dict[Key, list[tuple[Equation, Access, tuple[Index, ...]]]] = {}
    for equation in system.equations:
        found = _windows(equation, system) if equation.target not in looped else None
        if found is not None:
            access, order = found
            met.setdefault(_key(access, order, equation), []).append((equation, access, order))
    additions = Additions(base)
    bodies: dict[str, Expr] = {}
    for users in met.values():
        laid = _layout(users)
        if len(users) < 2 or laid is None or users[0][1].name in looped:
            continue
        for equation, access, order in users:
            lies = tuple(order[k] for k in laid)
            read = additions.read(access, equation, f"{access.name}_windows", lies)
            body: Expr = bodies.get(equation.target, equation.body)
            bodies[equation.target] = body.xreplace({access: read})
    return additions.done(bodies)


def _layout(users: Sequence[tuple[Equation, Access, tuple[Index, ...]]]) -> tuple[int, ...] | None:
    """The order of a copy's axes in which the first convolution is one product, or one for each image: what
    stands before its channels, what it sums over, the rest as the target has it."""
    for equation, _, order in users:
        plain = [i for i in equation.indices if i in order]
        if set(order) != {*plain, *equation.reduced}:
            continue
        channel = next((k for k, i in enumerate(equation.indices) if i not in order), 0)
        batch = [i for i in plain if i in equation.indices[:channel]]
        lies = (*batch, *(i for i in order if i in equation.reduced), *(i for i in plain if i not in batch))
        if any(free_indices(s) & set(plain) for s in _moving(equation)):
            return tuple(order.index(i) for i in lies)
    return None


def _moving(equation: Equation) -> list[Expr]:
    return [s for a in equation.reads for s in a.subscripts if not isinstance(s, Index)]


def _windows(equation: Equation, system: System) -> tuple[Access, tuple[Index, ...]] | None:
    """The one read at windows among the two factors of a sum, and the order of its indices: what stands
    before the windows, positions in a window, windows, the rest."""
    factors = [f for f in sympy.Mul.make_args(equation.body) if not f.is_number]
    if equation.op != "sum" or len(factors) != 2 or not all(isinstance(f, Access) for f in factors):
        return None
    moving = [f for f in factors if any(len(free_indices(s)) > 1 for s in f.subscripts)]
    if len(moving) != 1 or isinstance(moving[0], IntegerAccess):
        return None
    access, other = moving[0], factors[factors[0] == moving[0]]
    if set(other.subscripts) - set(equation.all_indices) or other.outside is not None:
        return None
    before: list[Index] = []
    after: list[Index] = []
    inner: list[Index] = []
    outer: list[Index] = []
    for subscript, extent in zip(access.subscripts, system.tensor(access.name).shape, strict=True):
        if isinstance(subscript, Index):
            (after if inner else before).append(subscript)
            continue
        form = affine(subscript)
        inside = access.outside is not None or not within(subscript, extent, equation.extents)
        if form is None or len(form.weights) != 2 or min(form.weights.values()) < 1 or not inside:
            return None
        small, large = sorted(form.weights, key=lambda i: (form.weights[i] > 1, nominal(equation.extents[i])))
        inner.append(small)
        outer.append(large)
    order = (*before, *inner, *outer, *after)
    return (access, order) if len(set(order)) == len(order) else None


def _key(access: Access, order: tuple[Index, ...], equation: Equation) -> Key:
    names = {index: Index(f"({k})") for k, index in enumerate(order)}
    return (access.xreplace(names), tuple(equation.extents[i] for i in order))


def by_example(base: Shared, batch: str | None) -> Shared:
    """The system with products that sum over windows of a batch of images as a sum of products, each of one
    image."""
    size = Size(batch or "")
    copied = {name for name in base.system.defining if _is_copy(base.system.defining[name])}
    equations: list[Equation] = []
    tensors: list[Tensor] = []
    numbers: dict[str, int] = dict(base.numbers)
    taken = {t.name for t in base.system.tensors}
    for equation in base.system.equations:
        summed = [i for i in equation.reduced if equation.extents[i] == size]
        if not _sums_copies(equation, copied) or len(summed) != 1 or len(equation.reduced) < 2:
            equations.append(equation)
            continue
        (example,) = summed
        rest = tuple(i for i in equation.reduced if i != example)
        name = unused_name(f"{equation.target}_each", taken)
        taken.add(name)
        assert equation.reduction is not None
        each = (example, *equation.indices)
        part = equation.with_(
            target=name,
            indices=each,
            reduction=replace(equation.reduction, indices=rest),
            ranges=tuple(equation.extents[i] for i in (*each, *rest)),
        )
        total = equation.with_(
            body=Access(name, *each),
            reduction=replace(equation.reduction, indices=(example,)),
            ranges=tuple(equation.extents[i] for i in (*equation.indices, example)),
        )
        tensors.append(Tensor(name, part.shape))
        numbers[name] = base.numbers[equation.target]
        equations += [part, total]
    if not tensors:
        return base
    system = base.system.with_(tensors=(*base.system.tensors, *tensors), equations=tuple(equations))
    return Shared(system, numbers)


def _is_copy(equation: Equation) -> bool:
    """Whether an equation copies windows."""
    return (
        equation.reduction is None
        and isinstance(equation.body, Access)
        and any((form := affine(s)) is not None and len(form.weights) > 1 for s in equation.body.subscripts)
    )


def _sums_copies(equation: Equation, copied: set[str]) -> bool:
    factors = sympy.Mul.make_args(equation.body)
    reads = [f for f in factors if isinstance(f, Access)]
    return (
        equation.op == "sum"
        and len(reads) == 2
        and any(a.name in copied for a in reads)
        and all(set(equation.reduced) <= set(a.subscripts) for a in reads)
    )
