"""L-BFGS: steps along an inverse Hessian that the last changes of the gradient tell of.

Enters: hyperparameters. Leaves: `symbp.ir.training.UpdateRule`. Must not know: networks, derivatives.
The equations and their conventions are PyTorch's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, Unpack

import sympy

from symbp.errors import UsageError
from symbp.ir.build import where
from symbp.ir.expr import Access, Guard, Size
from symbp.ir.training import THETA, UpdateRule
from symbp.optim.forms import ENTRY
from symbp.optim.rule import HISTORY, Options, Rule, magnitude, positive

CURVED, SLOPED = sympy.Rational(1, 10**10), sympy.Rational(1, 10**9)  # PyTorch's least y·s and slope


def LBFGS(
    lr: float = 1.0,
    *,
    history: int = 10,
    line_search: Literal["strong_wolfe"] | None = None,
    weight_decay: float = 0.0,
    **more: Unpack[Options],
) -> UpdateRule:
    """d = −H·g, θ ← θ + lr·d, where H is known from the last `history` steps s and changes y of the gradient
    by two loops over them (Nocedal 1980; Liu and Nocedal 1989, algorithm 2.1), which start from s·y/y·y;
    the first step is at most lr long, in the sum of sizes. For all examples in one batch: between batches the
    gradient changes for another reason. PyTorch's LBFGS with `max_iter` 1.

    With `line_search` "strong_wolfe" the step is the first trial of a search for a length at which the loss
    has fallen by enough and is flat enough (Nocedal and Wright 2006, algorithms 3.5 and 3.6), which takes the
    loss and its gradient at some more points, 25 at most.

    A pair counts if s·y is above 1e-10, and a step is made if g·d is below −1e-9. Raises UsageError: lr not
    positive, a history that is no positive integer, groups, accumulated gradients, max_norm, and with a
    search what changes the gradient.
    """
    positive(lr=lr)
    _refuse(history, line_search, weight_decay, more)
    shapes = {"s": (HISTORY, ENTRY), "y": (HISTORY, ENTRY), "rho": (HISTORY,)}
    moments = ("change", "g_before", "s", "y", "rho")
    rule = Rule("LBFGS", {"lr": lr}, *moments, weight_decay=weight_decay, shapes=shapes, **more)
    rule.settings |= {"history": history, **({"line_search": line_search} if line_search else {})}
    rule.bind(H=history)
    g, direction = rule.gradient, _direction(rule, *_pairs(rule))
    size = rule.summed("g_size", [], magnitude(g), [ENTRY], "Σ|g|")
    slope = rule.summed("slope", [], g * direction, [ENTRY], "g·d")
    short = where(Guard("<", 1, size), rule.lr / size, rule.lr)
    rate = rule.scalar("rate_now", where(Guard("<", rule.step, 2), short, rule.lr), "at first a short step")
    length = rule.scalar("length", where(Guard("<", slope, -SLOPED), rate, 0), "how far")
    rule.next("g_before", g, "gradient of this step")
    change = rule.next("change", length * direction, "step")
    rule.next(THETA, rule.theta + change, "step")
    source = "Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization"
    return replace(rule.finish(source), searched="change" if line_search else None)


def _refuse(history: Any, line_search: Any, weight_decay: float, more: Options) -> None:
    """Refuses settings that have no meaning here."""
    if isinstance(history, bool) or not isinstance(history, int) or history < 1:
        raise UsageError(f"history must be a positive integer, not {history!r}")
    if line_search not in (None, "strong_wolfe"):
        raise UsageError(f"LBFGS has no line search {line_search!r}", help='use "strong_wolfe", or none')
    changed = [n for n in ("clip_norm", "clip_value") if more.get(n)] + ["weight_decay"] * bool(weight_decay)
    if line_search and changed:
        raise UsageError(
            f"a line search needs the gradient of the loss as it is, and {changed[0]} changes it",
            help="leave one of them out",
        )
    for name in ("groups", "max_norm", "accumulate"):
        if more.get(name) not in (None, 1):
            raise UsageError(
                f"LBFGS has no {name}: it takes all parameters for one vector", help="leave it out"
            )


def _pairs(rule: Rule) -> tuple[Access, Access, Access]:
    """The last steps s and changes y of the gradient, and 1/(y·s)."""
    new = rule.entry("y_new", rule.gradient - rule["g_before"], "how the gradient changed")
    curved = rule.summed(
        "curved", [], new * rule["change"], [ENTRY], "y·s: how much it curves along the step"
    )
    counts = Guard("<", CURVED, curved)

    def kept(name: str, last: Access) -> Access:
        """The moment, shifted by one where a pair counts."""
        before = Access(name, HISTORY, *last.subscripts)
        after = Access(name, HISTORY + 1, *last.subscripts, outside=last)
        return rule.next(name, where(counts, after, before), "the last pairs")

    s, y = kept("s", rule["change"]), kept("y", new)
    return s, y, kept("rho", rule.scalar("inverse", where(counts, 1 / curved, 0), "1/(y·s)"))


def _direction(rule: Rule, s: Access, y: Access, rho: Access) -> Access:
    """−H·g by two loops over the pairs."""
    h, i, H = HISTORY, ENTRY, Size("H")
    squares = rule.summed("y_squares", [], Access(y.name, H - 1, i) ** 2, [i], "‖y‖² of the newest pair")
    newest = Access(rho.name, H - 1)
    scale = where(Guard("<", 0, newest), 1 / (newest * squares), 1)
    rule.scalar("scale", scale, "size of the inverse Hessian")
    rule.announce("q", H, Size("P"))
    q = Access("q", h + 1, i, outside=-rule.gradient)
    alpha = rule.summed("alpha", [h], rho * s * q, [i], "share of a pair, the newest first")
    rule.define("q", [h, i], q - alpha * y, "gradient without these")
    begun = rule.entry("begun", Access("scale") * Access("q", 0, i), "its inverse in this size")
    rule.announce("r", H, Size("P"))
    r = Access("r", h - 1, i, outside=begun)
    beta = rule.summed("beta", [h], rho * y * r, [i], "share of a pair, the oldest first")
    rule.define("r", [h, i], r + (alpha - beta) * s, "direction with these")
    return Access("r", H - 1, i)


__all__ = ["LBFGS"]
