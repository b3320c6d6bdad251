"""Formulas that lose their value in float32 where they have one, each with the numbers that show it.

Enters: a derivation. Leaves: findings. Must not know: softmax, cross-entropy or any other op by name.

What exponentials are taken of (logits, scores, log-variances) is set to numbers that trained networks have,
up to ±100, and what depends on it is computed as it was declared: element by element, in float32, and in 50
digits. Where the first is infinite or no number though the second is an ordinary one, the formula is unstable
as it is written. symbp's own equations are computed at the same numbers, gradients too: where these are
right, that is a note, and where they aren't, a problem. Numbers at which a value of symbp's own equations is
beyond float32 are left out: nobody could hold it.

Roots of squares are asked at 0: the derivative as it is written is 0/0 or infinite there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from symbp.derive.derivation import Derivation
from symbp.derive.sweep.reverse import adjoints
from symbp.errors import SymbpError
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import HIGH, Domain
from symbp.ir.evaluation.single import SINGLE, with_softplus
from symbp.ir.expr import Access, Expr, IntegerAccess, accesses
from symbp.ir.points.fitting import least_sizes
from symbp.ir.points.sampling import as_fractions, sample_run
from symbp.ir.system import Equation, System
from symbp.verify.lint.report import Finding
from symbp.verify.proofs.evaluation import Array, Evaluation, Refused
from symbp.verify.proofs.points import Point

NUMBERS = ((100, -100, 20, -20, 0, 90, 40, -90), (100, -100), (20, -20, 3, 0), (20, -20))
LARGEST = 1e37  # what float32 can hold, and some room
ACCURATE = 1e-3  # relative, of float32's 6e-8: a value that is off by more has lost its digits


@dataclass(frozen=True)
class _Trial:
    """One tensor set to numbers, at a point; what was declared and what was derived, without its equation."""

    seed: str
    point: Point

    def of(self, system: System, domain: Domain, wanted: Sequence[str]) -> Evaluation:
        left = tuple(e for e in system.equations if e.target != self.seed)
        return Evaluation(system.with_(equations=left), replace(self.point, domain=domain), wanted)


def unstable(derivation: Derivation) -> Iterator[Finding]:
    """Each formula that is unstable as declared, once."""
    system = derivation.declared
    trained = _trained(system)
    values = _values(system)
    if values is None:
        return
    seen: set[object] = set()
    for seed in reversed(_seeds(system, trained)):
        for trial in _trials(system, seed, values):
            found = _failing(system, trained, trial)
            if found is None or _is_beyond(derivation.system, trial):
                continue
            name, at, true = found
            equation = system.defining[name]
            key = equation.origin or name
            if key not in seen:
                seen.add(key)
                yield _finding(derivation, trial, name, at, true, trained)
            break
    yield from _roots(derivation, values)


def _trained(system: System) -> frozenset[str]:
    """What outputs and loss rest on."""
    return system.resting([*system.outputs, *([system.loss] if system.loss else [])])


def _values(system: System) -> tuple[dict[str, int], Mapping[str, Any]] | None:
    try:
        sizes = least_sizes(system)
        return sizes, as_fractions(system, sample_run(system, 5, sizes=sizes).values)
    except SymbpError:
        return None


def _seeds(system: System, trained: frozenset[str]) -> list[str]:
    """The tensors that exponentials are taken of."""
    found: dict[str, None] = {}
    for equation in system.equations:
        if equation.target in trained and not equation.constant:
            for exponential in sorted(equation.body.atoms(sympy.exp), key=sympy.default_sort_key):
                reads = (a for a in accesses(exponential.args[0]) if not isinstance(a, IntegerAccess))
                found |= dict.fromkeys(a.name for a in reads)
    return [name for name in found if not system.tensor(name).facts]


def _trials(system: System, seed: str, values: tuple[dict[str, int], Mapping[str, Any]]) -> Iterator[_Trial]:
    sizes, leaves = values
    rng = np.random.default_rng(3)
    try:
        shape = Evaluation(system, _at(sizes, leaves, HIGH), (seed,)).tensor(seed).shape
    except Refused:
        return
    for numbers in NUMBERS:
        array = np.empty(shape, dtype=object)
        for at in np.ndindex(shape):
            array[at] = int(rng.choice(numbers))
        yield _Trial(seed, _at(sizes, {**leaves, seed: array}, HIGH))


def _at(sizes: Mapping[str, int], values: Mapping[str, Any], domain: Domain) -> Point:
    return Point(sizes, values, domain, AS_THEY_ARE, False)


Failure = tuple[str, tuple[int, ...], Any]


def _failing(system: System, trained: frozenset[str], trial: _Trial) -> Failure | None:
    """The first tensor that float32 has no value for though it has an ordinary one: where, and which. It
    reads none of the others."""
    order = [e.target for e in system.equations if e.target in trained and e.target != trial.seed]
    depending = [name for name in order if trial.seed in system.ancestors(name)]
    single = trial.of(system, SINGLE, depending)
    true = trial.of(system, HIGH, depending)
    failing: dict[str, Failure] = {}
    for name in depending:
        if system.tensor(name).integer:
            continue
        try:
            ours, theirs = single.tensor(name), true.tensor(name)
        except Refused:
            continue
        for at in np.ndindex(ours.shape):
            if not math.isfinite(ours[at]) and _is_ordinary(theirs[at]):
                failing[name] = name, at, theirs[at]
                break
    first = (n for n in failing if not any(read in failing for read in system.defining[n].read_names))
    return failing[next(first, next(iter(failing)))] if failing else None


def _is_beyond(derived: System, trial: _Trial) -> bool:
    """Whether a value of the derived equations can't be held at all."""
    names = [e.target for e in derived.equations if e.target in _trained(derived) and e.target != trial.seed]
    true = trial.of(derived, HIGH, names)
    for name in names:
        try:
            if any(v == v and LARGEST < abs(v) < math.inf for v in true.tensor(name).flat):
                return True
        except Refused:
            continue
    return False


