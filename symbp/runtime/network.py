"""A network in place of the one that a module is generated for: so the runtime is an ordinary package.

Enters: nothing. Leaves: the names and types that the rest of the runtime takes from a module's own sections.
Must not know: symbp. No module takes anything from here: each has tables and functions of its own under these
names.

It is a line, fitted by least squares: x is centred by a buffer, and each example kept or not, at random.

    p[n] = Σ_d (x[n,d] - mean[d])·w[d] + b        loss = Σ_n keep[n]·(p[n] - y[n])²/N
    dp[n] = 2·keep[n]·(p[n] - y[n])/N             dw[d] = Σ_n (x[n,d] - mean[d])·dp[n]        db = Σ_n dp[n]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
F32 = np.float32

# Sizes and shapes.
NAME: str = "line"
DTYPE: type[np.floating[Any]] = np.float64
SIZES: dict[str, int] = {"D": 2}
OPEN_SIZES: tuple[str, ...] = ("N",)
BATCH: str | None = "N"
CHUNKED: str = "N"  # by whose rows threads divide a step
SHAPING: tuple[str, ...] = ("D",)  # open sizes of parameters, of a short module
PARAMETERS: dict[str, tuple[Any, ...]] = {"w": ("D",), "b": ()}
INPUTS: dict[str, tuple[Any, ...]] = {"x": ("N", "D"), "y": ("N",)}
FORWARD_INPUTS: tuple[str, ...] = ("x",)
TARGETS: tuple[str, ...] = ("y",)  # where tables are read

# What is known of values: integers below a bound, facts along an axis.
INTEGERS: dict[str, Any] = {}
FACTS: dict[str, tuple[tuple[str, int], ...]] = {}

# Sizes in formulas: where and how they are found, what they must obey, some that do.
SOLVED: dict[str, tuple[str, int, Callable[[int, Mapping[str, int]], int]]] = {}
CONDITIONS: dict[str, Callable[[Mapping[str, int]], bool]] = {}
SAMPLE: dict[str, int] = {}

# What a step is given beside parameters.
BUFFERS: dict[str, tuple[Any, ...]] = {"mean": ("D",)}
STARTS: dict[str, float] = {"mean": 0.0}
FITTED: dict[str, tuple[str, str, int | None]] = {"mean": ("mean", "x", 1)}
RANDOM: dict[str, tuple[tuple[Any, ...], str, float]] = {"keep": (("N",), "bernoulli", 0.5)}
RANDOM_AT_INFERENCE: tuple[str, ...] = ()

# What is computed, and under which names.
OUTPUTS: tuple[str, ...] = ("p",)
LOSS: str = "loss"
METRICS: tuple[str, ...] = ("error",)
INFERENCE: dict[str, str] = {}
GRADIENTS: dict[str, str] = {"w": "dw", "b": "db"}
EQUATIONS: dict[int, str] = {1: "p", 2: "loss", 3: "dp", 4: "dw", 5: "db"}
STOPPED: tuple[str, ...] = ()
FORWARD_GIVEN: tuple[str, ...] = ("x", "mean")
INFERENCE_GIVEN: tuple[str, ...] = ("x", "mean")
DERIVATIVE_INPUTS: tuple[str, ...] = ("x",)
DERIVATIVES: dict[str, str] = {"w": "slope"}  # of the sum of outputs

# The update: momentum.
MOMENTS: tuple[str, ...] = ("m",)
SHAPED_MOMENTS: dict[str, dict[str, tuple[int, ...]]] = {"m": {}}  # where some have shapes of their own
HYPER: dict[str, float] = {"lr": 0.1, "momentum": 0.5}
FOLLOWED: dict[str, float] = {"plateau": 1.0}  # what follows the loss of epochs, as training starts

LARGE: float = 1e300  # sums of squared gradients from which on a moment may overflow
SEARCHED: str = "m"  # the moment that is the step, where a search says how far it goes

# Where arrays lie, and steps in blocks of rows.
POSITIONS: tuple[str, ...] = ()
ONES: tuple[str, ...] = ("ones",)
NEEDED: dict[str, Callable[[Mapping[str, int]], int]] = {}  # lengths of which something must be left
BLOCKS: dict[str, int] = {"N": 2}
FEWEST: int = 2
CUT: dict[str, int] = {"x": 1, "y": 1, "keep": 1}

# What training from the command line has beside the essential.
TRAIN_OPTIONS: tuple[Callable[[argparse.ArgumentParser], object], ...] = ()
FIT_OPTIONS: tuple[str, ...] = ()
PREPARE: tuple[Callable[[argparse.Namespace, Any], object], ...] = ()
FINGERPRINT: dict[str, str] = {"equations": "a line", "update": "momentum"}  # where checkpoints are kept
REPORTS: tuple[Callable[[argparse.Namespace, dict[str, Array]], Callable[[dict[str, Any]], None]], ...] = ()


def _places(*sizes: int) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """The arena, the first element and the shape of each array."""
    rows = sizes[0]
    return {
        "p": (0, 0, (rows,)),
        "dp": (0, rows, (rows,)),
        "ones": (0, 2 * rows, (rows,)),
        "loss": (0, 3 * rows, ()),
        "error": (0, 3 * rows + 1, ()),
        "slope": (0, 3 * rows + 2, (SIZES["D"],)),
    }


def _initial(rng: np.random.Generator, sizes: Mapping[str, int]) -> dict[str, Array]:
    return {"w": rng.standard_normal(sizes["D"]), "b": np.zeros(())}


def _update(*arrays: Array, **moments: Array) -> Callable[..., None]:
    """What takes one step with the parameters and gradients, as flat arrays."""
    (theta, gradient), moment = arrays, moments["m"]

    def run(step: int, lr: float, momentum: float) -> None:
        moment[:] = momentum * moment + gradient
        theta[:] -= lr * moment

    return run


def _strange(state: Any, data: Mapping[str, Any]) -> str:
    """What is not finite, of a short module."""
    return "nothing"


def _follow(loss: float, plateau: float) -> dict[str, float]:
    """What follows the loss, after an epoch."""
    return {"plateau": plateau}


def _network(
    params: Mapping[str, Array], gradients: Mapping[str, Array], **sizes: int
) -> tuple[tuple[Callable[[Mapping[str, Array]], None], ...], dict[str, Array]]:
    """The passes over the data, and the arrays that they fill; here of all examples, not centred."""
    values = {"p": np.zeros(sizes["N"]), "loss": np.zeros(()), "error": np.zeros(())}

    def forward(data: Mapping[str, Array]) -> None:
        values["p"][:] = data["x"] @ params["w"] + params["b"]

    def loss(data: Mapping[str, Array]) -> None:
        values["loss"][...] = np.mean((values["p"] - data["y"]) ** 2)

    def backward(data: Mapping[str, Array]) -> None:
        dp = 2 * (values["p"] - data["y"]) / sizes["N"]
        gradients["w"][:], gradients["b"][...] = data["x"].T @ dp, dp.sum()

    def metrics(data: Mapping[str, Array]) -> None:
        values["error"][...] = np.mean(np.abs(values["p"] - data["y"]))

    return (forward, loss, backward, metrics), values


def _draw(out: Array, kind: str, p: float, key: int, kept: dict[Any, Array]) -> None:
    """Random elements, the same for the same key; targets draw them by counting."""
    rng = np.random.default_rng(key)
    drawn = rng.standard_normal(out.size) if kind == "normal" else rng.random(out.size)
    out[:] = drawn < p if kind == "bernoulli" else drawn


def _outputs(
    params: Any, data: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> dict[str, Array]:
    return {"p": (data["x"] - data["mean"]) @ params["w"] + params["b"]}


def _values(params: Any, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    """The loss of all examples, and the mean distance."""
    off = _outputs(params, data, sizes, False)["p"] - data["y"]
    return {"loss": np.mean(off**2), "error": np.mean(np.abs(off))}


def _differentiate(
    params: Any, gradients: Any, data: Mapping[str, Array], sizes: Mapping[str, int], *, apart: bool = False
) -> dict[str, Array]:
    """Fills the gradients; every tensor by name."""
    p = _outputs(params, data, sizes, True)["p"]
    loss = np.mean(data["keep"] * (p - data["y"]) ** 2)
    dp = 2 * data["keep"] * (p - data["y"]) / len(p)
    gradients["w"], gradients["b"] = (data["x"] - data["mean"]).T @ dp, dp.sum()
    return {"p": p, "loss": loss, "dp": dp}


def _derived(params: Any, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    return {"w": data["x"].sum(0)}


def _advance(state: Any, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    """One step; the update is left out, and False returned, if the loss or a gradient is not finite."""
    loss = float(_differentiate(state.params, state.gradients, data, sizes)["loss"])
    if not (math.isfinite(loss) and np.isfinite(state.gradients.flat).all()):
        return loss, False
    moment = state.moments["m"].flat
    moment[:] = state.hyper["momentum"] * moment + state.gradients.flat
    state.params.flat[:] -= state.hyper["lr"] * moment
    state.step += 1
    return loss, True
