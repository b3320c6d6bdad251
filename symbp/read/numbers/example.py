"""A small worked example of a system: handy sizes, and numbers with one or two decimals.

Enters: a system, a seed, what is known already. Leaves: sizes, and a value for each leaf, at which everything
is finite, nothing is saturated, and nothing stands at a kink or a tie. Must not know: pages, formats.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from symbp.errors import EvaluationError
from symbp.ir.evaluation.margins import kink_margin
from symbp.ir.evaluation.vector import Run
from symbp.ir.expr import Size
from symbp.ir.points.fitting import constraints, literal_sizes, sample_sizes
from symbp.ir.points.random import drawn
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Fact, Role, System, Tensor
from symbp.ir.training import Initial

Array = np.ndarray[Any, Any]

HANDY, CLASSES = (2, 3), 3  # of sizes, in turn: a batch of two, and so on
SMALL = 4  # a number in a declaration that needn't be made smaller
MOST_TRIES = 500  # of combinations of sizes
DRAWS = 24  # of numbers; the best of them is taken
FAR, LARGE = 0.02, 20.0  # from a kink; what a number of an example shouldn't reach
COARSE = 12  # up to so many elements have one decimal


def example(
    system: System,
    seed: int = 0,
    *,
    sizes: Mapping[str, int] | None = None,
    arrays: Mapping[str, Array] | None = None,
    constants: Mapping[str, float] | None = None,
    initial: Mapping[str, Initial] | None = None,
    small: bool = False,
) -> tuple[dict[str, int], dict[str, Array]]:
    """All sizes, and a value for every leaf. What `arrays` and `sizes` give stays, as do sizes that are bound
    in the declaration, unless it is to be `small`. Hyperparameters have the values of `constants`, buffers
    start as `initial` says."""
    given, known = dict(arrays or {}), dict(constants or {})
    chosen = handy_sizes(system, dict(sizes or {}), small=small)
    missing = [t for t in system.leaves if t.name not in given]
    if not missing:
        return chosen, given
    best: tuple[float, dict[str, Array]] | None = None
    for attempt in range(DRAWS):
        rng = np.random.default_rng([seed, attempt])
        values = {t.name: _leaf(t, chosen, rng, known, initial or {}) for t in missing}
        values = {**values, **_noise(system, chosen, seed + attempt), **given}
        wrong = _trouble(system, values, chosen)
        if best is None or wrong < best[0]:
            best = (wrong, values)
        if not wrong:
            break
    assert best is not None
    return chosen, best[1]


# --- sizes
def handy_sizes(system: System, given: Mapping[str, int], *, small: bool = False) -> dict[str, int]:
    """A value for each size: those given, those bound, and 2 or 3 for the others, as far as they fit.
    Raises EvaluationError where no small ones do."""
    fixed = {**(_telling(system) if small else system.bound), **given}
    fixed = {name: extent for name, extent in fixed.items() if name in system.sizes}
    open_ = [name for name in system.sizes if name not in fixed]
    if not open_:
        return {name: fixed[name] for name in system.sizes}
    needed, classes = constraints(system), _counting_labels(system)
    for asked in (needed, replace(needed, reaches=())):  # a read that a bracket guards needn't stay in range
        for found in _choices(open_, fixed, classes):
            if asked.hold(found):
                return {name: found[name] for name in system.sizes}
    if given or not small:
        raise EvaluationError(
            "no small sizes fit those that are given",
            details=(f"given: {', '.join(f'{n} = {v}' for n, v in fixed.items())}",),
            help="give the other sizes, too: " + ", ".join(open_),
        )
    return dict(sample_sizes(system))


def _telling(system: System) -> dict[str, int]:
    """The bound sizes that a small example keeps: those that positions in the declaration need, and small
    numbers that have no name, a kernel's."""
    nameless = {n: v for n, v in system.bound.items() if n in system.unnamed and v <= SMALL}
    return {**nameless, **literal_sizes(system)}


