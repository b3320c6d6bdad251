"""How often each class is there, and by which weights a loss makes up for it.

Enters: a network, its training data, `--class-weights`. Leaves: a sentence, a network with weights in its
loss. Must not know: how the loss is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symbp.errors import UsageError

if TYPE_CHECKING:
    from symbp.data import Data
    from symbp.ir.system import System
    from symbp.language import Network

BALANCED = "balanced"
SHOWN = 10  # classes in a sentence


def weights(text: str) -> str | tuple[Fraction, ...]:
    """`balanced`, or numbers between commas."""
    return BALANCED if text.strip().lower() == BALANCED else numbers(text, "neither 'balanced' nor")


def numbers(text: str, what: str = "no list of") -> tuple[Fraction, ...]:
    """Positive numbers between commas."""
    try:
        found = tuple(Fraction(part.strip()) for part in text.split(","))
    except (ValueError, ZeroDivisionError):
        found = ()
    if not found or min(found) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is {what} positive numbers such as 1,2,0.5")
    return found


def labels_of(system: System) -> str | None:
    """The one target that holds a label for each example, or 0 and 1."""
    from symbp.ir.system import Role

    found = [
        t.name
        for t in system.with_role(Role.TARGET)
        if len(t.shape) == 1 and (t.integer or any(fact.kind == "binary" for fact in t.facts))
    ]
    return found[0] if len(found) == 1 else None


def told(labels: str, data: Data, names: Sequence[str] = ()) -> str:
    """How often each class is there, in a line."""
    from symbp.runtime.common.reading.splitting import _balance

    return _balance(labels, data[labels], names, SHOWN)


def weighted(net: Network, asked: str | Sequence[Fraction], data: Data, sizes: Mapping[str, int]) -> Network:
    """The network with the weights in its loss; balanced ones are n/(K·n_k), of the examples to train on
    (King and Zeng 2001). Raises UsageError: the loss takes no weights, or a class that isn't there."""
    from sympy import Integer

    import symbp as bp
    from symbp.ir.expr import Size
    from symbp.language.variants.class_weights import labelled

    target = labelled(net)
    bound = next((fact.bound for fact in target.facts if fact.bound is not None), Integer(2))
    known = {Size(name): value for name, value in {**net.system.bound, **sizes}.items()}
    count = int(bound.xreplace(known))
    if isinstance(asked, str):
        counts = _counts(data[target.name])
        missing = [k for k in range(count) if k not in counts]
        if missing:
            raise UsageError(
                f"class {missing[0]} of {target.name} is in no example to train on, so nothing balances it",
                help="give the weights: --class-weights 1,2,0.5; or split by --stratify",
            )
        there = sum(counts[k] for k in range(count))
        asked = [Fraction(there, count * counts[k]) for k in range(count)]
    elif len(asked) != count:
        raise UsageError(f"--class-weights gives {len(asked)} weights, and {target.name} has {count} classes")
    return bp.class_weighted(net, asked)


def _counts(labels: Any) -> dict[int, int]:
    import numpy as np

    values, counts = np.unique(np.asarray(labels), return_counts=True)
    return {int(value): int(count) for value, count in zip(values, counts, strict=True)}
