"""symbp's generated modules as a peer, in either target: a declaration derived, generated, imported."""

from __future__ import annotations

from functools import cache
from typing import Any

from benchmarks.peers.step import Step
from benchmarks.references.update import SGD, Rule
from benchmarks.rows import ROWS, Row
from symbp import optim
from symbp.derive import Derivation, derive
from symbp.ir.training import UpdateRule
from symbp.targets import named
from symbp.targets.loading import load
from symbp.targets.target import Order


def update_rule(rule: Rule) -> UpdateRule:
    """The row's update in symbp's terms."""
    if isinstance(rule, SGD):
        return optim.SGD(rule.lr)
    options: dict[str, Any] = {"lr": rule.lr, "beta1": rule.beta1, "beta2": rule.beta2, "eps": rule.eps}
    return optim.AdamW(**options, weight_decay=rule.decay) if rule.decay else optim.Adam(**options)


@cache
def derivation(name: str) -> Derivation:
    """The row's derivation, which no size and no target changes; derived once in a run."""
    system, _ = ROWS[name].declared()
    return derive(system, name=name.replace("-", "_"))


def source(row: Row, target: str, dtype: str) -> str:
    """The text of the row's module."""
    found, chosen = derivation(row.name), named(target)
    rule, starts, sizes = update_rule(row.rule), row.declared()[1], {**found.system.bound, **row.bound}
    return chosen.source(Order(found, rule, starts, sizes, {}, dtype, chosen.usual))


def prepare(row: Row, dtype: str, threads: int, target: str) -> Step:
    """The module's own training step."""
    params, data = row.arrays(dtype)
    module = load(source(row, target, dtype), row.name.replace("-", "_"))
    state = module.init_state(params, threads=threads)
    return Step(lambda: float(module.train_step(state, **data)), lambda: dict(state.gradients))
