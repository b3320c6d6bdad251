"""Equations that slide one tensor over another, or put axes together, in the notation of images.

Enters: an equation, a recogniser with the subscripts that stay. Leaves: a tree, or None. Must not know: ops:
a convolution, its two adjoints and a max-pool are known by their subscripts.

What one operand reads at `w + l + c` and the other at `l`, summed over l, is a cross-correlation; at
`w + c - l`, one with the kernel turned by half a turn. How many zeros stand before and behind follows from c
and the lengths; the notation has one number for both, so that other cases have no form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from symbp.ir.affine import affine
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod
from symbp.ir.system import Equation
from symbp.read.matrix.graph import Frame
from symbp.read.matrix.tree import (
    Correlation,
    Flattened,
    MaxPool,
    Node,
    Number,
    Scale,
    Strided,
    Total,
    Turned,
)

if TYPE_CHECKING:  # it asks for correlations within a body
    from symbp.read.matrix.recognise import Recogniser


def window_form(by: Recogniser, equation: Equation, frame: Frame, reduced: Frame) -> Node | None:
    """The form of the right-hand side over `frame`, once what `reduced` lacks is summed over, if it has one
    of those here."""
    if equation.op is None and not equation.reduced:
        return _flattened(by, equation, frame)
    if equation.where:
        return None
    if equation.op == "max":
        return _pooled(by, equation.body, frame, reduced)
    return correlated(by, equation.body, frame, reduced) if equation.op == "sum" else None


# --- correlations
def correlated(by: Recogniser, body: Expr, frame: Frame, reduced: Frame) -> Node | None:
    """A product summed over `reduced`, if it is a correlation over `frame`."""
    if not 1 <= len(frame) <= 2 or len(reduced) != len(frame):
        return None
    coefficient, rest = body.as_coeff_Mul()
    parts = sympy.Mul.make_args(rest)
    guards = [f for f in parts if isinstance(f, Guard)]
    both = [f for f in parts if not isinstance(f, Guard)]
    if len(both) != 2 or not all(isinstance(f, Access) or f.is_Add for f in both) or coefficient.q != 1:
        return None
    for image, kernel in (both, both[::-1]):
        found = _slid(by, image, kernel, guards, frame, reduced) if isinstance(image, Access) else None
        if found is not None and coefficient == -1:
            return Total(((True, found),))
        if found is not None:
            return found if coefficient == 1 else Scale((Number(coefficient),), (), found)
    return None


def _slid(
    by: Recogniser, image: Access, kernel: Expr, guards: Sequence[Guard], frame: Frame, reduced: Frame
) -> Node | None:
    """The image slid under the kernel, each with one axis for each index of the frame; a kernel that is a sum
    is over all that is `reduced`."""
    axes = _left(by, image)
    if len(axes) != len(frame):
        return None
    if isinstance(kernel, Access):
        own = _left(by, kernel)
        whole = kernel.outside is None and all(_whole_axis(by, kernel, at) for at in own)
        inners = [kernel.subscripts[at] for at in own] if whole else []
    else:
        inners = [i for k in axes for i in reduced if image.subscripts[k].has(i)]
        inners = inners if set(by.free(kernel)) == set(inners) else []
    if len(inners) != len(frame):
        return None
    lengths = by.tensors[image.name].shape
    pads, steps, signs = [], [], set[int]()
    for place, inner, row in zip(axes, inners, frame, strict=True):
        if inner not in reduced:
            return None
        found = affine(image.subscripts[place], frozenset(by.kept))
        if found is None or set(found.weights) != {row, inner} or found.weights[inner] not in (1, -1):
            return None
        if found.offset.free_symbols & set(by.kept):
            return None
        step, sign = found.weights[row], found.weights[inner]
        before = _before(by, found.offset, step, sign, (by.extents[row], by.extents[inner], lengths[place]))
        if before is None:
            return None
        signs.add(sign)
        steps.append(sympy.Integer(step))
        pads.append(sympy.expand(before))
    inside = all(by.same(pad, sympy.Integer(0)) for pad in pads)
    if len(signs) != 1 or not (inside or image.outside == 0 or guards):
        return None
    if image.outside not in (None, 0) or not _only_ranges(by, image, axes, guards):
        return None
    moved = by.named(kernel, own) if isinstance(kernel, Access) else by.unit(kernel, tuple(inners))
    slid = Correlation(by.named(image, axes), moved if signs == {1} else Turned(moved), tuple(pads))
    return slid if set(steps) == {1} else Strided(slid, tuple(steps))


def _before(
    by: Recogniser, offset: Expr, step: int, sign: int, lengths: tuple[Expr, Expr, Expr]
) -> Expr | None:
    """How many zeros stand before an image and behind it, if these are as many; the lengths are those of the
    result, of the kernel and of the image."""
    count, size, length = lengths
    if step == 1:
        before = -offset if sign == 1 else size - 1 - offset
        return before if by.same(count + size - 1 - length, 2 * before) else None
    fits = FloorDiv(by.raw(length - 2 * offset - size), sympy.Integer(step)) + 1 if step > 1 else None
    return -offset if sign == 1 and fits is not None and by.same(count, fits) else None


def _left(by: Recogniser, access: Access) -> list[int]:
    return [k for k, s in enumerate(access.subscripts) if by.free(s)]


def _whole_axis(by: Recogniser, access: Access, axis: int) -> bool:
    subscript, length = access.subscripts[axis], by.tensors[access.name].shape[axis]
    return isinstance(subscript, Index) and by.same(by.extents[subscript], length)


def _only_ranges(by: Recogniser, image: Access, axes: Sequence[int], guards: Sequence[Guard]) -> bool:
    """Whether all guards say no more than that the image is read in its range."""
    lengths = by.tensors[image.name].shape
    known = set[Expr]()
    for k in axes:
        subscript, length = by.raw(image.subscripts[k]), by.raw(lengths[k])
        known |= {Guard("<=", sympy.Integer(0), subscript), Guard("<=", subscript, length - 1)}
    return all(by.raw(guard) in known for guard in guards)


# --- pooling and flattening
def _pooled(by: Recogniser, body: Expr, frame: Frame, reduced: Frame) -> Node | None:
    """Windows side by side: `a[2·e + i, 2·f + j]` with i and j below 2."""
    if not 1 <= len(frame) <= 2 or len(reduced) != len(frame):
        return None
    if not isinstance(body, Access) or body.outside is not None:
        return None
    axes = _left(by, body)
    if len(axes) != len(frame):
        return None
    window = []
    for place, row, inner in zip(axes, frame, reduced, strict=True):
        found = affine(body.subscripts[place], frozenset(by.kept))
        size, length = by.extents[inner], by.tensors[body.name].shape[place]
        if found is None or not size.is_Integer or found.offset != 0:
            return None
        if dict(found.weights) != {row: int(size), inner: 1}:
            return None
        if not by.same(by.extents[row], FloorDiv(by.raw(length), size)):
            return None
        window.append(size)
    return MaxPool(by.named(body, axes), tuple(window))


def _flattened(by: Recogniser, equation: Equation, frame: Frame) -> Node | None:
    """`h[n, u//(B·C), (u//C)%B, u%C]`: all axes but the first as one."""
    body = equation.body
    if len(frame) != 2 or not isinstance(body, Access) or body.outside is not None or by.kept:
        return None
    first, joint = frame
    shape = by.tensors[body.name].shape
    if len(shape) < 3 or body.subscripts[0] != first or not by.same(by.extents[first], shape[0]):
        return None
    expected, behind = [], sympy.Integer(1)
    for length in reversed(shape[1:]):
        expected.append((FloorDiv(joint, behind), length))
        behind = behind * length
    wanted = [q if k == len(expected) - 1 else Mod(q, n) for k, (q, n) in enumerate(expected)][::-1]
    if list(body.subscripts[1:]) != wanted or not by.same(by.extents[joint], behind):
        return None
    return Flattened(body.name)
