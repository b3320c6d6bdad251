"""The smallest numbers at which an answer is wrong: small sizes, small values, one element.

Enters: a judge, a wrong answer. Leaves: a `Counterexample`. Must not know: slips.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symbp.errors import SymbpError
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import FLOAT
from symbp.ir.points.fitting import constraints, least_sizes
from symbp.ir.points.sampling import WIDE, sample_leaf
from symbp.ir.system import System
from symbp.read.grammar.syntax import Name
from symbp.verify.grading.answer import Answer
from symbp.verify.grading.judge import Finding, Judge
from symbp.verify.grading.key import SheetAtPoint
from symbp.verify.grading.values import Misfit
from symbp.verify.grading.verdict import Counterexample
from symbp.verify.proofs.evaluation import Refused
from symbp.verify.proofs.points import Point
from symbp.verify.proofs.report import Mismatch

LARGEST = 3  # of a size
MOST_CHOICES = 40
MOST_CONSIDERED = 300
DRAWS = 3  # of values for each choice of sizes
MOST_SHOWN = 12  # elements of a tensor that is written out
STEPS = (1.0, 0.5, 0.1)  # values are whole numbers, then halves, then tenths


def counterexample(judge: Judge, answer: Answer, finding: Finding) -> Counterexample | None:
    """The first point, from small sizes to large ones, at which an element differs plainly."""
    system = judge.sheet.system
    for sizes in itertools.islice(_sizes(system), MOST_CHOICES):
        for draw in range(DRAWS):
            values = _values(system, sizes, draw)
            place = SheetAtPoint(judge.sheet, Point(sizes, values, FLOAT, AS_THEY_ARE, False))
            try:
                with np.errstate(all="ignore"):
                    wrong = judge.differs(place, answer, answer.tree)
            except (Misfit, Refused, SymbpError):
                continue
            if wrong is not None and _is_plain(wrong):
                return _told(judge, answer, place, wrong)
    wrong = finding.wrong
    if wrong is None or finding.doubtful:
        return None
    return Counterexample(wrong.sizes, {}, f"{answer.left}{wrong.at}", wrong.left, wrong.right)


def _sizes(system: System) -> Iterator[dict[str, int]]:
    """Choices of sizes that fit, the fewest elements first."""
    names, needed = system.sizes, constraints(system)
    classes = {str(f.bound) for t in system.leaves for f in t.facts if f.bound is not None}
    ranges = [range(2 if name in classes else 1, LARGEST + 1) for name in names]
    found = []
    for chosen in itertools.islice(itertools.product(*ranges), MOST_CONSIDERED):
        sizes = dict(zip(names, chosen, strict=True))
        if needed.hold(sizes):
            found.append((math.prod(chosen), sum(chosen), chosen, sizes))
    yield from (sizes for *_, sizes in sorted(found, key=lambda entry: entry[:3]))
    if not found:
        yield least_sizes(system)


def _values(system: System, sizes: Mapping[str, int], draw: int) -> dict[str, Any]:
    rng, found = np.random.default_rng(draw), {}
    for leaf in system.leaves:
        value: Any = sample_leaf(leaf, sizes, rng, WIDE)
        if not leaf.integer and not leaf.facts - {
            f for f in leaf.facts if f.kind in ("positive", "nonnegative")
        }:
            step = STEPS[min(draw, len(STEPS) - 1)]
            value = np.round(np.clip(value, -2, 2) / step) * step
            value = np.where(value == 0, step, value)
        found[leaf.name] = value
    return found


def _is_plain(wrong: Mismatch) -> bool:
    """Whether both values are numbers, and differ in what is shown of them."""
    left, right = float(wrong.left), float(wrong.right)
    return bool(np.isfinite(left) and np.isfinite(right)) and f"{left:.4g}" != f"{right:.4g}"


def _told(judge: Judge, answer: Answer, place: SheetAtPoint, wrong: Mismatch) -> Counterexample:
    """The point in the page's words: of what is given, what the answer's tensors rest on."""
    system, letters = judge.sheet.system, judge.sheet.reading.sizes
    asked = judge.sheet.adjoints
    of = answer.by if answer.by is not None else answer.target
    needed = system.ancestors(system.loss) if system.loss and of in asked else system.by_name
    values = {
        judge.names.symbol(leaf.name): _written(place.point.values[leaf.name])
        for leaf in system.leaves
        if leaf.name in needed
    }
    for node in answer.tree.walk():
        name = judge.names.tensors.get(node.name) if isinstance(node, Name) else None
        if name is not None and judge.names.symbol(name) not in values and name in place.kept:
            values[judge.names.symbol(name)] = _written(place.tensor(name))
    sizes = {letters.get(name, name): value for name, value in place.point.sizes.items()}
    numbers = f"{float(wrong.left):.4g}", f"{float(wrong.right):.4g}"
    return Counterexample(sizes, values, f"{judge.names.symbol(answer.target)}{wrong.at}", *numbers)


def _written(array: Any) -> Any:
    """The elements as plain lists; of many, the first."""
    found = np.asarray(array)
    found = found.astype(float) if found.dtype == object else found
    if found.size > MOST_SHOWN:
        flat = ", ".join(f"{x:g}" for x in found.ravel()[:MOST_SHOWN])
        return f"[{flat}, …] of the shape {found.shape}"
    return np.round(found, 4).tolist() if found.dtype.kind == "f" else found.tolist()
