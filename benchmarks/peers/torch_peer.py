"""PyTorch as a peer, eager or compiled, with its fused optimizers."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.layouts import PLAIN
from benchmarks.peers.step import CannotError, Step
from benchmarks.peers.torch_models import LAYOUTS, MODELS
from benchmarks.references.update import SGD, Rule
from benchmarks.rows import Row

UNROLLED = {"diagonal_lstm": "its loop over 1,023 steps would be unrolled"}


def fused_optimizer(leaves: list[torch.Tensor], rule: Rule) -> torch.optim.Optimizer:
    """PyTorch's own update, in its fastest form."""
    if isinstance(rule, SGD):
        return torch.optim.SGD(leaves, lr=rule.lr, fused=True)
    return torch.optim.AdamW(leaves, rule.lr, (rule.beta1, rule.beta2), rule.eps, rule.decay, fused=True)


def prepare(row: Row, dtype: str, threads: int, *, compiled: bool = False) -> Step:
    """Autograd's gradients and a fused update; `compiled` through torch.compile, the update eager."""
    if compiled and row.model in UNROLLED:
        raise CannotError(UNROLLED[row.model])
    torch.set_num_threads(threads)
    layout = LAYOUTS.get(row.model, PLAIN)
    params, given = row.arrays(dtype)
    leaves = {name: torch.tensor(a, requires_grad=True) for name, a in layout.to(params).items()}
    data = {name: torch.tensor(a) for name, a in given.items()}
    optimizer = fused_optimizer(list(leaves.values()), row.rule)
    options = {"heads": row.sizes["H"]} if row.model == "gpt" else row.options
    model = partial(MODELS[row.model], **options)
    if compiled:
        model = torch.compile(model)

    def take() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = model(leaves, data)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    def gradients() -> dict:  # type: ignore[type-arg]
        return layout.back(
            {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}
        )

    return Step(take, gradients)
