"""Functions that NumPy lacks or that overflow as they stand; a module takes those that it calls.

Enters: arrays. Leaves: arrays of the same dtype. Must not know: where they are called.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.network import DTYPE, Array


def _sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)); the exponential of a large -x is infinite, and its inverse 0."""
    out = np.empty(np.shape(x), DTYPE) if out is None else out
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    return np.reciprocal(out, out=out)


def _softplus(x: Array, out: Array | None = None) -> Array:
    """log(1 + exp(x)) without overflow."""
    return np.asarray(np.logaddexp(0, x, out=out))


def _log1mexp(x: Array, out: Array | None = None) -> Array:
    """log(1 - exp(x)) for x < 0: near 0 by expm1, far out by log1p."""
    near = np.asarray(x) > -0.7
    inner = np.where(near, -np.expm1(x), -np.exp(x))
    return np.asarray(np.add(np.log(np.where(near, inner, 1)), np.log1p(np.where(near, 0, inner)), out=out))


def _transposed(x: Array, out: Array | None = None) -> Array:
    """x.T as a copy, made in panels: NumPy reads x.T beside other arrays against the order of memory."""
    out = np.empty(x.shape[::-1], x.dtype) if out is None else out
    for k in range(0, len(x), 16):
        out[:, k : k + 16] = x[k : k + 16].T
    return out


