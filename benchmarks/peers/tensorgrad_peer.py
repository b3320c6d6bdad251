"""tensorgrad as a peer: its symbolic gradients compiled to PyTorch, with PyTorch's fused update.

Only dense networks: its other layers stand in its examples, not in the package. The compiled function is
called without the named tensors that tensorgrad wraps it in, since newer versions of PyTorch have none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorgrad.functions as F
import torch
from tensorgrad import Variable, grad, symbols
from tensorgrad.compiler.runtime import CompiledProgram

from benchmarks.peers.step import CannotError, Step
from benchmarks.peers.torch_peer import fused_optimizer
from benchmarks.rows import Row

ACTIVATIONS = {"tanh": F.tanh, "relu": F.relu}


def declared(row: Row, depth: int) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The loss, the parameters and the data as its expressions; sizes are n and d0, d1, …"""
    n, *sizes = symbols("n " + " ".join(f"d{k}" for k in range(depth + 1)))
    edges = [f"e{k}" for k in range(depth + 1)]
    x = Variable("x", n=n, **{edges[0]: sizes[0]})
    p: dict[str, Any] = {}
    h: Any = x
    for k in range(1, depth + 1):
        p[f"W{k}"] = Variable(f"W{k}", **{edges[k - 1]: sizes[k - 1], edges[k]: sizes[k]})
        p[f"b{k}"] = Variable(f"b{k}", **{edges[k]: sizes[k]})
        h = h @ p[f"W{k}"] + p[f"b{k}"]
        h = ACTIVATIONS[row.options["activation"]](h) if k < depth else h
    end = {"n": n, edges[-1]: sizes[-1]}
    if "t" in {leaf.name for leaf in row.declared()[0].leaves}:
        t = Variable("t", **end)
        return F.mean((h - t) * (h - t)), p, {"x": x, "t": t}
    y = Variable("y", **end)  # one-hot
    return F.mean(F.cross_entropy(h, y, edges[-1])), p, {"x": x, "y": y}


def prepare(row: Row, dtype: str, threads: int) -> Step:
    """The compiled loss and gradients, and the update."""
    if row.model != "mlp":
        raise CannotError("tensorgrad is tried on dense networks only")
    torch.set_num_threads(threads)
    params, given = row.arrays(dtype)
    depth = len(params) // 2
    loss, p, data = declared(row, depth)
    program = CompiledProgram((loss, *grad(loss, list(p.values()))))
    leaves = {name: torch.tensor(array) for name, array in params.items()}
    optimizer = fused_optimizer(list(leaves.values()), row.rule)
    arrays = {name: torch.tensor(array) for name, array in given.items()}
    if "y" in arrays:
        hot = torch.nn.functional.one_hot(arrays["y"], params[f"b{depth}"].size)
        arrays["y"] = hot.to(arrays["x"].dtype)
    widths = [len(params["W1"]), *(params[f"b{k}"].size for k in range(1, depth + 1))]
    dims = {symbols("n"): len(arrays["x"])}
    dims |= {symbols(f"d{k}"): width for k, width in enumerate(widths)}
    run = program.codegen.specialize(dims, verbose=False, dtype=getattr(torch, dtype), for_inductor=False)
    given_tensors = {**{data[k].name: arrays[k] for k in data}, **{p[k].name: leaves[k] for k in p}}
    inputs = [given_tensors[name] for name in program.input_names]
    orders = [_order(*plan, p[name].edges) for plan, name in zip(program._wrap_plans[1:], p, strict=True)]

    def take() -> float:
        with torch.no_grad():
            value, *gradients = run(*inputs)
        for leaf, gradient, order in zip(leaves.values(), gradients, orders, strict=True):
            leaf.grad = gradient.permute(order).contiguous()
        optimizer.step()
        return float(value.item())

    return Step(take)


def _order(permutation: tuple[int, ...] | None, names: tuple[str, ...], edges: Iterable[str]) -> list[int]:
    """The axes of a gradient as it comes, in the order of a parameter's edges."""
    as_it_comes = permutation or tuple(range(len(names)))
    return [as_it_comes[names.index(edge)] for edge in edges]
