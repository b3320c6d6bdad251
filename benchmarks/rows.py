"""The rows: which networks, at what sizes, with which update; and the arrays that every peer starts from.

Enters: nothing. Leaves: `ROWS`, and from each the declared system, initial parameters and data, the same for
all peers. Must not know: any peer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import sympy

from benchmarks import nets
from benchmarks.references.update import SGD, Adam, Rule
from symbp.ir.system import System, Tensor
from symbp.ir.training import Initial
from symbp.language import Network
from symbp.language.start.distributions import default

Array = np.ndarray
SEED = 7


@dataclass(frozen=True)
class Row:
    """One row. `declare` gives its network; `sizes` are the measured ones, `small` those of tests; the sizes
    in `free` stay open in generated code; a `signed` loss is a sum whose terms cancel. `model` names the
    forward pass that frameworks use, `reference` the hand-written module, both with their `options`."""

    name: str
    what: str
    declare: Callable[[], Network | System]
    sizes: Mapping[str, int]
    small: Mapping[str, int]
    rule: Rule
    model: str
    reference: str
    options: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(
        default_factory=dict
    )  # of the reference, where it has more than one net
    free: tuple[str, ...] = ("N",)
    signed: bool = False
    seed: int = SEED

    @property
    def bound(self) -> dict[str, int]:
        """The sizes that generated code has as constants."""
        return {name: value for name, value in self.sizes.items() if name not in self.free}

    def resized(self, sizes: Mapping[str, int]) -> Row:
        """The same row at other sizes."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Row(**{**parts, "sizes": {**self.sizes, **sizes}})

    def declared(self) -> tuple[System, Mapping[str, Initial]]:
        """The system, and how its parameters start where the declaration says so."""
        declared = self.declare()
        return (declared.system, declared.initial) if isinstance(declared, Network) else (declared, {})

    def arrays(self, dtype: str, seed: int | None = None) -> tuple[dict[str, Array], dict[str, Array]]:
        """Initial parameters and data."""
        system, starts = self.declared()
        sizes = {**system.bound, **self.sizes}
        rng = np.random.default_rng(self.seed if seed is None else seed)
        params, data = {}, {}
        for tensor in system.leaves:
            shape = tuple(int(evaluate(extent, sizes)) for extent in tensor.shape)
            if tensor in system.parameters:
                initial = starts.get(tensor.name) or default(tensor.shape)
                params[tensor.name] = drawn(initial, shape, sizes, rng).astype(dtype)
            else:
                data[tensor.name] = observed(tensor, shape, sizes, rng, dtype)
        return params, data


def evaluate(e: sympy.Expr, sizes: Mapping[str, int]) -> float:
    """The value of an expression in the sizes."""
    values = {symbol: sizes[symbol.name] for symbol in e.free_symbols if symbol.name in sizes}
    return float(e.xreplace(values))


def drawn(initial: Initial, shape: tuple[int, ...], sizes: Mapping[str, int], rng: Any) -> Array:
    """A parameter as its declaration starts it."""
    shift = evaluate(sympy.sympify(initial.shift), sizes)
    if initial.distribution == "constant":
        return np.full(shape, shift)
    draw = rng.normal(size=shape) if initial.distribution == "normal" else rng.uniform(-1, 1, shape)
    return evaluate(sympy.sympify(initial.scale), sizes) * draw + shift


def observed(tensor: Tensor, shape: tuple[int, ...], sizes: Mapping[str, int], rng: Any, dtype: str) -> Array:
    """An input: integers below their bound, else standard normal."""
    if tensor.integer:
        (bound,) = (fact.bound for fact in tensor.facts if fact.bound is not None)
        return rng.integers(0, int(evaluate(bound, sizes)), shape)
    return rng.normal(size=shape).astype(dtype)


def _dense(
    name: str,
    what: str,
    widths: tuple[int, ...],
    batch: int,
    activation: str,
    rule: Rule,
    *,
    mse: bool = False,
    seed: int = SEED,
) -> Row:
    hidden = widths[1:-1]
    sizes = {"N": batch, "D": widths[0], "K": widths[-1]}
    sizes |= {f"H{number}": width for number, width in enumerate(hidden, start=1)}
    small = {size: {"N": 6, "K": 3, "D": 5}.get(size, 4 + len(size)) for size in sizes}
    declare = partial(nets.dense, len(hidden), activation, regression=mse)
    options = {"activation": activation}
    return Row(name, what, declare, sizes, small, rule, "mlp", "mlp", options, options, seed=seed)


