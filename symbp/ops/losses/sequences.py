"""Losses of sequences, as recurrences over time: CTC over alignments, a linear-chain CRF over labellings.

Enters: scores (N, T, K), labels and lengths. Leaves: scalars, or with `reduction="none"` a value for each
sequence. Must not know: derivatives, stable forms; the backward algorithms are the adjoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.build import where
from symbp.ir.expr import Expr, FloorDiv, Guard, Index, Mod
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.notation import Sum, formula
from symbp.language.recurrence import define_announced, recurrent
from symbp.language.sizes import value_of
from symbp.language.tensor import Tensor
from symbp.ops.activations import log_softmax
from symbp.ops.losses.classification import classes_agree
from symbp.ops.losses.reduction import FAMILY, Reduction, reduced
from symbp.ops.registry import example, op

N, T, S, K, J = Index("n"), Index("t"), Index("s"), Index("k"), Index("j")
IMPOSSIBLE = -sympy.oo


@op(
    FAMILY,
    example("N T K", "N 2: letters", from_logits=True),
    example("N T K", "N 2: letters", "N: lengths", from_logits=True, reduction="sum"),
    example("T N K", "N 1: letters", from_logits=True, time_first=True, reduction="none"),
)
def ctc(
    log_p: Tensor,
    y: Tensor,
    steps: Tensor | None = None,
    letters: Tensor | None = None,
    *,
    blank: int = 0,
    from_logits: bool = False,
    time_first: bool = False,
    zero_infinity: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """−log Σ p(path), over the paths that read y when repeats merge and blanks go (Graves et al. 2006).

    `log_p` (N, T, K) holds log-probabilities, or logits with `from_logits`; with `time_first` it is
    (T, N, K). y (N, S) are labels other than `blank`; of sequence n the first `steps[n]` steps and the first
    `letters[n]` labels count, all where nothing is given. The mean is PyTorch's: each loss by its number of
    labels, then over sequences. A loss is infinite, with gradient 0, where y doesn't fit into the steps;
    `zero_infinity` makes it 0.

    With the blanks between and around the labels there are states 0 … 2·S, the labels at odd ones:
    α[n,t,s] = log p(state s at t) + log Σ_k e^(α[n,t−1,s−k]), where k = 0, 1, and k = 2 to a label from a
    different one (equations 5 to 8). Raises DeclarationError and ShapeError: shapes that don't fit, a blank
    that is no class.
    """
    _check_scores(log_p, y, "ctc")
    _check_lengths("ctc", steps=steps, letters=letters)
    _check_blank(blank, log_p)
    scores = log_softmax(log_p) if from_logits else log_p
    count, length, _ = _in_order(scores.shape, time_first)
    states = 2 * y.shape[1] + 1

    ranges = {N: count, T: length, S: states}
    alpha = _paths_so_far(_emitted(scores, y, blank, ranges, time_first), y, ranges)
    last = sympy.sympify(y.shape[1]) if letters is None else letters.at(N)
    end = alpha.at(N, _end(steps, length), 2 * last - K, outside=_impossible_but(2 * last - K))
    paths = formula(
        [N],
        -sympy.log(Sum(sympy.exp(end), K)),
        ranges={N: count, K: sympy.Integer(2)},
        rule="negative log-probability of the labels",
        hint=Hint("nll", "bare"),
        kept=True,
    )
    each = paths.at(N)
    if zero_infinity:
        each = where(Guard("<", each, sympy.oo), each, 0)
    share = count * (last if letters is None else last + Guard("=", last, 0))  # no labels count as one
    return reduced(each, [N], share, reduction, "connectionist temporal classification", name="ctc")


def _emitted(scores: Tensor, y: Tensor, blank: int, ranges: Mapping[Index, Expr], time_first: bool) -> Tensor:
    """The log-probability of what each state reads, at each step."""

    def at(k: Any) -> Expr:
        return scores.at(T, N, k) if time_first else scores.at(N, T, k)

    label = Guard("=", Mod(S, 2), 1)
    own = label * at(y.at(N, FloorDiv(S, 2))) + (1 - label) * at(sympy.Integer(blank))
    return formula(
        [N, T, S],
        own,
        ranges=ranges,
        joined=classes_agree(scores, y),
        rule="log-probability of a state",
        hint=Hint("e", "bare"),
        kept=True,
    )


def _paths_so_far(emitted: Tensor, y: Tensor, ranges: Mapping[Index, Expr]) -> Tensor:
    """α[n,t,s], over the paths that are in state s at step t."""
    label = Guard("=", Mod(S, 2), 1)
    letter, before = (y.at(N, FloorDiv(S, 2) - back, outside=-1) for back in (0, 1))
    reach = 2 + label * Guard("!=", letter, before)
    alpha = recurrent(None, (ranges[N], ranges[T], ranges[S]), Hint("alpha", "bare"))
    earlier = alpha.at(N, T - 1, S - K, outside=_impossible_but(S - K))
    total = Sum(Guard("<", K, reach) * sympy.exp(earlier), K)
    ways = {**ranges, K: sympy.Integer(3)}
    body = emitted.at(N, T, S) + sympy.log(total)
    return define_announced(alpha, [N, T, S], body, ranges=ways, rule="log-probability of the paths so far")


@op(
    FAMILY,
    example("N T K", "N T: labels", "K K"),
    example("N T K", "N T: labels", "K K", "K", "K", "N: lengths", reduction="sum"),
)
def crf(
    scores: Tensor,
    y: Tensor,
    transitions: Tensor,
    start: Tensor | None = None,
    end: Tensor | None = None,
    lengths: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """log Σ_y′ e^(score y′) − score y: the linear-chain conditional random field (Lafferty et al. 2001).

    score y = start[y₀] + Σ_t scores[n,t,y_t] + Σ_t transitions[y_(t−1),y_t] + end[y_last], over the first
    `lengths[n]` steps of sequence n, all where nothing is given; without steps the loss is 0. scores
    (N, T, K), y (N, T), transitions (K, K), start and end (K). The sum over labellings is
    α[n,t,k] = scores[n,t,k] + log Σ_j e^(α[n,t−1,j] + transitions[j,k]); the mean is over sequences. Raises
    DeclarationError and ShapeError.
    """
    _check_scores(scores, y, "crf")
    _check_lengths("crf", lengths=lengths)
    count, length, classes = scores.shape
    first = 0 if start is None else start.at(K)
    ranges = {N: count, T: length, K: classes}
    alpha = recurrent(None, scores.shape, Hint("alpha", "bare"))
    earlier = alpha.at(N, T - 1, J, outside=0) + transitions.at(J, K)
    before = where(Guard("<", 0, T), sympy.log(Sum(sympy.exp(earlier), J)), first)
    body = scores.at(N, T, K) + before
    alpha = define_announced(
        alpha, [N, T, K], body, ranges={**ranges, J: classes}, rule="log-weight of the labellings so far"
    )
    stop = _end(lengths, length)
    last = alpha.at(N, stop, K, outside=None if lengths is None else 0) + (0 if end is None else end.at(K))
    total = formula(
        [N],
        sympy.log(Sum(sympy.exp(last), K)),
        ranges={N: count, K: classes},
        rule="log-weight of all labellings",
        hint=Hint("total", "bare"),
        kept=True,
    )
    chosen = y.at(N, T)
    step = scores.at(N, T, chosen) + where(Guard("<", 0, T), transitions.at(y.at(N, T - 1), chosen), 0)
    counts = sympy.S.One if lengths is None else Guard("<", T, lengths.at(N))
    path = formula(
        [N],
        Sum(counts * step, T),
        ranges={N: count, T: length},
        joined=classes_agree(scores, y),
        rule="score of the labels",
        hint=Hint("score", "bare"),
        kept=True,
    )
    each = total.at(N) - path.at(N)
    each -= 0 if start is None else start.at(y.at(N, 0))
    each -= 0 if end is None else end.at(y.at(N, stop))
    if lengths is not None:
        each = where(Guard("<", 0, lengths.at(N)), each, 0)
    return reduced(each, [N], count, reduction, "conditional random field", name="crf")


def _in_order(shape: tuple[Expr, ...], time_first: bool) -> tuple[Expr, ...]:
    return (shape[1], shape[0], shape[2]) if time_first else shape


def _impossible_but(state: Expr) -> Expr:
    """The log-probability of a state before the first step: a path starts in state 0."""
    return Guard("!=", state, 0) * IMPOSSIBLE


def _end(lengths: Tensor | None, extent: Expr) -> Expr:
    return (extent if lengths is None else lengths.at(N)) - 1


def _check_scores(scores: Tensor, y: Tensor, what: str) -> None:
    if scores.rank != 3 or y.rank != 2 or not y.integer:
        raise ShapeError(
            f"{what} takes scores with 3 axes and integer labels with 2",
            where=here(),
            details=tuple(f"{display(t)}: ({', '.join(map(str, t.shape))})" for t in (scores, y)),
            help='bp.labels("y", (N, S), classes=K) for scores (N, T, K)',
        )


def _check_lengths(what: str, **lengths: Tensor | None) -> None:
    for name, tensor in lengths.items():
        if tensor is not None and (tensor.rank != 1 or not tensor.integer):
            raise ShapeError(
                f"the {name} of {what} are one integer for each sequence",
                where=here(),
                details=(f"{display(tensor)}: ({', '.join(map(str, tensor.shape))})",),
                help=f'{name} = bp.labels("{name}", (N,), classes=T + 1)',
            )


def _check_blank(blank: int, scores: Tensor) -> None:
    classes = value_of(scores.shape[-1])
    whole = isinstance(blank, int) and not isinstance(blank, bool) and blank >= 0
    if not whole or (classes is not None and blank >= classes):
        raise DeclarationError(
            f"ctc's blank can't be {blank!r}", where=here(), help="it is one of the classes, 0 by default"
        )
