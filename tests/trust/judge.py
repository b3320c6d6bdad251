"""Whether symbp's gradients of a program are PyTorch's, at points and sizes of our own.

Enters: a program. Leaves: an `Outcome`. Must not know: how symbp derives; the closed system is evaluated as
it stands (`symbp.ir.evaluation.vector`), which takes microseconds, or compiled.
"""

from __future__ import annotations

import math
import re
import signal
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from programs import Program, value
from torch.nn import functional as F

import symbp as bp
from symbp.errors import SymbpError
from symbp.ir.evaluation.vector import run

Arrays = dict[str, np.ndarray[Any, Any]]
Right = dict[str, tuple[np.ndarray[Any, Any], float]]  # with an absolute tolerance
TOLERANCE = 1e-9  # of the largest entry
FAINT = 1e-2  # a gradient so much smaller than the largest one may be a difference of terms of that size
ROUNDED = 1e-15  # beside 1: what both may make of 0
MOVED = 1e-13  # by how much leaves are moved to see how many digits PyTorch's own gradients have
LOSS = "loss"
SLOW = 60.0  # seconds of process time
STOP = 180.0  # after so many seconds a derivation is stopped
SCALES = (1.0, 4.0, 0.1, 0.0)  # of the data of each point; 0 means small integers, with ties


@dataclass(frozen=True)
class Outcome:
    """`verdict` is right, wrong, ties (wrong at integers only), refused, crashed, stopped or skipped (PyTorch
    has no value)."""

    verdict: str
    seconds: float
    message: str = ""

    @property
    def slow(self) -> bool:
        return self.seconds > SLOW


class _OutOfTime(BaseException):
    """No part of the library catches it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `_OutOfTime` after so many seconds of process time."""

    def stop(*_: Any) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def judge(
    program: Program,
    seed: int,
    *,
    compiled: bool = False,
    stop: float = STOP,
    scales: Sequence[float] = SCALES,
) -> Outcome:
    """Derives a program and compares all gradients with PyTorch's, at a point for each scale."""
    theirs = [(point, torch_results(program, *point)) for point in points(program, seed, scales)]
    usable = [
        (point, _with_noise(program, point, found)) for point, found in theirs if isinstance(found, dict)
    ]
    if not usable:
        return Outcome("skipped", 0.0, str(theirs[0][1]))
    started = time.process_time()
    try:
        with limited(stop):
            net, derivation = derived(program)
            seconds = time.process_time() - started
            wrong = [
                (integer, message)
                for (sizes, values, integer), right in usable
                if (message := compare(results(derivation, values, sizes), right))
            ]
            if compiled and not wrong:
                wrong = _wrong_modules(program, net, derivation, usable)
    except _OutOfTime:
        return Outcome("stopped", time.process_time() - started)
    except SymbpError as error:
        kind = "crashed" if "bug in symbp" in str(error) else "refused"
        return Outcome(kind, time.process_time() - started, f"{type(error).__name__}: {error}")
    except (Exception, RecursionError) as error:
        return Outcome("crashed", time.process_time() - started, _last_lines(error))
    if not wrong:
        return Outcome("right", seconds)
    verdict = "ties" if all(integer for integer, _ in wrong) else "wrong"
    return Outcome(verdict, seconds, f"{len(wrong)} of {len(usable)} points; {wrong[0][1]}")


def derived(program: Program) -> tuple[Any, Any]:
    """The network that the program's text declares, and its derivation."""
    space: dict[str, Any] = {}
    exec(compile(program.text, "<program>", "exec"), space)
    net = space["net"]
    derive = bp.hvp if program.hvp else bp.derive
    return net, derive(net, wrt=list(program.wrt))


def results(derivation: Any, values: Arrays, sizes: Mapping[str, int]) -> Arrays:
    """The loss and all gradients by the closed system; directions of a product are `v_` and the name."""
    system = derivation.system
    given = dict(values)
    for name, direction in derivation.directions.items():
        given[direction] = values[f"v_{name}"]
    numbers = {name: number for name, number in sizes.items() if name in system.sizes}
    wanted = {**derivation.gradients, **({LOSS: system.loss} if system.loss else {})}
    found = run(system, given, numbers, wanted=list(wanted.values()))
    return {name: found[tensor] for name, tensor in wanted.items()}