def _symmetric_product(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b, which is symmetric: what is below the blocks on the diagonal is mirrored, not computed."""
    n, width = len(a), 64
    out = np.empty((n, n), a.dtype) if out is None else out
    if n < 2 * width:
        return np.asarray(np.matmul(a, b, out=out))
    for k in range(0, n, width):
        here, after = slice(k, k + width), slice(k + width, n)
        np.matmul(a[here], b[:, k:], out=out[here, k:])
        out[after, here] = out[here, after].T
    return out


def _choose(out: Array, mask: Array, other: Any) -> None:
    """Leaves `out` where the mask is set and puts `other` elsewhere: on the bits, since a branch for each
    element costs most where the mask has no pattern, and 0 times an infinity is a NaN."""
    kind = f"i{out.itemsize}"
    bits = out.view(kind)
    if np.isscalar(other) and other == 0:
        np.multiply(bits, mask, out=bits)
        return
    others = np.asarray(other, out.dtype).view(kind)
    np.bitwise_xor(bits, others, out=bits)
    np.multiply(bits, mask, out=bits)
    np.bitwise_xor(bits, others, out=bits)


def _masked(values: Array, mask: Array, out: Array) -> Array:
    """The values where the mask is set and 0 elsewhere: on the bits, since 0 times an infinity is a NaN."""
    kind = f"i{out.itemsize}"
    np.multiply(values.view(kind), mask, out=out.view(kind))
    return out


def _where(mask: Array, a: Any, b: Any) -> Array:
    """np.where(mask, a, b); of large arrays bit by bit, since a branch for each element costs most where the
    mask has no pattern."""
    if mask.size < 4096:
        return np.asarray(np.where(mask, a, b))
    bits = np.dtype(f"i{np.dtype(DTYPE).itemsize}")
    chosen = -mask.astype(bits)  # all bits or none
    value = np.asarray(a, DTYPE).view(bits) & chosen
    if not np.isscalar(b) or b != 0:
        value = value | (np.asarray(b, DTYPE).view(bits) & ~chosen)
    return np.asarray(value.view(DTYPE))


def _add_rows(target: Array, rows: Array, values: Array, count_up: Array, at: Array, ordered: Array) -> None:
    """target[r] = the sum of the values whose row is r. Where most rows repeat they are sorted first, beside
    their positions (`count_up` is 0, 1, 2, …), so that each sum is made in one go; `at` and `ordered` have
    room for that."""
    rows, values, sums = rows.reshape(-1), values.reshape(rows.size, -1), target.reshape(len(target), -1)
    count = rows.size
    if 2 * len(sums) > count:
        sums.fill(0)
        for k in range(values.shape[1]):
            np.add.at(sums[:, k], rows, values[:, k])
        return
    np.multiply(rows, count, out=at)
    np.add(at, count_up, out=at)
    at.sort()
    np.remainder(at, count, out=at)
    np.take(values, at, 0, out=ordered.reshape(values.shape), mode="clip")
    # What `at` held is read: here follow where each row's values start, and which rows have none.
    starts, absent = at[: len(sums)], at[len(sums) :].view(bool)[: len(sums)]
    starts.fill(0)
    np.add.at(starts, rows, 1)
    np.equal(starts, 0, out=absent)
    np.cumsum(starts, out=starts)
    starts[1:], starts[0] = starts[:-1], 0
    here = slice(0, int(rows.max()) + 1)  # rows behind the last one would start behind all values
    np.add.reduceat(ordered.reshape(values.shape), starts[here], axis=0, out=sums[here])
    np.copyto(sums, 0, where=absent[:, None])


def _windows(x: Array, shape: tuple[int, ...], axes: tuple[int, ...], steps: tuple[int, ...] = ()) -> Array:
    """The view of this shape whose k-th index moves along the axis `axes[k]` of x, by `steps[k]` elements
    (by 1 if not given): several indices along one axis are windows."""
    strides = [x.strides[axis] * step for axis, step in zip(axes, steps or (1,) * len(axes), strict=True)]
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def _inverse(a: Array) -> Array:
    """The inverse; not a number where a matrix is singular, so that a step says which."""
    try:
        return np.asarray(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        return np.full_like(a, np.nan)


def _solve(a: Array, b: Array) -> Array:
    """The x with a @ x = b; not a number where a matrix is singular, so that a step says which."""
    try:
        return np.asarray(np.linalg.solve(a, b))
    except np.linalg.LinAlgError:
        return np.asarray(np.nan * (a @ b))


def _solve_triangular(a: Array, b: Array, *, lower: bool) -> Array:
    """The x with a @ x = b for a triangular a: block by block along its diagonal, forwards if a is lower."""
    vector = b.ndim == 1
    x = np.array(b[:, None] if vector else b)
    starts = range(0, a.shape[-1], 64)
    for k in starts if lower else reversed(starts):
        here, done = slice(k, k + 64), slice(0, k) if lower else slice(k + 64, None)
        rest = x[..., here, :] - a[..., here, done] @ x[..., done, :]
        x[..., here, :] = _solve(a[..., here, here], rest)
    return x[:, 0] if vector else x


def _cholesky(a: Array) -> Array:
    """The lower Cholesky factor of the symmetric part of a; not a number where that has none."""
    try:
        return np.asarray(np.linalg.cholesky((a + a.swapaxes(-1, -2)) / 2), DTYPE)
    except np.linalg.LinAlgError:
        return np.full_like(a, np.nan)


def _cofactors(a: Array) -> Array:
    """The derivative of the determinant: of singular matrices, too, by products of all singular values but
    one; not a number where a matrix is not finite."""
    try:
        u, s, v = np.linalg.svd(a)
    except np.linalg.LinAlgError:
        return np.full_like(a, np.nan)
    others = np.ones_like(s)
    others[..., 1:] *= np.cumprod(s, -1)[..., :-1]
    others[..., :-1] *= np.cumprod(s[..., ::-1], -1)[..., -2::-1]
    sign = np.sign(np.linalg.det(u) * np.linalg.det(v))
    return np.asarray((u * (others * sign[..., None])[..., None, :]) @ v)


def _eigenvalues(a: Array) -> Array:
    """Those of the symmetric part, from the smallest; not a number where a matrix is not finite."""
    try:
        return np.asarray(np.linalg.eigvalsh((a + a.swapaxes(-1, -2)) / 2), DTYPE)
    except np.linalg.LinAlgError:
        return np.full(a.shape[:-1], np.nan, DTYPE)


def _eigenvectors(a: Array) -> Array:
    """One in each column; not a number where a matrix is not finite."""
    try:
        return np.asarray(np.linalg.eigh((a + a.swapaxes(-1, -2)) / 2)[1], DTYPE)
    except np.linalg.LinAlgError:
        return np.full_like(a, np.nan)


def _singular_values(a: Array, count: int) -> Array:
    """From the largest; zeros where there are fewer than `count`."""
    return _singular(a, count)[1][..., 0, :]


def _left_vectors(a: Array, count: int) -> Array:
    """One in each column, in the order of the singular values."""
    return _singular(a, count)[0]


def _right_vectors(a: Array, count: int) -> Array:
    """As the left ones."""
    return _singular(a, count)[2]


def _singular(a: Array, count: int) -> tuple[Array, Array, Array]:
    """Left vectors, singular values as a row, and right vectors, `count` of each; not a number where a matrix
    is not finite."""
    m, n = a.shape[-2:]
    try:
        u, s, v = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        u, s, v = (
            np.full((*a.shape[:-2], *end), np.nan) for end in ((m, min(m, n)), (min(m, n),), (min(m, n), n))
        )
    kept = min(m, n, count)
    found = []
    for rows, part in ((m, u), (1, s[..., None, :]), (n, v.swapaxes(-1, -2))):
        whole = np.zeros((*a.shape[:-2], rows, count), DTYPE)
        whole[..., :kept] = part[..., :kept]
        found.append(whole)
    return found[0], found[1], found[2]


def _argsort(a: Array) -> Array:
    """The places along the last axis from the smallest, equal elements as they stand."""
    return np.argsort(a, -1, kind="stable")
