"""A mixture of Gaussians as ADBench and GradBench define it, with a Wishart prior on the precisions.

Each precision is QᵀQ with a lower triangular Q: exp(q) on its diagonal, l below it, column by column (Srajer,
Kukelova and Fitzgibbon 2018, A benchmark of selected algorithmic differentiation tools, section 4.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

import symbp as bp


def below_diagonal(size: int) -> np.ndarray[Any, Any]:
    """At [r, c] with c < r the place of that entry of Q among those of l."""
    place = np.zeros((size, size), dtype=np.int64)
    columns, rows = np.triu_indices(size, 1)
    place[rows, columns] = np.arange(rows.size)
    return place


def gaussian_mixture(*, prior_sign: int) -> bp.Network:
    """The log-likelihood of x, plus or minus the logarithm of the prior.

    x (N, D), alpha (K), mu (K, D), q (K, D), l (K, E) with E = D·(D − 1)/2; `at` (D, D) are the places of
    `below_diagonal`, gamma and m the prior's parameters.
    """
    N, D, K, E = bp.dims("N D K E")
    n, k, r, c = bp.indices("n k r c")
    x, at = bp.input("x", (N, D)), bp.tokens("at", (D, D), vocabulary=E)
    alpha, mu = bp.param("alpha", (K,)), bp.param("mu", (K, D))
    q, l = bp.param("q", (K, D)), bp.param("l", (K, E))  # noqa: E741
    gamma, m = bp.input("gamma", ()), bp.input("m", ())
    away = bp.define("away", [n, k, r], x[n, r] - mu[k, r])
    below = bp.define("below", [n, k, r], bp.Sum(l[k, at[r, c]] * away[n, k, c], c, where=c < r))
    y = bp.define("y", [n, k, r], bp.exp(q[k, r]) * away[n, k, r] + below[n, k, r])
    total = bp.define("total", [k], bp.Sum(q[k, r], r))
    inner = bp.define("inner", [n, k], alpha[k] + total[k] - bp.Sum(y[n, k, r] ** 2, r) / 2)
    fits = bp.logsumexp(inner, axis=1) - bp.logsumexp(alpha)
    likelihood = bp.define("likelihood", [], bp.Sum(fits[n] - D * bp.log(2 * sympy.pi) / 2, n))
    return bp.Network("mixture", loss=likelihood + prior_sign * log_prior(q, l, gamma, m))


def log_prior(q: bp.Tensor, l: bp.Tensor, gamma: bp.Tensor, m: bp.Tensor) -> bp.Tensor:  # noqa: E741
    """The logarithm of Wishart's density of all precisions, up to terms that ADBench leaves out."""
    k, r, e = bp.indices("k r e")
    K, D = q.shape
    squares = bp.Sum(bp.exp(q[k, r]) ** 2, k, r) + bp.Sum(l[k, e] ** 2, k, e)
    spread = bp.define("spread", [], gamma[()] ** 2 / 2 * squares - m[()] * bp.Sum(q[k, r], k, r))
    degrees = m[()] + D + 1
    gammas = bp.define("gammas", [], bp.Sum(bp.loggamma((degrees - r) / 2), r), ranges={r: D})
    whole = degrees * D * (bp.log(gamma[()]) - bp.log(2) / 2) - D * (D - 1) * bp.log(sympy.pi) / 4
    return bp.define("prior", [], spread[()] - K * (whole - gammas[()]))