def _counting_labels(system: System) -> frozenset[str]:
    """The sizes that bound labels."""
    bounds = [fact.bound for tensor in system.leaves for fact in tensor.facts if fact.bound is not None]
    return frozenset(bound.name for bound in bounds if isinstance(bound, Size))


def _choices(
    open_: Sequence[str], fixed: Mapping[str, int], classes: frozenset[str]
) -> Iterator[dict[str, int]]:
    """2, 3, 2, … first, three classes; then others, the smallest in sum first."""
    turn = itertools.cycle(HANDY)
    yield {**fixed, **{name: CLASSES if name in classes else next(turn) for name in open_}}
    for most in range(2, 10):
        ranges = [range(2, most + 1)] * len(open_)
        combinations = (c for c in itertools.product(*ranges) if most in c)
        for values in itertools.islice(combinations, MOST_TRIES):
            yield {**fixed, **dict(zip(open_, values, strict=True))}


# --- numbers
def _leaf(
    tensor: Tensor,
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    constants: Mapping[str, float],
    initial: Mapping[str, Initial],
) -> Array:
    shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
    if tensor.name in constants:
        return np.full(shape, constants[tensor.name])
    start = initial.get(tensor.name)
    if tensor.role is Role.BUFFER and start is not None:
        return np.full(shape, _start(start))
    if tensor.integer:
        return _integers(tensor, shape, sizes, rng)
    if tensor.role is Role.HYPER:
        return np.abs(_numbers(tensor, shape, rng))
    for kind, rule in _BY_FACT.items():
        fact = tensor.fact(kind)
        if fact is not None:
            return rule(_numbers(tensor, shape, rng), fact, rng)
    return _numbers(tensor, shape, rng)


def _start(start: Initial) -> float:
    """How a buffer starts: a running mean at 0, a running variance at 1."""
    scale = start.scale if start.distribution == "constant" else sympy.Integer(0)
    total = sympy.sympify(scale) + sympy.sympify(start.shift)
    return float(total) if total.is_number else 0.0


