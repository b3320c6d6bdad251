# mypy: disable-error-code="no-untyped-def, no-untyped-call, type-arg, assignment"
"""Small functions of TensorFlow's tensors that a module takes along whole, those that it calls and no others.

Enters: tensors. Leaves: tensors. Must not know: where they are called. They read as in the module, which
imports `math` and `tensorflow` as `tf`; no gradient stands here.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def log(u):
    """The logarithm; of 0 it is -inf, which nothing rests on: no slope."""
    zero = u == 0
    one, low = tf.ones_like(u), tf.fill(u.shape, tf.constant(-math.inf, u.dtype))
    return tf.where(zero, low, tf.math.log(tf.where(zero, one, u)))


def gamma(u):
    """The gamma function, reflected below 1/2."""
    low, half = u < 0.5, tf.constant(0.5, u.dtype)
    up = tf.exp(tf.math.lgamma(tf.where(low, 1 - u, u)))
    return tf.where(low, math.pi / (tf.sin(math.pi * tf.where(low, u, half)) * up), up)


def trigamma(u):
    """The derivative of digamma."""
    return tf.math.polygamma(tf.ones_like(u), u)


def matmul(a, b):
    """a @ b, of vectors, too."""
    if len(a.shape) > 1 and len(b.shape) > 1:
        return tf.matmul(a, b)
    if len(a.shape) == 1:
        return tf.tensordot(a, b, [[0], [max(len(b.shape) - 2, 0)]])
    return tf.tensordot(a, b, [[-1], [0]])


def elements(x, first, *places):
    """x at places along its axes from the `first` on."""
    shape, flat = list(x.shape), 0
    last = first + len(places)
    for k, n in zip(places, shape[first:last], strict=False):
        flat = flat * n + k
    rows = tf.reshape(x, [*shape[:first], math.prod(shape[first:last]), *shape[last:]])
    return tf.gather(rows, flat, axis=first)


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = tf.constant(True), []
    for k, n in zip(places, x.shape[first:], strict=False):
        k = tf.cast(k, tf.int64)
        inside = inside & (k >= 0) & (k < n)
        safe.append(tf.clip_by_value(k, 0, n - 1))
    inside = tf.reshape(inside, [*inside.shape, *([1] * (len(x.shape) - first - len(safe)))])
    outside = tf.cast(outside, x.dtype) if tf.is_tensor(outside) else tf.constant(outside, x.dtype)
    return tf.where(inside, elements(x, first, *safe), outside)


def sliding_window_view(x, sizes, axes):
    """The windows along some axes, whose own axes stand last."""
    sizes, axes = (a if isinstance(a, tuple) else (a,) for a in (sizes, axes))
    for size, axis in zip(sizes, axes, strict=False):
        places = tf.range(x.shape[axis] - size + 1)[:, None] + tf.range(size)
        x = tf.gather(x, places, axis=axis)
        order = [k for k in range(len(x.shape)) if k != axis + 1]
        x = tf.transpose(x, [*order, axis + 1])
    return x


def rows_of(u, axes=None):
    """The axes given flat behind the others, and these."""
    rank = len(u.shape)
    axes = range(rank) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    axes = [axis % rank for axis in axes]
    kept = [axis for axis in range(rank) if axis not in axes]
    shape = [u.shape[axis] for axis in kept]
    return tf.reshape(tf.transpose(u, [*kept, *axes]), [*shape, math.prod(u.shape[k] for k in axes)]), kept


def largest(u, axes=None, keepdims=False):
    """The first maximum along axes."""
    rows, kept = rows_of(u, axes)
    found = tf.gather(rows, tf.argmax(rows, -1), axis=-1, batch_dims=len(rows.shape) - 1)
    return tf.reshape(found, [n if k in kept else 1 for k, n in enumerate(u.shape)]) if keepdims else found


def first_maximum(u, count, component):
    """One subscript of the first maximum over the last `count` axes."""
    shape = u.shape[len(u.shape) - count :]
    place = tf.argmax(rows_of(u, tuple(range(-count, 0)))[0], -1)
    return place // math.prod(shape[component + 1 :]) % shape[component]


def first_maximum_where(u, count, component, where=True):
    """The place of the first maximum over the last `count` axes: flat, or along one of them; -1 if none."""
    shape, axes = u.shape[len(u.shape) - count :], tuple(range(-count, 0))
    where = rows_of(tf.broadcast_to(where, u.shape), axes)[0]
    rows = rows_of(u, axes)[0]
    u = tf.where(where, rows, tf.fill(rows.shape, tf.constant(-math.inf, rows.dtype)))
    low, chosen = tf.reduce_max(u, -1) == -math.inf, tf.argmax(tf.cast(where, tf.int64), -1)
    place = tf.where(low, chosen, tf.argmax(u, -1))
    if component is not None:
        place = place // math.prod(shape[component + 1 :]) % shape[component]
    return tf.where(tf.reduce_any(where, -1), place, -tf.ones_like(place))


def argsort(u):
    """The places of elements from the smallest, equal ones as they stand."""
    return tf.cast(tf.argsort(u, axis=-1, stable=True), tf.int64)


def symmetric(a):
    """The symmetric part of matrices."""
    return (a + tf.linalg.matrix_transpose(a)) / 2


def logdet(a):
    """log |det a|."""
    return tf.linalg.slogdet(a)[1]


def cholesky(a):
    """The lower factor of the symmetric part."""
    return tf.linalg.cholesky(symmetric(a))


def cofactors(a):
    """Of each element the determinant of what is left without its row and column, with its sign."""
    return tf.linalg.det(a)[..., None, None] * tf.linalg.matrix_transpose(tf.linalg.inv(a))


def eigenvalues(a):
    """Those of the symmetric part, from the smallest."""
    return tf.linalg.eigvalsh(symmetric(a))


def eigenvectors(a):
    """Those of the symmetric part, in columns."""
    return tf.linalg.eigh(symmetric(a))[1]


def fitted(u, count):
    """As many entries of the last axis, zeros behind the last one there is."""
    missing = [(0, 0)] * (len(u.shape) - 1) + [(0, max(0, count - u.shape[-1]))]
    return tf.pad(u, missing)[..., :count]


def singular_values(a, count):
    """From the largest."""
    return fitted(tf.linalg.svd(a, compute_uv=False), count)


def left_vectors(a, count):
    """In columns, in the order of the singular values."""
    return fitted(tf.linalg.svd(a, full_matrices=False)[1], count)


def right_vectors(a, count):
    """In columns, in the order of the singular values."""
    return fitted(tf.linalg.svd(a, full_matrices=False)[2], count)
