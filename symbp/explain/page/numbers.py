"""The worked example of a page: what is given in numbers, and all that a script needs to go on from there.

Enters: the numbers of a page. Leaves: rows of markup, and the state as JSON that may stand within a page.
Must not know: how a number is computed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from symbp.errors import GenerationError
from symbp.explain.drawing.picture import Rows
from symbp.explain.mathml import MathML, operator
from symbp.explain.page.equations import inline, joined
from symbp.explain.page.matrices import figure, matrices
from symbp.explain.script import script
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Tensor
from symbp.read.numbers import Numbers

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

IN_A_BOX = 3  # rows and columns of numbers that a box of the drawing holds
FEW = 700  # numbers that stand open beside the equations
FREE = {"positive", "nonnegative", "below", "below or ignored", "binary", "mask"}
"""Facts that a number keeps when a reader changes it; others bind several numbers to each other."""


@dataclass(frozen=True)
class LeafRow:
    """A tensor that is given, in numbers."""

    tensor: str
    role: str
    formula: Markup


@dataclass(frozen=True)
class NumbersBlock:
    """The worked example: sizes in words, the loss, what is given; `state` and `program` are for a script,
    empty where a system is none that JavaScript computes. `few` says whether numbers stand open."""

    sizes: Markup
    loss: str
    leaves: tuple[LeafRow, ...]
    state: Markup
    program: str
    few: bool


def numbers_block(numbers: Numbers, notation: MathML) -> NumbersBlock:
    """The block of a worked example."""
    system = numbers.reading.derivation.system
    leaves = tuple(_leaf(tensor, numbers.values[tensor.name], notation) for tensor in system.leaves)
    sizes = Markup(", ").join(
        inline(notation.symbol(_named(name)) + operator("=") + f"<mn>{extent}</mn>")
        for name, extent in numbers.sizes.items()
    )
    try:
        program = script(numbers.reading.computable.derivation.system).text
    except GenerationError:
        program = ""
    loss = figure(numbers.loss) if system.loss in numbers.values else ""
    state = json_within(state_of(numbers)) if program else Markup()
    count = sum(array.size for array in numbers.values.values())
    return NumbersBlock(sizes, loss, leaves, state, program, count <= FEW)


def small_values(numbers: Numbers) -> dict[str, Rows]:
    """The scalars, vectors and matrices of a few numbers, as a reader sees these, row by row."""
    exact = {t.name for t in numbers.reading.derivation.system.leaves}
    found = {}
    for name, array in numbers.values.items():
        if array.ndim > 2 or not array.size or max(array.shape, default=1) > IN_A_BOX:
            continue
        as_given = name in exact or array.dtype.kind in "iub"
        rows = array.reshape(-1, array.shape[-1] if array.ndim else 1).tolist()
        found[name] = tuple(tuple(figure(x, exact=as_given) for x in row) for row in rows)
    return found


def _named(name: str) -> Any:
    from symbp.ir.expr import Size

    return Size(name)


def _leaf(tensor: Tensor, array: Array, notation: MathML) -> LeafRow:
    first, *rest = matrices(array, exact=True)
    shown = joined([notation.tensor(tensor.name) + operator("=") + first, *rest])
    return LeafRow(tensor.name, tensor.role.value, shown)


def state_of(numbers: Numbers) -> dict[str, Any]:
    """What the script starts from: sizes, what is given, what is differentiated by what."""
    derivation = numbers.reading.derivation
    system = derivation.system
    differences = {}
    for name in numbers.differences:
        what = derivation.system.by_name[name].differential
        by = {tensor: leaf for leaf, tensor in derivation.gradients.items()}.get(name)
        found = by if what is None else what.by
        if found is not None and found in numbers.values:
            differences[name] = found
    return {
        "size": dict(numbers.sizes),
        "shape": {name: list(array.shape) for name, array in numbers.values.items()},
        "leaves": {t.name: _flat(numbers.values[t.name]) for t in system.leaves},
        "bounds": {t.name: _bounds(t, numbers.sizes) for t in system.leaves},
        "integer": [t.name for t in system.tensors if t.integer],
        "parameters": {t.name: derivation.gradients[t.name] for t in _trained(numbers)},
        "updates": dict(system.updates),
        "stopped": [e.target for e in system.equations if e.constant],
        "differences": differences,
        "loss": system.loss,
    }


def _trained(numbers: Numbers) -> list[Tensor]:
    derivation = numbers.reading.derivation
    return [t for t in derivation.system.parameters if derivation.gradients.get(t.name) in numbers.values]


def _flat(array: Array) -> list[float | int | str]:
    return [x if math.isfinite(x) else str(x).replace("inf", "Infinity") for x in array.ravel().tolist()]


def _bounds(tensor: Tensor, sizes: Mapping[str, int]) -> dict[str, float] | None:
    """Between what a number may be changed, and in what steps; None where facts bind it to others."""
    if any(fact.kind not in FREE for fact in tensor.facts):
        return None
    bounds: dict[str, float] = {"step": 1} if tensor.integer else {}
    below = tensor.fact("below") or tensor.fact("below or ignored")
    if below is not None and below.bound is not None:
        bounds |= {"min": 0, "max": evaluate_size(below.bound, sizes) - 1}
    elif tensor.fact("binary"):
        bounds |= {"min": 0, "max": 1, "step": 1}
    elif tensor.fact("positive"):
        bounds |= {"min": 1e-6}
    elif tensor.fact("nonnegative") or tensor.integer:
        bounds |= {"min": 0}
    return bounds


def json_within(value: Any) -> Markup:
    """JSON without a sign that could end the element around it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return Markup(text)
