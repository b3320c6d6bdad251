"""What PyTorch says of the losses of sequences: its own CTC; a linear-chain CRF by brute force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: ops not compared")
F = torch.nn.functional


def ctc(
    x: Any,
    y: Any,
    steps: Any = None,
    letters: Any = None,
    blank: int = 0,
    from_logits: bool = True,
    time_first: bool = False,
    zero_infinity: bool = False,
    reduction: str = "mean",
) -> Any:
    """PyTorch's gradient is that by logits, whatever came before: hence only `from_logits`."""
    assert from_logits
    scores = x if time_first else x.transpose(0, 1)
    every = torch.full((len(y),), len(scores)) if steps is None else steps
    labels = torch.full((len(y),), y.shape[1]) if letters is None else letters
    return F.ctc_loss(scores.log_softmax(-1), y, every, labels, blank, reduction, zero_infinity)


def crf(
    x: Any,
    y: Any,
    transitions: Any,
    start: Any = None,
    end: Any = None,
    lengths: Any = None,
    reduction: str = "mean",
) -> Any:
    """All labellings, one by one."""
    losses = []
    for n, scores in enumerate(x):
        count = len(scores) if lengths is None else int(lengths[n])

        def score(paths: Any, scores: Any = scores, count: int = count) -> Any:
            """The scores of labellings (P, count)."""
            total = scores[torch.arange(count), paths].sum(1)
            total = total + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
            total = total + (0 if start is None else start[paths[:, 0]])
            return total + (0 if end is None else end[paths[:, -1]])

        paths = torch.cartesian_prod(*[torch.arange(x.shape[-1])] * count).reshape(-1, count)
        losses.append(score(paths).logsumexp(0) - score(y[n : n + 1, :count])[0])
    each = torch.stack(losses)
    return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[reduction]()


def elbo(p: Any, x: Any, mean: Any, log_variance: Any, likelihood: str = "bernoulli", beta: float = 1) -> Any:
    normal = torch.distributions.Normal
    prior = torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0))
    if likelihood == "bernoulli":
        reconstruction = F.binary_cross_entropy_with_logits(p, x, reduction="none")
    else:
        reconstruction = F.mse_loss(p, x, reduction="none") / 2
    return (reconstruction.sum(-1) + beta * prior.sum(-1)).mean()


SEQUENCES: dict[str, Callable[..., Any]] = {"ctc": ctc, "crf": crf, "elbo": elbo}