def _is_ordinary(value: Any) -> bool:
    return bool(value == value and abs(value) < LARGEST)


def _finding(
    derivation: Derivation,
    trial: _Trial,
    name: str,
    at: tuple[int, ...],
    true: Any,
    trained: frozenset[str],
) -> Finding:
    system = derivation.declared
    given = _shown(trial.point.values[trial.seed])
    single = trial.of(system, SINGLE, (name,))
    element = f"[{','.join(map(str, at))}]" if at else ""
    ours = single.tensor(name)[at]
    value = f"{{{name}}}{element} is {ours} in float32; its value is {_short(true)}"
    why = [f"With {{{trial.seed}}} = {given}, {value}."]
    why += _overflow(system, trial, name, trained)
    wrong = _without_value(derivation, trial) if trial.seed in derivation.system.by_name else [name]
    equation = system.defining[name]
    if wrong:
        listed = ", ".join(f"{{{name}}}" for name in wrong)
        have = "has" if len(wrong) == 1 else "have"
        advice = f"symbp's equations lose it, too: {listed} {have} no value there."
    else:
        advice = "symbp's equations are stable there: it rewrites the formula, and all gradients are finite."
    return Finding(
        "problem" if wrong else "note",
        "formula that overflows as it is written",
        (name, trial.seed),
        f"{{{name}}} as it is written has no value in float32 at values of {{{trial.seed}}} that occur.",
        tuple(why),
        "Computed as declared, element by element, in float32 and in 50 digits.",
        advice,
        equation.origin,
    )


def _overflow(system: System, trial: _Trial, name: str, trained: frozenset[str]) -> Iterator[str]:
    """The first value on the way that float32 can't hold, or takes for 0 or 1."""
    order = [e.target for e in system.equations if e.target in system.ancestors(name) & trained]
    true = trial.of(system, HIGH, order)
    for other in order:
        if other in (name, trial.seed):
            continue
        try:
            array = true.tensor(other)
        except Refused:
            continue
        for value in array.flat:
            if value == value and LARGEST < abs(value) < math.inf:
                yield f"On the way, {{{other}}} is {_short(value)}, more than float32 can hold (3.4e38)."
                return
            if 0 < abs(value) < 1e-45:
                yield f"On the way, {{{other}}} is {_short(value)}, which float32 takes for 0."
                return


