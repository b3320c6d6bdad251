"""Trains for some steps and measures each: the loss, the norms of gradients, parameters and their changes.

Enters: a setting. Leaves: a frozen `Course`. Must not know: what of it is healthy.

Everything is computed by the reference semantics: the derivation for gradients, the equations of the
optimizer for updates. So any tensor can be looked at, and the rate can change from step to step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, log, prod
from typing import Any

import numpy as np

from symbp.ir.evaluation.vector import Run
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Role
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule
from symbp.verify.health.broken import first_broken
from symbp.verify.health.looks import Instruments, look
from symbp.verify.health.records import Array, Broken, Course, Look, UpdateRecord
from symbp.verify.health.setting import RATE, Setting, started
from symbp.verify.health.shaped import ShapedOptimizer
from symbp.verify.points import bound_of

Said = Callable[[str], None]
MIDDLE = 2  # probes between the start and the end
ENDLESS = 1e150  # a loss beyond this has left: its square is no number


@dataclass(frozen=True)
class Moment:
    """One step as it was taken: what was measured, and the parameters after it; `broken` where it couldn't
    be, and parameters are those before."""

    step: UpdateRecord | None
    params: Mapping[str, Array]
    buffers: Mapping[str, Array]
    broken: Broken | None = None


@dataclass(frozen=True)
class Point:
    """Parameters and arrays of a step: what is computed there, when it is asked for."""

    setting: Setting
    data: Mapping[str, Array]
    params: Mapping[str, Array]
    buffers: Mapping[str, Array]
    number: int

    @cached_property
    def run(self) -> Run:
        leaves = self.setting.leaves(self.data, self.params, self.buffers, self.number)
        return Run(self.setting.system, leaves, self.setting.sizes_for(self.data))

    @cached_property
    def differentiated(self) -> tuple[float, dict[str, Array]]:
        """The loss and the gradient by each parameter; 0 by those that the loss doesn't rest on."""
        derivation = self.setting.derivation
        by_module = self._by_module()
        if by_module is not None:
            loss, found = by_module
        else:
            with np.errstate(all="ignore"):
                loss = float(self.run.tensor(self.setting.system.loss or ""))
                found = {name: self.run.tensor(g) for name, g in derivation.gradients.items()}
        zeros = {name: np.zeros_like(array) for name, array in self.params.items() if name not in found}
        return loss, {**found, **zeros}

    def _by_module(self) -> tuple[float, dict[str, Array]] | None:
        """By the generated module; None where there is none, or it refuses values."""
        module = self.setting.module
        if module is None:
            return None
        more: dict[str, Any] = {"buffers": dict(self.buffers)} if self.buffers else {}
        try:
            loss, found = module.loss_and_gradients(
                dict(self.params), seed=self.setting.seed + self.number, **more, **self.data
            )
        except module.DataError:  # a fact of a parameter that its last update has broken
            return None
        return float(loss), {name: np.array(gradient) for name, gradient in found.items()}

    @property
    def next_buffers(self) -> dict[str, Array]:
        """Buffers after the step."""
        updates = self.setting.system.updates
        with np.errstate(all="ignore"):
            changed = {n: self.run.tensor(updates[n]) for n in self.buffers if n in updates}
        return {**self.buffers, **changed}


def moments(
    setting: Setting, rate: Callable[[int], float] | None = None, period: int | None = None
) -> Iterator[Moment]:
    """The steps one after the other, without end; at the rates that are asked for, if they are; with the
    arrays of the first `period` steps again and again, if there is one. The last is one that is broken."""
    params, buffers = started(setting)
    optimizer = (ShapedOptimizer if setting.rule.shaped else _Optimizer)(setting.rule, params)
    number = 0
    while True:
        number += 1
        drawn = number if period is None else (number - 1) % period + 1
        point = Point(setting, setting.batch_at(drawn), params, buffers, drawn)
        loss, gradients = point.differentiated
        if not isfinite(loss) or not all(np.isfinite(g).all() for g in gradients.values()):
            asked = [setting.system.loss or "", *setting.derivation.gradients.values()]
            yield Moment(None, params, buffers, first_broken(point.run, setting.system, asked, number))
            return
        changed = optimizer.step(params, gradients, rate(number) if rate else None)
        step = UpdateRecord(
            number,
            loss,
            {name: _norm(gradients[name]) for name in params},
            {name: _norm(array) for name, array in params.items()},
            {name: _norm(changed[name] - array) for name, array in params.items()},
        )
        params, buffers = changed, point.next_buffers
        yield Moment(step, params, buffers)


def first_losses(setting: Setting, count: int) -> list[float]:
    """The losses of the batches of the first steps, all with the parameters as they start."""
    params, buffers = started(setting)
    points = (Point(setting, setting.batch_at(k), params, buffers, k) for k in range(1, count + 1))
    return [point.differentiated[0] for point in points]


def _norm(array: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.asarray(array, float).reshape(-1)))