def _integers(
    tensor: Tensor, shape: tuple[int, ...], sizes: Mapping[str, int], rng: np.random.Generator
) -> Array:
    """Labels in a shuffled order, so that as many as fit occur; a length without a bound is 1 or 2."""
    bound = tensor.fact("below") or tensor.fact("below or ignored")
    if bound is None or bound.bound is None:
        return np.asarray(rng.integers(1, 3, shape), np.int64)
    top, count = evaluate_size(bound.bound, sizes), math.prod(shape)
    deck = np.concatenate([rng.permutation(top) for _ in range(-(-count // top))])
    return np.asarray(deck[:count].reshape(shape), np.int64)


def _numbers(tensor: Tensor, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers of a readable size, none of them 0; all different in a small tensor."""
    count = math.prod(shape)
    fine = count > COARSE
    top = 1.0 if tensor.role in (Role.INPUT, Role.TARGET, Role.RANDOM) else 0.8
    step = 0.01 if fine else 0.1
    rungs = [round(k * step, 2) for k in range(-round(top / step), round(top / step) + 1) if k]
    wide = 1 / math.sqrt(max(1, shape[0] / 4)) if len(shape) > 1 else 1.0  # long sums of smaller summands
    picked = rng.permutation(rungs)[:count] if count <= len(rungs) else rng.choice(rungs, count)
    return np.asarray(np.round(picked * wide, 2 if fine or wide < 1 else 1).reshape(shape))


def _shares(numbers: Array, fact: Fact, rng: np.random.Generator) -> Array:
    """Tenths that sum to one along an axis; hundredths along a long one."""
    axis = fact.axis or 0
    length = numbers.shape[axis]
    parts = 10 if length <= 5 else 100 if length <= 50 else 10 * length
    rows = np.moveaxis(np.empty(numbers.shape), axis, -1)
    for at in np.ndindex(rows.shape[:-1]):
        cuts = np.sort(rng.choice(np.arange(1, parts), length - 1, replace=False))
        rows[at] = np.diff(np.concatenate([[0], cuts, [parts]])) / parts
    return np.asarray(np.moveaxis(rows, -1, axis))


def _one_hot(numbers: Array, fact: Fact, rng: np.random.Generator) -> Array:
    axis = fact.axis or 0
    ranks = np.asarray(rng.random(numbers.shape)).argsort(axis=axis)
    return np.asarray(ranks == 0, dtype=float)


def _binary(numbers: Array, fact: Fact, rng: np.random.Generator) -> Array:  # noqa: ARG001
    """As many zeros as ones, or one more."""
    flat = np.arange(numbers.size) % 2
    return np.asarray(rng.permutation(flat).reshape(numbers.shape), dtype=float)


def _symmetric(numbers: Array, fact: Fact, rng: np.random.Generator) -> Array:  # noqa: ARG001
    """Symmetric and, where matrix functions want that, positive definite: a large diagonal."""
    lower = np.tril(numbers, -1)
    whole = lower + np.swapaxes(lower, -1, -2)
    return np.asarray(np.round(whole + np.eye(numbers.shape[-1]) * (1 + np.abs(numbers)), 2))


Rule = Callable[[Array, Fact, np.random.Generator], Array]
_BY_FACT: Mapping[str, Rule] = {
    "one hot": _one_hot,
    "sums to one": _shares,
    "binary": _binary,
    "symmetric": _symmetric,
    "positive": lambda numbers, *_: np.abs(numbers),
    "nonnegative": lambda numbers, *_: np.abs(numbers),
    "lower triangular": lambda numbers, *_: np.tril(numbers),
    "upper triangular": lambda numbers, *_: np.triu(numbers),
}


def _noise(system: System, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """Random tensors as a module would draw them, rounded to a decimal; a mask that hides nothing, or
    everything, would show nothing, and is drawn evenly."""
    shapes = {t.name: tuple(evaluate_size(e, sizes) for e in t.shape) for t in system.random}
    found = drawn({t.name: t.draw for t in system.random if t.draw is not None}, shapes, seed=seed)
    for number, (name, array) in enumerate(found.items()):
        drawn_as, rounded = system.tensor(name).draw, np.round(array, 1)
        if drawn_as is not None and drawn_as.kind == "uniform":
            rounded = np.clip(rounded, 0.1, 0.9)
        if drawn_as is not None and drawn_as.kind == "bernoulli" and array.size > 1 and np.ptp(array) == 0:
            rounded = _binary(array, Fact("binary"), np.random.default_rng([seed, number]))
        found[name] = np.asarray(rounded, float)
    return found


# --- what makes numbers a bad example
def _trouble(system: System, values: Mapping[str, Array], sizes: Mapping[str, int]) -> float:
    """0 for a good example; more, the worse it is: 100 where something has no value."""
    run = Run(system, values, sizes)
    wanted = [name for name in (*system.outputs, system.loss) if name is not None]
    try:
        with np.errstate(all="ignore"):
            for name in wanted:
                run.tensor(name)
            tensors = run.everything()
    except EvaluationError:
        return 1000.0
    real = [a for name, a in tensors.items() if not system.tensor(name).integer]
    masks = any(t.fact("mask") for t in system.leaves)
    if any(bool(np.isnan(a).any() or (np.isinf(a).any() and not masks)) for a in real):
        return 100.0
    largest = max((float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)) for a in real), default=0.0)
    found = 10.0 * (largest > LARGE)
    if kink_margin(system, values, sizes, wanted) < FAR:
        found += 5.0
    return found + _saturation(system, tensors)


def _saturation(system: System, tensors: Mapping[str, Array]) -> float:
    """How many gradients are all but 0."""
    gradients = [t.name for t in system.with_role(Role.GRADIENT) if t.name in tensors]
    return sum(float(np.max(np.abs(tensors[name]), initial=0.0) < 1e-3) for name in gradients)