def _wrong_modules(program: Program, net: Any, derivation: Any, usable: list[Any]) -> list[tuple[bool, str]]:
    """What is wrong with the gradients of the compiled module."""
    module = bp.compile(derivation, target="numpy")
    params = [leaf.name for leaf in program.leaves if leaf.role == "param" and leaf.name in known(net)]
    wrong = []
    for (_, values, integer), right in usable:
        data = {name: values[name] for name in known(net) if name not in params}
        data |= {direction: values[f"v_{name}"] for name, direction in derivation.directions.items()}
        data = {name: array for name, array in data.items() if name in module.DERIVATIVE_INPUTS}
        found = module.derivatives({name: values[name] for name in params}, **data)
        if message := compare(found, right):
            wrong.append((integer, "compiled: " + message))
    return wrong


def known(net: Any) -> set[str]:
    """What the network is given, by name."""
    return {tensor.name for tensor in net.system.leaves}


def _with_noise(program: Program, point: Any, right: Arrays) -> Right:
    """PyTorch's results with what rounding does to each: a gradient that is 0 because terms cancel isn't
    judged by its relative error. At most 1e-10 of what is large, so that a near kink hides nothing."""
    sizes, values, integer = point
    rng = np.random.default_rng(5)
    moved = {
        name: array if array.dtype.kind == "i" else array * (1 + MOVED * rng.normal(size=array.shape))
        for name, array in values.items()
    }
    other = torch_results(program, sizes, moved, integer)
    most = 1e-10 * max(1.0, *(float(np.abs(array).max(initial=0)) for array in right.values()))
    least = min(most, _rounding(program, sizes, values))
    if not isinstance(other, dict):
        return {name: (array, most) for name, array in right.items()}
    return {
        name: (
            array,
            max(least, min(most, 10 * float(np.abs(array - other[name]).max(initial=0)))),
        )
        for name, array in right.items()
    }


def _rounding(program: Program, sizes: Mapping[str, int], values: Arrays) -> float:
    """What rounding a line's largest value can leave of a loss, or a gradient, in which all terms cancel."""
    space, _ = _computed(program, sizes, values)
    lines = [v.detach() for v in space.values() if isinstance(v, torch.Tensor) and v.is_floating_point()]
    return 4e-16 * max((float(v.abs().max()) for v in lines if v.numel()), default=0.0)


def compare(found: Mapping[str, Any], right: Right) -> str:
    """What differs by more than the tolerance and the noise, or nothing."""
    gradients = [array for name, (array, _) in right.items() if name != LOSS]
    overall = max((float(np.abs(array).max(initial=0)) for array in gradients), default=0.0)
    for name, (array, noise) in right.items():
        if name not in found:
            continue
        other = np.asarray(found[name])
        if other.shape != array.shape:
            return f"d{name} has shape {other.shape}, not {array.shape}"
        largest = max(float(np.abs(array).max(initial=0)), FAINT * overall)
        error = float(np.abs(other - array).max(initial=0))
        if not error <= TOLERANCE * largest + noise + ROUNDED:
            shown = f"{np.round(other.ravel()[:4], 6)} for {np.round(array.ravel()[:4], 6)}"
            return f"d{name} differs by {error / (largest or 1):.2g} of the largest entry: {shown}"
    return ""


def points(
    program: Program, seed: int, scales: Sequence[float] = SCALES
) -> Iterator[tuple[dict[str, int], Arrays, bool]]:
    """Sizes, values and whether they are integers: open sizes are drawn, many of them equal."""
    rng = np.random.default_rng([seed, 77])
    for k, scale in enumerate(scales):
        common = int(rng.integers(1, 6))
        sizes = {}
        for name, bound in program.sizes.items():
            least = program.least.get(name, 1)
            drawn = int(rng.choice([common, common, 2, 3, 4 if k else 6, 5]))
            drawn = drawn if scale else int(rng.choice([1, 2, 4]))  # sums of integers stay exact
            drawn = 12 if name == "N" and not k else drawn  # rare labels occur
            sizes[name] = bound if bound is not None else least + drawn - 1
        yield sizes, draw(program, sizes, scale, rng), not scale


