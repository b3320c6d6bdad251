"""What somebody's function returned, sorted: the loss, gradients, and what else it gives away.

Enters: a value of any make, the order of parameters. Leaves: an `Answer`.
Must not know: what names stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

from symbp.errors import UsageError
from symbp.verify.against.answer import Answer
from symbp.verify.against.returned.arrays import Array, array, as_mapping, is_array, number, stacked
from symbp.verify.against.returned.kept import kept as all_kept

LOSSES = ("loss", "L", "cost", "J", "value", "nll", "error")
GRADIENTS = ("grads", "grad", "gradients", "gradient", "dparams")
Order = Mapping[str, tuple[int, ...]]
"""Names and shapes of what may stand in a sequence, in an order."""
SHAPE = "it returns (loss, gradients), gradients by name, {'W1': …}, or in the order of the parameters"


class InOrder(dict[str, Array]):
    """Gradients without names, under those that have their places; their shapes may say otherwise."""


def answer(name: str, value: Any, *orders: Order) -> Answer:
    """The answer that a value is; gradients in a sequence belong to that one of the `orders` that is as long,
    names in their order. Raises UsageError: something else."""
    fields = as_mapping(value)
    if fields is not None:
        return _of_mapping(name, fields, orders)
    if not isinstance(value, (tuple, list)):
        raise UsageError(f"{name} returns {_kind(value)}", help=SHAPE)
    parts = list(value)
    loss = number(parts[0]) if parts else None
    if loss is not None:
        parts = parts[1:]
    if len(parts) > 1 and not any(as_mapping(p) is not None or isinstance(p, (tuple, list)) for p in parts):
        parts = [tuple(parts)]  # loss, dW1, db1, …
    elif parts and orders and _is_spread(parts, len(orders[0])):
        parts = [[*leaves_of(parts)]]  # loss, [dW1, dW2], [db1, db2]
    if not parts:
        raise UsageError(f"{name} returns no gradients", help=SHAPE)
    gradients, kept = gradients_of(name, parts[0], *orders), dict[str, Array]()
    for k, more in enumerate(parts[1:], 1 if loss is None else 2):
        kept |= all_kept(more, f"result[{k}]")
    return Answer(loss, gradients, kept)


def _of_mapping(name: str, fields: Mapping[str, Any], orders: tuple[Order, ...]) -> Answer:
    """(loss, grads, …) as fields of one mapping; without such fields it holds gradients."""
    loss = next((key for key in LOSSES if key in fields and number(fields[key]) is not None), None)
    inner = next((key for key in GRADIENTS if key in fields), None)
    if inner is None:
        plain = {key: value for key, value in fields.items() if key != loss}
        return Answer(number(fields[loss]) if loss else None, flat(plain), {})
    rest = {key: value for key, value in fields.items() if key not in (loss, inner)}
    found = gradients_of(name, fields[inner], *orders)
    return Answer(number(fields[loss]) if loss else None, found, all_kept(rest))


def gradients_of(name: str, value: Any, *orders: Order) -> dict[str, Any]:
    """Gradients by name, or in the order that is as long; all in one vector are cut in the first order."""
    fields = as_mapping(value)
    if fields is not None:
        return flat(fields)
    parts = list(value) if isinstance(value, (tuple, list)) else [value]
    for order in orders:
        if len(parts) == len(order):
            return InOrder((k, array(one)) for k, one in zip(order, parts, strict=True) if one is not None)
    if len(parts) == 1 and orders and (pieces := cut(parts[0], orders[0])):
        return pieces
    known = ", ".join(orders[0]) if orders else ""
    raise UsageError(
        f"{name} returns {len(parts)} gradients, which have no names",
        details=(f"the parameters are, in this order: {known}",),
        help="return them by name: {'W1': dW1, …}",
    )


def cut(value: Any, order: Order) -> dict[str, Array]:
    """A vector of all elements as the arrays that it holds, one behind the other; {}, if it isn't one."""
    whole, found, at = stacked(value), dict[str, Array](), 0
    size = sum(map(prod, order.values()))
    if whole is None or not whole.size == size == max(whole.shape, default=0):
        return {}
    for name, shape in order.items():
        found[name] = whole.reshape(-1)[at : at + prod(shape)].reshape(shape)
        at += prod(shape)
    return found


def leaves_of(value: Iterable[Any]) -> Iterator[Any]:
    """What tuples in tuples hold, in their order."""
    for part in value:
        if isinstance(part, (tuple, list)):
            yield from leaves_of(part)
        else:
            yield part


def _is_spread(parts: list[Any], count: int) -> bool:
    """Whether so many arrays stand in several sequences."""
    first, leaves = parts[0], [*leaves_of(parts)]
    alone = isinstance(first, (tuple, list)) and len(first) == count
    return not alone and len(leaves) == count and all(as_mapping(leaf) is None for leaf in leaves)


def flat(fields: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays by name; those of mappings inside with both names joined, layer1_W."""
    return dict(_flat(fields, ""))


def _flat(fields: Mapping[str, Any], before: str) -> Iterator[tuple[str, Array]]:
    for key, value in fields.items():
        inside = as_mapping(value) if not is_array(value) else None
        if inside is not None:
            yield from _flat(inside, f"{before}{key}_")
        elif value is not None:
            found = stacked(value)
            if found is not None:
                yield f"{before}{key}", found


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def together(*parts: Answer, changed: Iterable[str] = (), given: tuple[str, ...] | None = None) -> Answer:
    """Several answers as one; the first loss counts."""
    losses = [part.loss for part in parts if part.loss is not None]
    every = [part.gradients for part in parts if part.gradients]
    gradients = every[0] if len(every) == 1 else {name: a for one in every for name, a in one.items()}
    kept = {name: a for part in parts for name, a in part.kept.items()}
    passed = tuple(name for part in parts for name in part.passed)
    loss = losses[0] if losses else None
    return Answer(loss, gradients, kept, tuple(dict.fromkeys(changed)), given, passed)