class _Optimizer:
    """An update rule over all parameters that it updates in one row, or in a row each where it tells them
    apart, with its moments. Shorter rows end with zeros, which add nothing to sums."""

    def __init__(self, rule: UpdateRule, params: Mapping[str, Array]) -> None:
        parts = rule.parts_of(params)
        self.rule, self.shapes = rule, {part.parameter: params[part.parameter].shape for part in parts}
        lengths = [prod(shape) for shape in self.shapes.values()]
        self.sizes = {"K": len(parts), "P": max(lengths)} if rule.by_parameter else {"P": sum(lengths)}
        self.own = {name: np.array([part.values[j] for part in parts]) for j, name in enumerate(rule.own)}
        self.moments = {name: np.zeros(tuple(self.sizes.values())) for name in rule.moments}
        self.count = 0

    def step(self, params: Mapping[str, Array], gradients: Mapping[str, Array], rate: float | None
             ) -> dict[str, Array]:  # fmt: skip
        """The parameters after an update, at another rate than the rule's if one is given."""
        self.count += 1
        hyper = {**self.rule.hyper, **({RATE: rate} if rate is not None else {})}
        values = {
            **{name: np.asarray(value, float) for name, value in hyper.items()},
            **self.moments,
            **self.own,
            THETA: self._flat(params),
            GRADIENT: self._flat(gradients),
            STEP: np.asarray(self.count),
        }
        system = self.rule.system
        used = {name: value for name, value in values.items() if name in system.by_name}
        run = Run(system, used, self.sizes)
        with np.errstate(all="ignore"):
            self.moments = {name: run.tensor(system.updates[name]) for name in self.moments}
            return {**params, **self._named(run.tensor(system.updates[THETA]))}

    def _flat(self, arrays: Mapping[str, Array]) -> Array:
        rows = [np.asarray(arrays[name], float).reshape(-1) for name in self.shapes]
        if not self.rule.by_parameter:
            return np.concatenate(rows)
        return np.array([np.pad(row, (0, self.sizes["P"] - len(row))) for row in rows])

    def _named(self, flat: Array) -> dict[str, Array]:
        found, start = {}, 0
        if self.rule.by_parameter:
            shapes = self.shapes.items()
            return {n: row[: prod(s)].reshape(s) for row, (n, s) in zip(flat, shapes, strict=True)}
        for name, shape in self.shapes.items():
            found[name] = flat[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
        return found


# --- a whole training
def probe_loss(setting: Setting, params: Mapping[str, Array], buffers: Mapping[str, Array]) -> float:
    """The loss on the probe."""
    return Point(setting, setting.probe, params, buffers, 0).differentiated[0]


def chance_loss(setting: Setting, params: Mapping[str, Array], buffers: Mapping[str, Array]) -> float | None:
    """What all parameters at 0 give, so all classes alike. Only where there are classes: elsewhere 0 is as
    good a guess as any."""
    targets = setting.system.with_role(Role.TARGET)
    if not any(t.integer or t.fact("binary") or t.fact("one hot") for t in targets):
        return None
    nothing = {name: np.zeros_like(array) for name, array in params.items()}
    value = probe_loss(setting, nothing, buffers)
    return value if isfinite(value) else None


def frequent_loss(setting: Setting, chance: float | None) -> float | None:
    """What the frequencies of the classes alone give, where the loss is the cross entropy of such: offsets
    learn these though nothing comes through from the inputs."""
    targets = [t for t in setting.system.with_role(Role.TARGET) if t.integer and t.name in setting.probe]
    if len(targets) != 1 or chance is None:
        return None
    (bound,) = [bound_of(target) for target in targets]
    classes = bound.bound if bound is not None else None
    if classes is None or abs(chance - log(evaluate_size(classes, setting.sizes))) > 1e-6 * chance:
        return None
    counts = np.unique(setting.probe[targets[0].name], return_counts=True)[1]
    shares = counts / counts.sum()
    return float(-np.sum(shares * np.log(shares)))


def train(setting: Setting, tools: Instruments) -> Course:
    """The steps of a setting, with the loss on the probe now and then, and looks at the start and the end."""
    start, buffers = started(setting)
    probes = {0: probe_loss(setting, start, buffers)}
    looks: list[Look] = []
    steps: list[UpdateRecord] = []
    if isfinite(probes[0]):
        looks.append(look(tools, setting, start, buffers, 0, setting.probe))
    chance = chance_loss(setting, start, buffers)
    still = set(start)
    middle = {round(setting.steps * (k + 1) / (MIDDLE + 1)) for k in range(MIDDLE)}
    params: Mapping[str, Array] = start
    held: Mapping[str, Array] = buffers
    broken, escaped = None, False
    for moment in moments(setting):
        if moment.step is None:
            broken, escaped = moment.broken, moment.broken is None
            break
        if not abs(moment.step.loss) < ENDLESS:
            escaped = True
            break
        steps.append(moment.step)
        params, held = moment.params, moment.buffers
        still -= {name for name, norm in moment.step.gradient.items() if norm > 0}
        number = moment.step.number
        if number in middle or number == setting.steps:
            probes[number] = probe_loss(setting, params, held)
        if number == setting.steps:
            break
    if broken is None and not escaped and steps and isfinite(probes[max(probes)]):
        looks.append(look(tools, setting, params, held, steps[-1].number, setting.probe))
    return Course(
        setting.rate,
        tuple(steps),
        probes,
        tuple(looks),
        broken,
        tuple(sorted(still)),
        escaped,
        chance,
        frequent_loss(setting, chance),
        start,
        params,
    )
