"""Recurrent layers: arrays of gates in symbp's order, a call for each layer and direction.

Enters: arrays that a model holds, terms, what a cell computes. Leaves: terms. Must not know: whose order the
gates came in; the caller has them in symbp's: i, f, g, o and r, z, n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.interchange.inward.building.shapes import at
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.values import Filled, known, refuse, tensor
from symbp.interchange.inward.writing import Term, Writer, wrapped

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@dataclass(frozen=True)
class Cell:
    """One direction of one layer: its matrices as (gates·H, D) and (gates·H, H), its offsets (gates·H), and
    the first states; `options` are those of symbp's function; `cells` says whether an LSTM's are wanted."""

    kind: str
    matrices: tuple[Held, Held]
    offsets: tuple[Held | None, Held | None]
    first: tuple[Term | None, ...] = ()
    reverse: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    cells: bool = False


def run(w: Writer, x: Term, cell: Cell) -> tuple[Term, Term | None]:
    """The states (N, T, H), and for an LSTM the cells."""
    into, again = (_matrix(w, one, GATES[cell.kind]) for one in cell.matrices)
    options: dict[str, Any] = {"reverse": cell.reverse, **dict(cell.options)}
    for name, first in zip(("initial", "initial_cell"), cell.first, strict=False):
        options[name] = first
    if cell.kind == "gru":
        options["recurrent_bias"] = _offset(w, cell.offsets[1], 3)
        bias = _offset(w, cell.offsets[0], 3)
    else:
        bias = _summed(w, cell.offsets, GATES[cell.kind])
    if bias is not None:
        options = {"bias": bias, **options}
    options = {k: v for k, v in options.items() if v is not None}
    if not cell.cells:
        return w.call(cell.kind, x, into, again, **options), None
    pair = w.call("lstm", x, into, again, **options, with_cell=True)
    name = w.names.numbered("lstm")
    w.lines.append(wrapped(f"{name}, _{name}_cell = {pair.text}"))
    h, c = pair.value
    return Term(name, h.named(name), named=True, made="lstm"), Term(f"_{name}_cell", c, named=True)


def _matrix(w: Writer, one: Held, gates: int) -> Term:
    """(D, gates, H) of (gates·H, D); (D, H) for one gate."""
    array = np.asarray(one.array)
    turned = array.T if gates == 1 else array.reshape(gates, -1, array.shape[1]).transpose(2, 0, 1)
    return w.held(one, np.ascontiguousarray(turned), form="gates apart, inputs first")


def _offset(w: Writer, one: Held | None, gates: int) -> Term | None:
    if one is None:
        return None
    return w.held(one, _apart(one.array, gates), form="gates apart")


def _summed(w: Writer, offsets: Sequence[Held | None], gates: int) -> Term | None:
    """Both offsets as the one that they are."""
    first, second = offsets
    if first is None or second is None:
        return _offset(w, first or second, gates)
    total = np.asarray(first.array) + np.asarray(second.array)
    return w.held(first, _apart(total, gates), form=f"gates apart, with {second.name}")


def _apart(array: Any, gates: int) -> Any:
    return np.asarray(array) if gates == 1 else np.asarray(array).reshape(gates, -1)


def first_state(w: Writer, value: Any, place: int) -> Term | None:
    """The first state of one layer and direction out of (layers, N, H); None for zeros."""
    if value is None:
        return None
    if isinstance(value, Filled):
        if value.number != 0:
            refuse(f"states start at {value.number} everywhere", "0 and data are taken in")
        return None
    array = known(value)
    if array is None and isinstance(value, Held) and value.kind != "parameter" and not value.array.any():
        return None
    if array is not None and not np.asarray(array, dtype=float).any():
        return None
    found: Term = at(w, tensor(w, value), 0, place)
    return found


def piece(one: Held, name: str, take: Callable[[Any], Any]) -> Held:
    """A part of an array as an array of its own."""
    return Held(name, take(np.asarray(one.array)), one.kind)
