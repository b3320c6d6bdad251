# mypy: disable-error-code="no-untyped-def, no-untyped-call, type-arg, assignment"
"""Small functions of JAX's arrays that a module takes along whole, those that it calls and no others.

Enters: arrays. Leaves: arrays. Must not know: where they are called. They read as in the module, which
imports `math`, `jax` and `jax.numpy` as `jnp`; no gradient stands here.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp


def log(u):
    """The logarithm; of 0 it is -inf, which nothing rests on: no slope."""
    zero = u == 0
    return jnp.where(zero, -math.inf, jnp.log(jnp.where(zero, 1.0, u)))


def trigamma(u):
    """The derivative of digamma."""
    return jax.scipy.special.polygamma(1, u)


def sliding_window_view(x, sizes, axes):
    """The windows along some axes, whose own axes stand last."""
    sizes, axes = (a if isinstance(a, tuple) else (a,) for a in (sizes, axes))
    for size, axis in zip(sizes, axes, strict=False):
        places = jnp.arange(x.shape[axis] - size + 1)[:, None] + jnp.arange(size)
        x = jnp.moveaxis(jnp.take(x, places, axis), axis + 1, -1)
    return x


def rows_of(u, axes=None):
    """The axes given flat behind the others, and these."""
    axes = range(u.ndim) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    axes = [axis % u.ndim for axis in axes]
    kept = [axis for axis in range(u.ndim) if axis not in axes]
    shape = [u.shape[axis] for axis in kept]
    return u.transpose(*kept, *axes).reshape(*shape, math.prod(u.shape[axis] for axis in axes)), kept


def largest(u, axes=None, keepdims=False):
    """The first maximum along axes."""
    rows, kept = rows_of(u, axes)
    found = jnp.take_along_axis(rows, rows.argmax(-1, keepdims=True), -1)[..., 0]
    return found.reshape([n if k in kept else 1 for k, n in enumerate(u.shape)]) if keepdims else found


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = True, [slice(None)] * first
    for k, n in zip(places, x.shape[first:], strict=False):
        inside = inside & (k >= 0) & (k < n)
        safe.append(jnp.clip(k, 0, n - 1))
    inside = jnp.reshape(inside, jnp.shape(inside) + (1,) * (x.ndim - len(safe)))
    return jnp.where(inside, x[tuple(safe)], outside)


def first_maximum(u, count, component):
    """One subscript of the first maximum over the last `count` axes."""
    shape = u.shape[u.ndim - count :]
    place = rows_of(u, tuple(range(u.ndim - count, u.ndim)))[0].argmax(-1)
    return place // math.prod(shape[component + 1 :]) % shape[component]


def first_maximum_where(u, count, component, where=True):
    """The place of the first maximum over the last `count` axes: flat, or along one of them; -1 if none."""
    shape, axes = u.shape[u.ndim - count :], tuple(range(u.ndim - count, u.ndim))
    where = rows_of(jnp.broadcast_to(where, u.shape), axes)[0]
    u = jnp.where(where, rows_of(u, axes)[0], -math.inf)
    place = jnp.where(u.max(-1) == -math.inf, where.argmax(-1), u.argmax(-1))
    if component is not None:
        place = place // math.prod(shape[component + 1 :]) % shape[component]
    return jnp.where(where.any(-1), place, -1)


def argsort(u):
    """The places of elements from the smallest, equal ones as they stand."""
    return jnp.argsort(u, axis=-1, stable=True)


def symmetric(a):
    """The symmetric part of matrices."""
    return (a + a.swapaxes(-1, -2)) / 2


def logdet(a):
    """log |det a|."""
    return jnp.linalg.slogdet(a)[1]


def cholesky(a):
    """The lower factor of the symmetric part."""
    return jnp.linalg.cholesky(symmetric(a))


def cofactors(a):
    """Of each element the determinant of what is left without its row and column, with its sign."""
    return jnp.linalg.det(a)[..., None, None] * jnp.linalg.inv(a).swapaxes(-1, -2)


def eigenvalues(a):
    """Those of the symmetric part, from the smallest."""
    return jnp.linalg.eigvalsh(symmetric(a))


def eigenvectors(a):
    """Those of the symmetric part, in columns."""
    return jnp.linalg.eigh(symmetric(a))[1]


def fitted(u, count):
    """As many entries of the last axis, zeros behind the last one there is."""
    missing = [(0, 0)] * (u.ndim - 1) + [(0, max(0, count - u.shape[-1]))]
    return jnp.pad(u, missing)[..., :count]


def singular_values(a, count):
    """From the largest."""
    return fitted(jnp.linalg.svd(a, compute_uv=False), count)


def left_vectors(a, count):
    """In columns, in the order of the singular values."""
    return fitted(jnp.linalg.svd(a, full_matrices=False)[0], count)


def right_vectors(a, count):
    """In columns, in the order of the singular values."""
    return fitted(jnp.linalg.svd(a, full_matrices=False)[2].swapaxes(-1, -2), count)