def _scale(depth: int, width: int, batch: int) -> Row:
    sizes = {"N": batch, "L": depth, "D": width, "K": 10}
    name = f"scale-{depth}-{width}-{batch}"
    what = f"{depth} tanh layers of width {width}, batch {batch}, Adam"
    return Row(name, what, nets.stack, sizes, {"N": 5, "L": 3, "D": 4, "K": 3}, Adam(1e-4), "stack", "mlp")


def _op(name: str, rule: Rule, small: Mapping[str, int]) -> Row:
    what = f"{name} forward and backward on 4096 × 512"
    return Row(
        name, what, getattr(nets, name), {"N": 4096, "D": 512}, small, rule, name, "ops", {}, {"op": name},
        signed=True,
    )  # fmt: skip


def _recurrent(name: str, what: str, width: int, batch: int) -> Row:
    sizes = {"N": batch, "T": 64, "D": 64, "H": width, "K": 10}
    small = {"N": 3, "T": 5, "D": 4, "H": 3, "K": 3}
    return Row(name, what, getattr(nets, name), sizes, small, Adam(1e-3), name, name, free=("N", "T"))


ROWS = {
    row.name: row
    for row in (
        _dense("tiny", "2-8-1 tanh, batch 1, SGD", (2, 8, 1), 1, "tanh", SGD(1e-2), mse=True),
        _dense(
            "simplechains", "4-32-16-4 tanh, batch 10,000, Adam", (4, 32, 16, 4), 10000, "tanh", Adam(1e-3),
            mse=True,
        ),
        _dense("digits", "64-32-10 tanh, batch 32, Adam", (64, 32, 10), 32, "tanh", Adam(1e-3)),
        _dense("mnist", "784-128-10 relu, batch 64, Adam", (784, 128, 10), 64, "relu", Adam(1e-3)),
        _dense(  # at this seed no unit comes so near to the kink of relu that a rounding decides its slope
            "mnist2", "784-512-512-10 relu, batch 128, Adam", (784, 512, 512, 10), 128, "relu", Adam(1e-3),
            seed=8,
        ),
        _dense(
            "wide", "1024-1024-1024-100 relu, batch 512, Adam", (1024, 1024, 1024, 100), 512, "relu",
            Adam(1e-4),
        ),
        Row(
            "lenet", "two convolutions and a dense layer, batch 64, Adam", nets.lenet, {"N": 64}, {"N": 3},
            Adam(1e-3), "lenet", "lenet",
        ),
        _recurrent("lstm", "T 64, input 64, hidden 128, batch 32, Adam", 128, 32),
        _recurrent("rnn", "T 64, input 64, hidden 64, batch 16, Adam", 64, 16),
        _recurrent("gru", "T 64, input 64, hidden 64, batch 16, Adam", 64, 16),
        Row(
            "gpt", "4 layers, width 128, 4 heads, context 64, batch 8, vocabulary 65, AdamW", nets.gpt,
            {"N": 8, "T": 64, "H": 4, "E": 32, "F": 512, "V": 65, "L": 4},
            {"N": 2, "T": 5, "H": 2, "E": 3, "F": 7, "V": 5, "L": 2},
            Adam(1e-3, decay=0.01), "gpt", "gpt",
        ),
        Row(
            "residual", "6 blocks of width 128, layer norm, GELU, batch 256, AdamW", nets.residual_mlp,
            {"N": 256, "L": 6, "D": 128, "F": 128, "K": 10}, {"N": 5, "L": 2, "D": 4, "F": 3, "K": 3},
            Adam(1e-3, decay=0.01), "residual_mlp", "residual_mlp",
        ),
        _op("layernorm", SGD(1e-3), {"N": 32, "D": 5}),
        _op("softmax", SGD(1e-1), {"N": 32, "D": 5}),
        _op("gelu", SGD(1e-3), {"N": 32, "D": 5}),
        Row(
            "attention", "batch 8, 8 heads, context 512, width 64, forward and backward", nets.attention,
            {"N": 8, "H": 8, "T": 512, "E": 64}, {"N": 2, "H": 2, "T": 4, "E": 3},
            SGD(1e-2), "attention", "attention", signed=True,
        ),
        Row(
            "diagonal", "diagonal LSTM of GradBench, 2 layers, 1,023 steps, 7 bits, Adam", nets.diagonal_lstm,
            {"T": 1023, "L": 2, "B": 7}, {"T": 5, "L": 2, "B": 3},
            Adam(1e-3), "diagonal_lstm", "diagonal_lstm", free=("T",),
        ),
        _scale(1, 16, 1), _scale(64, 16, 1), _scale(8, 64, 4096), _scale(16, 256, 64), _scale(64, 256, 16),
        _scale(2, 2048, 64),
    )
}  # fmt: skip
