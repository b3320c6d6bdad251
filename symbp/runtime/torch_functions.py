# mypy: disable-error-code="no-untyped-def, no-untyped-call, type-arg, assignment"
"""Small functions of PyTorch's tensors that a module takes along whole, those that it calls and no others.

Enters: tensors. Leaves: tensors. Must not know: where they are called. They read as in the module, which
imports `math` and `torch`; no gradient stands here.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def log(u):
    """The logarithm; of 0 it is -inf, which nothing rests on: no slope."""
    zero = u == 0
    return torch.where(zero, -math.inf, torch.log(torch.where(zero, 1.0, u)))


def gamma(u):
    """The gamma function, reflected below 1/2."""
    low = u < 0.5
    up = torch.exp(torch.lgamma(torch.where(low, 1 - u, u)))
    return torch.where(low, math.pi / (torch.sin(math.pi * torch.where(low, u, 0.5)) * up), up)


def trigamma(u):
    """The derivative of digamma."""
    return torch.polygamma(1, u)


def pad(x, borders):
    """x with a border of zeros before and behind each axis."""
    return torch.nn.functional.pad(x, [n for border in reversed(borders) for n in border])


def sliding_window_view(x, sizes, axes):
    """The windows along some axes, whose own axes stand last."""
    sizes, axes = (a if isinstance(a, tuple) else (a,) for a in (sizes, axes))
    for size, axis in zip(sizes, axes, strict=False):
        x = x.unfold(axis, size, 1)
    return x


def rows_of(u, axes=None):
    """The axes given flat behind the others, and these."""
    axes = range(u.ndim) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    axes = [axis % u.ndim for axis in axes]
    kept = [axis for axis in range(u.ndim) if axis not in axes]
    shape = [u.shape[axis] for axis in kept]
    return u.permute(*kept, *axes).reshape(*shape, math.prod(u.shape[axis] for axis in axes)), kept


def largest(u, axes=None, keepdims=False):
    """The first maximum along axes."""
    rows, kept = rows_of(u, axes)
    found = rows.gather(-1, rows.argmax(-1, keepdim=True)).squeeze(-1)
    return found.reshape([n if k in kept else 1 for k, n in enumerate(u.shape)]) if keepdims else found


def product(u, axes=None):
    """The product along axes."""
    return rows_of(u, axes)[0].prod(-1)


def taken(x, first, *places, outside=0):
    """x at places along its axes from the `first` on, and `outside` where these lie outside of x."""
    inside, safe = torch.tensor(True), [slice(None)] * first
    for k, n in zip(map(torch.as_tensor, places), x.shape[first:], strict=False):
        inside = inside & (k >= 0) & (k < n)
        safe.append(k.clamp(0, n - 1))
    inside = inside.reshape(inside.shape + (1,) * (x.ndim - len(safe)))
    return torch.where(inside, x[tuple(safe)], outside)


def first_maximum(u, count, component):
    """One subscript of the first maximum over the last `count` axes."""
    shape = u.shape[u.ndim - count :]
    place = rows_of(u, tuple(range(u.ndim - count, u.ndim)))[0].argmax(-1)
    return place // math.prod(shape[component + 1 :]) % shape[component]


def first_maximum_where(u, count, component, where=True):
    """The place of the first maximum over the last `count` axes: flat, or along one of them; -1 if none."""
    shape, axes = u.shape[u.ndim - count :], tuple(range(u.ndim - count, u.ndim))
    where = rows_of(torch.broadcast_to(torch.as_tensor(where), u.shape), axes)[0]
    u = torch.where(where, rows_of(u, axes)[0], -math.inf)
    place = torch.where(u.amax(-1) == -math.inf, where.long().argmax(-1), u.argmax(-1))
    if component is not None:
        place = place // math.prod(shape[component + 1 :]) % shape[component]
    return torch.where(where.any(-1), place, -1)


def argsort(u):
    """The places of elements from the smallest, equal ones as they stand."""
    return torch.argsort(u, dim=-1, stable=True)


def symmetric(a):
    """The symmetric part of matrices."""
    return (a + a.mT) / 2


def logdet(a):
    """log |det a|."""
    return torch.linalg.slogdet(a)[1]


def cholesky(a):
    """The lower factor of the symmetric part."""
    return torch.linalg.cholesky(symmetric(a))


def cofactors(a):
    """Of each element the determinant of what is left without its row and column, with its sign."""
    return torch.linalg.det(a)[..., None, None] * torch.linalg.inv(a).mT


def eigenvalues(a):
    """Those of the symmetric part, from the smallest."""
    return torch.linalg.eigvalsh(symmetric(a))


def eigenvectors(a):
    """Those of the symmetric part, in columns."""
    return torch.linalg.eigh(symmetric(a))[1]


def fitted(u, count):
    """As many entries of the last axis, zeros behind the last one there is."""
    return torch.nn.functional.pad(u, [0, max(0, count - u.shape[-1])])[..., :count]


def singular_values(a, count):
    """From the largest."""
    return fitted(torch.linalg.svdvals(a), count)


def left_vectors(a, count):
    """In columns, in the order of the singular values."""
    return fitted(torch.linalg.svd(a, full_matrices=False)[0], count)


def right_vectors(a, count):
    """In columns, in the order of the singular values."""
    return fitted(torch.linalg.svd(a, full_matrices=False)[2].mT, count)
