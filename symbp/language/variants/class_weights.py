"""A loss over labelled rows in which each row counts by the weight of its class.

Enters: a network, a weight for each class. Leaves: the same network with the weights in its loss, its mean
one by weights. Must not know: data, which op a loss is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symbp.errors import UsageError
from symbp.ir.expr import Expr, Guard, Index, Size, accesses, free_sizes
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.language.network import Network

WEIGHT, TOTAL = "class_weight", "weight_total"
MOST = 1000  # classes whose weights are written out
HELP = "write them into the declaration: bp.cross_entropy(p, y, weight=[1, 2, 0.5])"


def class_weighted(net: Network, weights: Sequence[Any]) -> Network:
    """The network with the weight w[y[n]] on each row's part of the loss, Σ_n w[y[n]]·ℓ[n]/Σ_n w[y[n]] where
    it was Σ_n ℓ[n]/N: what `bp.cross_entropy(…, weight=w)` declares, for any loss that sums over labelled
    rows; where y is 0 or 1, the weight is w[0] + (w[1] − w[0])·y[n].

    Raises UsageError: no such loss, another number of classes, weights that aren't positive numbers.
    """
    system, target = net.system, labelled(net)
    numbers = _numbers(net, target, weights)
    taken = [name for name in (WEIGHT, TOTAL) if name in system.by_name or name in system.sizes]
    if taken:
        raise UsageError(f"class weights would need the name {taken[0]!r}, which is taken")
    classes = _classes(target)
    weight = Tensor(WEIGHT, (classes,), Role.HIDDEN)
    k = Index("k") if "k" not in system.by_name and "k" not in system.sizes else Index("k_")
    listed = sympy.Add(*[value * Guard("=", k, place) for place, value in enumerate(numbers)])
    added: dict[str, Equation] = {}
    if target.integer:
        added[WEIGHT] = Equation(WEIGHT, (k,), listed, ranges=(classes,), rule="class weights")

    def of(row: Expr) -> Expr:
        """The weight of a row by its label."""
        return weight.at(row) if target.integer else numbers[0] + (numbers[1] - numbers[0]) * row

    changed: dict[str, Equation] = {}
    name = str(system.loss)
    for each in dict.fromkeys([name, system.inference.get(name, name)]):
        loss, counts = _summed(system, each, target, net.name)
        row = _row(loss, target)
        body = loss.body * of(row)
        if not counts and _is_mean(loss, target, net.name):
            over = tuple(i for i in loss.reduced if i in row.subscripts)
            extents = tuple(loss.extents[i] for i in over)
            added[TOTAL] = Equation(
                TOTAL, (), of(row), Reduction("sum", over), ranges=extents, rule="weight of all rows"
            )
            body = body * sympy.Mul(*target.shape) / Tensor(TOTAL, (), Role.HIDDEN).at()
        changed[loss.target] = loss.with_(body=body)
        for count in counts:
            changed[count.target] = count.with_(body=count.body * of(_row(count, target)))
    first = min(k for k, e in enumerate(system.equations) if e.target in changed)
    equations = [changed.get(e.target, e) for e in system.equations]
    tensors = [
        *([weight] if WEIGHT in added else []),
        *([Tensor(TOTAL, (), Role.HIDDEN)] if TOTAL in added else []),
    ]
    weighted = system.with_(
        tensors=(*system.tensors, *tensors),
        equations=(*equations[:first], *added.values(), *equations[first:]),
        bound={**system.bound, **({classes.name: len(numbers)} if isinstance(classes, Size) else {})},
    )
    found = object.__new__(Network)
    for name, value in {**vars(net), "system": weighted}.items():
        object.__setattr__(found, name, value)
    return found


def labelled(net: Network) -> Tensor:
    """The one target that holds labels, or 0 and 1. Raises UsageError: none, or several."""
    targets = [t for t in net.system.with_role(Role.TARGET) if _classes(t) is not None]
    if len(targets) != 1:
        many = f"{len(targets)} targets that hold labels" if targets else "no target that holds labels"
        raise UsageError(
            f"class weights are for labels, and {net.name} has {many}",
            help="labels are bp.labels(…); 0 and 1 as numbers are bp.target(…, facts=['binary'])",
        )
    return targets[0]


def _classes(target: Tensor) -> Any:
    """How many classes the target tells apart; None where it isn't of classes."""
    if not target.integer:
        return sympy.Integer(2) if target.fact("binary") else None
    return next((fact.bound for fact in target.facts if fact.bound is not None), None)


def _numbers(net: Network, target: Tensor, weights: Sequence[Any]) -> list[Expr]:
    """The weights as exact numbers."""
    classes = _classes(target)
    count = net.system.bound.get(classes.name) if isinstance(classes, Size) else classes
    if len(weights) > MOST or (count is not None and len(weights) != int(count)):
        raise UsageError(
            f"{len(weights)} class weights for {count or f'at most {MOST}'} classes of {target.name}"
        )
    numbers = [
        sympy.nsimplify(str(w), rational=True) if isinstance(w, float) else sympy.sympify(w) for w in weights
    ]
    wrong = [w for w, number in zip(weights, numbers, strict=True) if not (number.is_Rational and number > 0)]
    if wrong:
        raise UsageError(f"{wrong[0]} is no class weight: weights are positive numbers")
    return numbers


def _row(equation: Equation, target: Tensor) -> Any:
    """The label that it reads."""
    return next(read for read in accesses(equation.body) if read.name == target.name)


def _summed(system: System, loss: str, target: Tensor, name: str) -> tuple[Equation, list[Equation]]:
    """The equation that sums a loss over the rows with a label, and those that count such rows. Raises
    UsageError: labels that are read in another way, too."""
    within = system.ancestors(loss) | {loss}
    readers = [e for e in system.equations if e.target in within and target.name in e.read_names]
    counts = [e for e in readers if set(e.read_names) == {target.name}]
    losses = [e for e in readers if e not in counts]
    if len(losses) != 1 or any(e.op != "sum" or e.indices or not _by_rows(e, target) for e in readers):
        raise UsageError(
            f"class weights are for a loss that sums over rows with one label of {target.name} each, "
            f"and that of {name} doesn't",
            details=tuple(str(e) for e in readers),
            help=HELP,
        )
    return losses[0], counts


def _by_rows(equation: Equation, target: Tensor) -> bool:
    """Whether it reads the target at one place alone, at indices that it sums over."""
    places = {read.subscripts for read in accesses(equation.body) if read.name == target.name}
    if len(places) != 1:
        return False
    (place,) = places
    return len(set(place)) == len(place) and set(place) <= set(equation.reduced)


def _is_mean(loss: Equation, target: Tensor, name: str) -> bool:
    """Whether the sum is divided by the number of rows; False if by nothing. Raises UsageError otherwise."""
    sizes = {extent for extent in target.shape if isinstance(extent, Size)}
    if len(sizes) == len(target.shape):
        if not sizes & set(free_sizes(loss.body)):
            return False
        if not sizes & set(free_sizes(sympy.expand(loss.body * sympy.Mul(*target.shape)))):
            return True
    raise UsageError(
        f"the loss of {name} is neither a mean over its rows nor a sum, so class weights have no total",
        details=(str(loss),),
        help=HELP,
    )
