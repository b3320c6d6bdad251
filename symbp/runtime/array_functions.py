# mypy: disable-error-code="no-untyped-def, no-untyped-call, type-arg, assignment"
"""Small functions of arrays that a module takes along whole, those that it calls and no others.

Enters: arrays. Leaves: arrays. Must not know: where they are called. They read as in the module: NumPy and
`math` are all that they know beside each other.
"""

import math

import numpy as np


def long_enough(*lengths):
    """Refuses data that are shorter than what is read of them; a slice would take fewer elements."""
    if min(lengths) < 1:
        raise ValueError("an axis of the data is too short for what is read from it")


def softmax(u, axis=-1):
    """exp(u) over its sum along an axis, without overflow; 0 where a row is nothing but -inf."""
    e = np.exp(u - np.maximum(u.max(axis, keepdims=True), -1e308))
    return e / np.maximum(e.sum(axis, keepdims=True), 1e-308)


def log_softmax(u, axis=-1):
    """The logarithm of softmax, without overflow."""
    return u - np.expand_dims(np.logaddexp.reduce(u, axis), axis)


def sigmoid(u):
    """1 / (1 + exp(-u)), without overflow."""
    return np.exp(-np.logaddexp(0, -u))


def softplus(u):
    """log(1 + exp(u)), without overflow."""
    return np.logaddexp(0, u)


def erf(u):
    """The error function."""
    return np.vectorize(math.erf, otypes=[float])(u)


def erfc(u):
    """1 - erf(u)."""
    return np.vectorize(math.erfc, otypes=[float])(u)


def loggamma(u):
    """The logarithm of the gamma function."""
    return np.vectorize(math.lgamma, otypes=[float])(u)


def gamma(u):
    """The gamma function."""
    return np.vectorize(math.gamma, otypes=[float])(u)


def digamma(u):
    """The derivative of loggamma: by recurrence up to where Stirling's series holds; reflected below 1/2."""
    low = u < 0.5
    u, found = np.where(low, 1 - u, u) * 1.0, 0
    for _ in range(12):
        found, u = found - 1 / u, u + 1
    s = 1 / u**2
    found += np.log(u) - 1 / (2 * u)
    found -= s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - s * 691 / 32760)))))
    return np.where(low, found + math.pi / np.tan(math.pi * np.where(low, u - 12, 0.5)), found)


def trigamma(u):
    """The derivative of digamma, in the same way."""
    low = u < 0.5
    u, found = np.where(low, 1 - u, u) * 1.0, 0
    for _ in range(12):
        found, u = found + 1 / u**2, u + 1
    s = 1 / u**2
    found += 1 / u + s / 2
    found += s / u * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * (5 / 66 - s * 691 / 2730)))))
    return np.where(low, (math.pi / np.sin(math.pi * np.where(low, u - 12, 0.5))) ** 2 - found, found)


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = True, [slice(None)] * first
    for k, n in zip(places, x.shape[first:], strict=False):
        inside = inside & (k >= 0) & (k < n)
        safe.append(np.clip(k, 0, max(n - 1, 0)))
    if not x.size:  # something to read, where nothing is inside
        places = slice(first, len(safe))
        shape = (*x.shape[:first], *np.maximum(x.shape[places], 1), *x.shape[len(safe) :])
        x = np.zeros(shape, x.dtype)
    inside = np.reshape(inside, np.shape(inside) + (1,) * (x.ndim - len(safe)))
    return np.where(inside, x[tuple(safe)], outside)


def first_maximum(u, count, component):
    """One subscript of the first maximum over the last `count` axes."""
    batch, shape = u.shape[: u.ndim - count], u.shape[u.ndim - count :]
    return np.unravel_index(u.reshape(*batch, -1).argmax(-1), shape)[component]


def first_maximum_where(u, count, component, where=True):
    """The place of the first maximum over the last `count` axes: flat, or along one of them; -1 if none."""
    batch, shape = u.shape[: u.ndim - count], u.shape[u.ndim - count :]
    where = np.broadcast_to(where, u.shape).reshape(*batch, math.prod(shape))
    if not where.size:
        return np.full(batch, -1)
    u = np.where(where, u.reshape(where.shape), -np.inf)
    first = np.where(u.max(-1) == -np.inf, where.argmax(-1), u.argmax(-1))
    place = first if component is None else np.unravel_index(first, shape)[component]
    return np.where(where.any(-1), place, -1)


def symmetric(a):
    """The symmetric part of matrices."""
    return (a + a.swapaxes(-1, -2)) / 2


def logdet(a):
    """log |det a|."""
    return np.linalg.slogdet(a)[1]


def cholesky(a):
    """The lower factor of the symmetric part."""
    return np.linalg.cholesky(symmetric(a))


def cofactors(a):
    """Of each element the determinant of what is left without its row and column, with its sign."""
    n, found = a.shape[-1], np.ones_like(a)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(a, i, -2), j, -1)
            found[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return found


def argsort(u):
    """The places of elements from the smallest, equal ones as they stand."""
    return np.argsort(u, axis=-1, kind="stable")


def eigenvalues(a):
    """Those of the symmetric part, from the smallest."""
    return np.linalg.eigvalsh(symmetric(a))


def eigenvectors(a):
    """Those of the symmetric part, in columns."""
    return np.linalg.eigh(symmetric(a))[1]


def padded(u, count):
    """As many entries of the last axis, zeros behind the last one there is."""
    missing = [(0, 0)] * (u.ndim - 1) + [(0, max(0, count - u.shape[-1]))]
    return np.pad(u, missing)[..., :count]


def singular_values(a, count):
    """From the largest."""
    return padded(np.linalg.svd(a, compute_uv=False), count)


def left_vectors(a, count):
    """In columns, in the order of the singular values."""
    return padded(np.linalg.svd(a, full_matrices=False)[0], count)


def right_vectors(a, count):
    """In columns, in the order of the singular values."""
    return padded(np.linalg.svd(a, full_matrices=False)[2].swapaxes(-1, -2), count)
