"""Connectionist temporal classification (Graves et al. 2006) in the log domain, with blanks and lengths."""

import numpy as np
import sympy
from sympy import exp, log

from symbp.ir.build import SystemBuilder, indices, sizes, where
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.system import Role

N, T, V, S = sizes("N T V S")
n, t, v, s, k = indices("n t v s k")
STATES = 2 * S + 1


def ctc():
    """State s of the extended labels is the blank 0 where s is even, else label (s − 1)/2; a path stays
    (k = 0), goes on by one (k = 1), or skips a blank between different labels (k = 2). The state before the
    first step is state 0 with probability 1."""
    b = SystemBuilder()
    x = b.leaf("x", N, T, V)
    label = b.leaf("label", N, S, integer=True, role=Role.TARGET)
    steps, letters = (b.leaf(name, N, integer=True, role=Role.TARGET) for name in ("steps", "letters"))
    over = {n: N, t: T, s: STATES, k: 3}

    peak = b.define("peak", [n, t], x(n, t, v), "max", [v], constant=True)
    total = b.define("total", [n, t], exp(x(n, t, v) - peak(n, t)), "sum", [v])
    lp = b.define("lp", [n, t, v], x(n, t, v) - peak(n, t) - log(total(n, t)))

    odd = Guard("=", Mod(s, 2), 1)
    b.declare("state", N, STATES, integer=True)
    state = b.define("state", [n, s], odd * label(n, FloorDiv(s, 2)), ranges=over)
    start = Guard("!=", s, k) * -sympy.oo
    alpha = b.declare("alpha", N, T, STATES)
    path = b.define("path", [n, t, s, k], alpha(n, t - 1, s - k, outside=start), ranges=over)
    skips = Guard("!=", state(n, s), 0) * Guard("!=", state(n, s), state(n, s - 2, outside=0))
    allowed = Guard("<=", k, 1) + Guard("=", k, 2) * skips
    chosen = [Guard("<", 0, allowed)]
    best = b.define("best", [n, t, s], path(n, t, s, k), "max", [k], where=chosen, constant=True)
    reached = Guard("<", -sympy.oo, best(n, t, s))
    weight = b.define(
        "weight", [n, t, s], allowed * reached * exp(path(n, t, s, k) - best(n, t, s)), "sum", [k]
    )
    b.define(
        "alpha",
        [n, t, s],
        where(reached, lp(n, t, state(n, s)) + best(n, t, s) + log(weight(n, t, s)), -sympy.oo),
    )
    last = alpha(n, steps(n) - 1, 2 * letters(n) - k)
    end = b.define("end", [n], last, "max", [k], ranges={n: N, k: 2}, constant=True)
    tail = b.define("tail", [n], exp(last - end(n)), "sum", [k], ranges={n: N, k: 2})
    nll = b.define("nll", [n], -end(n) - log(tail(n)))
    b.define("loss", [], nll(n) * (n + 1), "sum", [n])
    return b.system("loss")


def test_ctc_over_blanks_repeated_labels_and_lengths(probe):
    """PyTorch's own CTC has no double backward, so second derivatives rest on the complex step."""
    rng = np.random.default_rng(10)
    values = {
        "x": rng.normal(size=(3, 6, 4)) * 2,
        "label": np.array([[1, 1, 3], [2, 3, 2], [3, 0, 0]]),
        "steps": np.array([6, 5, 3]),
        "letters": np.array([3, 3, 1]),
    }

    def torch_loss(x, label, steps, letters):
        import torch
        import torch.nn.functional as functional

        each = functional.ctc_loss(
            x.log_softmax(-1).transpose(0, 1), label, steps, letters, blank=0, reduction="none"
        )
        return (each * torch.arange(1, 4)).sum()

    checked = probe(ctc(), values, {"N": 3, "T": 6, "V": 4, "S": 3}, ["x"], torch_loss, second=False)
    assert not checked.gradients["x"][2, 3:].any()
