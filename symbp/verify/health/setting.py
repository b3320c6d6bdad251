"""What a training is run with: a derivation, an optimizer, arrays, sizes; its batches and its start.

Enters: a derivation, an update rule, arrays by the names of the network's inputs. Leaves: a frozen `Setting`,
batches, values of leaves. Must not know: what is measured of a training, what is ill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.ir.axes.examples import examples
from symbp.ir.expr import Expr, Size
from symbp.ir.points.drawn import drawn
from symbp.ir.points.sampling import draws, evaluate_size
from symbp.ir.system import Equation, Role, System, Tensor
from symbp.ir.training import STEP, Initial, UpdateRule

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
RATE = "lr"  # what optimizers call the learning rate
PROBE = (32, 128)  # examples on which the loss is measured between steps: two batches, within these


@dataclass(frozen=True)
class Setting:
    """`sizes` are those of the data and of the parameters, but for `batch`, the size that counts examples: it
    is as large as a batch is; None where arrays can't be cut. `initial` are the starts of the parameters,
    `rescaled` numbers by which some are multiplied; `what` says what the data are. A `module` that was
    generated for the network gives the same gradients sooner. Data that aren't `given` stand in for some."""

    derivation: Derivation
    rule: UpdateRule
    data: Values
    sizes: Mapping[str, int]
    batch: str | None
    batch_size: int
    steps: int
    seed: int
    initial: Mapping[str, Initial]
    what: str = ""
    rescaled: Mapping[str, float] = field(default_factory=dict)
    module: ModuleType | None = None
    given: bool = True

    @property
    def system(self) -> System:
        return self.derivation.system

    @property
    def rate(self) -> float | None:
        return self.rule.hyper.get(RATE)

    @property
    def examples(self) -> int:
        return len(next(iter(self.data.values()))) if self.batch else 1

    def at_rate(self, rate: float) -> Setting:
        """The same at another learning rate."""
        return replace(self, rule=replace(self.rule, hyper={**self.rule.hyper, RATE: rate}))

    def with_module(self, module: ModuleType) -> Setting:
        """The same, with a generated module at hand."""
        return replace(self, module=module)

    def batch_at(self, step: int) -> Values:
        """The arrays of a step, counted from 1: all examples in random order, then again in another one."""
        if self.batch is None:
            return self.data
        count, size = self.examples, min(self.batch_size, self.examples)
        in_an_epoch = max(1, count // size)
        epoch, place = divmod(step - 1, in_an_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(count)
        chosen = order[place * size : (place + 1) * size]
        return {name: array[chosen] for name, array in self.data.items()}

    @property
    def probe(self) -> Values:
        """The arrays on which losses are compared: the same throughout."""
        count = int(np.clip(2 * self.batch_size, *PROBE))
        if self.batch is None or self.examples <= count:
            return self.data
        chosen = np.sort(np.random.default_rng(self.seed).permutation(self.examples)[:count])
        return {name: array[chosen] for name, array in self.data.items()}

    def sizes_for(self, data: Values) -> dict[str, int]:
        """All sizes, where a step has these arrays."""
        counted = {self.batch: len(next(iter(data.values())))} if self.batch else {}
        return {**self.sizes, **counted}

    def leaves(self, data: Values, params: Values, buffers: Values, step: int) -> dict[str, Array]:
        """The values of all leaves at a step."""
        constants = {name: np.asarray(value, float) for name, value in self.derivation.constants.items()}
        random = draws(self.system, self.sizes_for(data), self.seed + step) if self.system.random else {}
        return {**constants, **random, **data, **buffers, **params}


def batch_size_name(system: System, data: Values) -> str | None:
    """The size along which arrays are cut into batches: the first of each of them."""
    found = examples(system, [name for name in system.sizes if name not in system.bound])
    firsts = {system.tensor(name).shape[:1] for name in data}
    return found if found is not None and firsts == {(Size(found),)} else None


# --- starts
def started(setting: Setting) -> tuple[dict[str, Array], dict[str, Array]]:
    """(parameters, buffers) as they start, the same that a generated module draws with this seed."""
    rng, sizes = np.random.default_rng(setting.seed), setting.sizes
    params = {
        t.name: setting.rescaled.get(t.name, 1.0)
        * starting(t, setting.initial.get(t.name, Initial("constant")), sizes, rng)
        for t in setting.system.parameters
    }
    buffers = {
        t.name: _buffer(t, setting.initial.get(t.name), setting)
        for t in setting.system.with_role(Role.BUFFER)
    }
    return params, buffers


def starting(tensor: Tensor, initial: Initial, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
    """A parameter as it starts."""
    shape = tuple(evaluate_size(extent, sizes) for extent in tensor.shape)
    scale, shift = number(initial.scale, sizes), number(initial.shift, sizes)
    if initial.distribution == "constant" or scale == 0:
        value = np.full(shape, shift + (scale if initial.distribution == "constant" else 0.0))
    else:
        value = np.asarray(scale * drawn(initial.distribution, shape, rng) + shift)
    if tensor.fact("symmetric"):
        value = (value + value.swapaxes(-1, -2)) / 2
    value = np.tril(value) if tensor.fact("lower triangular") else value
    return np.triu(value) if tensor.fact("upper triangular") else value


def _buffer(tensor: Tensor, initial: Initial | None, setting: Setting) -> Array:
    shape = tuple(evaluate_size(extent, setting.sizes) for extent in tensor.shape)
    if initial is None:
        return np.zeros(shape)
    if initial.distribution in ("mean", "deviation"):
        data = np.asarray(setting.data[initial.of], float)
        others = tuple(k for k in range(data.ndim) if k != initial.axis) if initial.axis is not None else None
        if initial.distribution == "mean":
            return np.asarray(data.mean(axis=others))
        deviation = np.asarray(data.std(axis=others))
        return np.where(deviation == 0, 1.0, deviation)
    return starting(tensor, initial, setting.sizes, np.random.default_rng(0))


def number(e: Expr, sizes: Mapping[str, int]) -> float:
    """The value of an expression in sizes."""
    return float(e.subs({s: sizes[s.name] for s in e.free_symbols if isinstance(s, Size)}))


# --- rates
def unscheduled(rule: UpdateRule) -> UpdateRule:
    """The rule with its learning rate as it is given, whatever the step: a rate by a schedule is a scalar of
    the rate and of the step, and of nothing else that is measured."""
    system = rule.system
    if RATE not in system.by_name:
        return rule
    rate = system.tensor(RATE).at()

    def plain(equation: Equation) -> Equation:
        read = set(equation.read_names)
        scheduled = not equation.indices and read == {RATE, STEP} and equation.body.has(rate)
        return equation.with_(body=rate) if scheduled else equation

    def without(one: System) -> System:
        return one.with_(equations=tuple(map(plain, one.equations)))

    return replace(
        rule, system=without(system), forms={form: without(one) for form, one in rule.forms.items()}
    )