def draw(program: Program, sizes: Mapping[str, int], scale: float, rng: np.random.Generator) -> Arrays:
    """Values of all leaves and directions."""
    values: Arrays = {}
    for leaf in program.leaves:
        shape = tuple(value(e, sizes) for e in leaf.shape)
        if leaf.integer:
            assert leaf.classes is not None
            values[leaf.name] = rng.integers(0, value(leaf.classes, sizes), shape)
        elif leaf.fact == "binary":
            values[leaf.name] = rng.integers(0, 2, shape).astype(float)
        elif scale:
            moderate = min(scale, 1.5) if leaf.role == "param" else scale
            values[leaf.name] = moderate * rng.normal(size=shape)
        else:
            values[leaf.name] = rng.integers(-2, 3, shape).astype(float)
        if leaf.name in program.wrt:
            values[f"v_{leaf.name}"] = rng.normal(size=shape)
    return values


def torch_results(program: Program, sizes: Mapping[str, int], values: Arrays, integer: bool) -> Arrays | str:
    """The loss and its gradients by PyTorch's autograd, or why there are none."""
    del integer
    try:
        space, tensors = _computed(program, sizes, values)
        wanted = [tensors[name] for name in program.wrt]
        found = _gradients(space[program.loss], wanted)
        if program.hvp:
            along = sum(
                (g * torch.tensor(values[f"v_{n}"])).sum() for g, n in zip(found, program.wrt, strict=True)
            )
            found = _gradients(along, wanted)
    except (RuntimeError, NotImplementedError, IndexError) as error:
        return f"PyTorch: {type(error).__name__}: {str(error)[:200]}"
    arrays = {n: g.detach().numpy(force=True) for n, g in zip(program.wrt, found, strict=True)}
    arrays[LOSS] = space[program.loss].detach().numpy(force=True)
    largest = max((float(np.abs(array).max(initial=0)) for array in arrays.values()), default=0.0)
    if not math.isfinite(largest) or largest > 1e60:
        return "PyTorch: no finite gradient"
    return arrays


def torch_value(program: Program, sizes: Mapping[str, int], values: Arrays, name: str) -> Any:
    """The value of one line by PyTorch."""
    return _computed(program, sizes, values)[0][name].detach().numpy(force=True)


def _computed(
    program: Program, sizes: Mapping[str, int], values: Arrays
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All lines and all leaves as PyTorch's tensors."""
    tensors = {
        leaf.name: torch.tensor(values[leaf.name], requires_grad=not leaf.integer) for leaf in program.leaves
    }
    space = {"torch": torch, "F": F, "grad": _inner, "scan": _scan, **sizes, **tensors}
    exec(compile(program.torch_text, "<torch>", "exec"), space)
    return space, tensors


def _gradients(loss: Any, wanted: list[Any]) -> list[Any]:
    if not loss.requires_grad:
        return [torch.zeros_like(t) for t in wanted]
    found = torch.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for t, g in zip(wanted, found, strict=True)]


def _inner(u: Any, x: Any) -> Any:
    """∂(Σ u)/∂x inside a loss."""
    return _gradients(u.sum(), [x])[0]


def _scan(x: Any, step: Any) -> Any:
    state, found = torch.zeros_like(x[:, 0]), []
    for t in range(x.shape[1]):
        state = step(state, x[:, t])
        found.append(state)
    return torch.stack(found, 1)


def _last_lines(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    at = " < ".join(f"{re.sub('.*/symbp/', 'symbp/', f.filename)}:{f.lineno}" for f in reversed(frames))
    return f"{type(error).__name__}: {str(error)[:300]} at {at}"