def _without_value(derivation: Derivation, trial: _Trial) -> list[str]:
    """The derived tensors that are wrong in float32 at the same numbers: outputs and the loss that aren't
    what they are in 50 digits, gradients that aren't finite."""
    system, declared = with_softplus(derivation.system), derivation.declared
    asked = [n for n in (*system.outputs, *([system.loss] if system.loss else [])) if n != trial.seed]
    gradients = list(derivation.gradients.values())
    ours = trial.of(system, SINGLE, [*asked, *gradients])
    true = trial.of(declared, HIGH, asked)
    return [n for n in asked if not _close(ours, true, n)] + [n for n in gradients if not _finite(ours, n)]


def _close(ours: Evaluation, true: Evaluation, name: str) -> bool:
    try:
        pairs = list(zip(ours.tensor(name).flat, true.tensor(name).flat, strict=True))
    except Refused:
        return False
    return all(
        abs(float(a) - float(b)) <= ACCURATE * (1 + abs(float(b))) for a, b in pairs if _is_ordinary(b)
    )


def _finite(ours: Evaluation, name: str) -> bool:
    try:
        return all(math.isfinite(value) for value in ours.tensor(name).flat)
    except Refused:
        return False


def _shown(values: Array) -> str:
    """The numbers that a tensor was set to: some of them."""
    flat = [str(v) for v in values.flat]
    if not values.shape:
        return flat[0]
    return f"({', '.join(flat[:6])}{', …' if len(flat) > 6 else ''})"


def _short(value: Any) -> str:
    from mpmath import nstr

    return str(nstr(value, 6))


# --- roots at 0
def _roots(derivation: Derivation, values: tuple[dict[str, int], Mapping[str, Any]]) -> Iterator[Finding]:
    """Roots whose argument may be 0, where the derivative as written has no value."""
    system = derivation.declared
    if system.loss is None or derivation.of is not None:
        return
    seeds: dict[str, Equation] = {}
    for equation in system.equations:
        for name in _rooted(equation.body, system):
            seeds.setdefault(name, equation)
    if not seeds:
        return
    sweep = adjoints(system, system.loss, list(derivation.gradients))
    for seed, equation in seeds.items():
        sizes, leaves = values
        shape = np.shape(leaves[seed]) if seed in leaves else None
        if shape is None:
            continue
        zero = np.full(shape, 0, dtype=object)
        trial = _Trial(seed, _at(sizes, {**leaves, seed: zero}, HIGH))
        if not _gradients_finite(trial, sweep.system, list(sweep.gradients.values())):
            stable = _gradients_finite(trial, derivation.system, list(derivation.gradients.values()))
            yield _root_finding(seed, equation, stable=stable)


def _root_finding(seed: str, equation: Equation, *, stable: bool) -> Finding:
    advice = "symbp's gradient is finite there: of a root of squares it is 0, the subgradient of least norm."
    return Finding(
        "note" if stable else "problem",
        "root at 0",
        (equation.target, seed),
        f"{{{equation.target}}} has no derivative where {{{seed}}} is 0.",
        (f"With {{{seed}}} = 0, the chain rule as it is written gives 0/0 or an infinite gradient.",),
        "Computed in float32, by the chain rule on the equations as declared.",
        advice if stable else "Add a small number under the root, or exclude 0.",
        equation.origin,
    )


def _rooted(body: Expr, system: System) -> Iterator[str]:
    """The leaves under roots, without a positive number beside them."""
    for power in sorted(body.atoms(sympy.Pow), key=sympy.default_sort_key):
        exponent = power.exp
        if not (exponent.is_Rational and exponent.q == 2) or power.base.as_coeff_Add()[0] > 0:
            continue
        for access in accesses(power.base):
            yield from _leaves_of(access, system)


def _leaves_of(access: Access, system: System) -> Iterator[str]:
    equation = system.defining.get(access.name)
    if equation is None:
        if not isinstance(access, IntegerAccess) and not system.tensor(access.name).facts:
            yield access.name
        return
    if (
        equation.op in (None, "sum")
        and equation.body.as_coeff_Add()[0] == 0
        and not equation.body.has(sympy.exp)
    ):
        for inner in accesses(equation.body):
            if inner.name != access.name and inner.name not in system.defining:
                yield from _leaves_of(inner, system)


def _gradients_finite(trial: _Trial, system: System, gradients: Sequence[str]) -> bool:
    found = trial.of(system, SINGLE, gradients)
    return all(_finite(found, name) for name in gradients)
