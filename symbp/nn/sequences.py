"""Recurrent layers over sequences (N, T, D), and embeddings.

Enters: tensors. Leaves: tensors. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import sympy

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr
from symbp.ir.training import Initial
from symbp.language.layouts import Layout, Module, alike
from symbp.language.naming.frames import here
from symbp.language.sizes import as_size
from symbp.language.start.distributions import Initialiser, Shape, glorot_uniform
from symbp.language.tensor import Tensor
from symbp.nn.calls import Positional
from symbp.nn.layers import check_layer, parameter, started_as
from symbp.ops import recurrent
from symbp.ops.embedding import embedding
from symbp.ops.shapes import concat

States = Tensor | tuple[Tensor | None, Tensor | None] | None


def normal(deviation: Any) -> Initialiser:
    """N(0, deviation²)."""

    def start(shape: Shape) -> Initial:  # noqa: ARG001
        scale = sympy.Rational(str(deviation))
        return Initial("normal", scale, reason="the author's choice")

    return start


@dataclass(frozen=True)
class Embedding(Positional):
    """The row of a table `E` (V, D) for each token; starts as N(0, 1) unless `init` says otherwise."""

    vocabulary: Any
    width: Any
    padding_idx: int | None = None
    init: Initialiser | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        check_layer(self.name)

    def __call__(self, tokens: Tensor) -> Tensor:
        shape = (as_size(self.vocabulary), as_size(self.width))
        layout = alike(Module("Embedding", self.name), "weight", 2)
        table = parameter(self.name, "E", shape, self.init or normal(1), layout)
        return embedding(tokens, table, self.padding_idx)


def _state(initial: States, position: int) -> States:
    """The first state of one layer and direction."""
    if isinstance(initial, tuple):
        h, c = (_state(part, position) for part in initial)
        assert not isinstance(h, tuple)
        assert not isinstance(c, tuple)
        return h, c
    return initial[position, :, :] if initial is not None and initial.rank == 3 else initial


def _alone(initial: States) -> tuple[Tensor | None]:
    if isinstance(initial, tuple):
        raise DeclarationError("only an LSTM has a second state, that of its cells", where=here())
    return (initial,)


@dataclass(frozen=True)
class _Place:
    """One layer of cells in one direction: what its parameters are called, here and in PyTorch."""

    name: str | None
    own: Module
    number: int
    reverse: bool = False

    def layout(self, word: str, *axes: tuple[int, ...], also: str = "") -> Layout:
        """That of an array, by its name without the layer's number and direction."""
        behind = f"_l{self.number}" + ("_reverse" if self.reverse else "")
        return Layout(self.own, word + behind, axes, also=also and also + behind)


@dataclass(frozen=True)
class _Recurrent(Positional):
    """Layers of cells over time, each over the states of the one below; `bidirectional` ones hold the states
    of both directions beside each other. Gives all states (N, T, H), or with `return_sequences` false those
    after the last step. Past an example's length its state stays as it is."""

    units: Any
    num_layers: int = 1
    bidirectional: bool = False
    return_sequences: bool = True
    bias: bool = True
    name: str | None = None

    clear = 1
    torch = ("", "units", "num_layers", "bias")

    gates: ClassVar[int]

    def __post_init__(self) -> None:
        as_size(self.units)
        check_layer(self.name)
        if self.num_layers < 1:
            raise DeclarationError(f"{self.num_layers} recurrent layers", where=here(), help="use 1 or more")

    def __call__(self, x: Tensor, lengths: Tensor | None = None, initial: States = None) -> Tensor:
        """The states; `initial` (N, H) or (H) is the first state of each layer and direction, (S, N, H) one
        for each in PyTorch's order, layer by layer, forward before back. An LSTM also takes a pair, h, c."""
        last, own = x, Module(type(self).__name__, self.name)
        for number in range(1, self.num_layers + 1):
            numbered = self.num_layers > 1
            name = f"{self.name}{number}" if self.name and numbered else self.name
            ends = not self.return_sequences and number == self.num_layers
            last = self._layer(last, lengths, initial, _Place(name, own, number - 1), ends)
        return last

    def _layer(self, x: Tensor, lengths: Tensor | None, initial: States, place: _Place, ends: bool) -> Tensor:
        first, name = place.number * (1 + self.bidirectional), place.name
        forward = self._cell(x, lengths, _state(initial, first), place)
        if ends:
            forward = forward[:, -1]
        if not self.bidirectional:
            return forward
        back = replace(place, name=f"{name}_back" if name else None, reverse=True)
        reverse = self._cell(x, lengths, _state(initial, first + 1), back)
        if ends:
            reverse = reverse[:, 0]
        return concat(forward, reverse)

    def _cell(self, x: Tensor, lengths: Tensor | None, initial: States, place: _Place) -> Tensor:
        raise NotImplementedError

    def _weights(self, x: Tensor, place: _Place) -> tuple[Tensor, Tensor]:
        """W (D, gates, H) and U (H, gates, H), each gate started on its own; (D, H) and (H, H) for one."""
        units = as_size(self.units)
        between: tuple[Expr, ...] = (sympy.Integer(self.gates),) if self.gates > 1 else ()
        last = 2 if between else 1
        init = started_as(glorot_uniform, (0,), (last,))
        shapes = {"W": (x.shape[-1], *between, units), "U": (units, *between, units)}
        return (
            parameter(place.name, "W", shapes["W"], init, self._matrix(place, "weight_ih")),
            parameter(place.name, "U", shapes["U"], init, self._matrix(place, "weight_hh")),
        )

    def _matrix(self, place: _Place, word: str) -> Layout | None:
        """All gates one behind the other, then what comes in; None where PyTorch hasn't the cell."""
        return place.layout(word, (1, 2) if self.gates > 1 else (1,), (0,))

    def _offset(
        self, place: _Place, letter: str = "b", word: str = "bias_ih", also: str = "bias_hh"
    ) -> Tensor | None:
        if not self.bias:
            return None
        between: tuple[Expr, ...] = (sympy.Integer(self.gates),) if self.gates > 1 else ()
        layout = place.layout(word, (0, 1) if between else (0,), also=also)
        layout_or_none = layout if self._matrix(place, word) else None
        return parameter(place.name, letter, (*between, as_size(self.units)), layout=layout_or_none)


@dataclass(frozen=True)
class RNN(_Recurrent):
    """h = tanh(x·W + h·U + b) over time (Elman 1990); `nonlinearity` may be "relu"."""

    nonlinearity: str = "tanh"

    gates = 1

    def _cell(self, x: Tensor, lengths: Tensor | None, initial: States, place: _Place) -> Tensor:
        w, u = self._weights(x, place)
        (h,) = _alone(initial)
        b = self._offset(place)
        return recurrent.rnn(x, w, u, b, h, lengths, self.nonlinearity, place.reverse)


@dataclass(frozen=True)
class LSTM(_Recurrent):
    """Long short-term memory, gates in the order i, f, g, o; `peepholes` let them see the cell."""

    peepholes: bool = False

    gates = 4

    def _cell(self, x: Tensor, lengths: Tensor | None, initial: States, place: _Place) -> Tensor:
        w, u = self._weights(x, place)
        shape = (sympy.Integer(3), as_size(self.units))
        peep = parameter(place.name, "p", shape) if self.peepholes else None
        h, c = initial if isinstance(initial, tuple) else (initial, None)
        b = self._offset(place)
        found: Tensor = recurrent.lstm(x, w, u, b, h, c, peep, lengths, place.reverse)
        return found


@dataclass(frozen=True)
class GRU(_Recurrent):
    """Gated recurrent units, gates in the order r, z, n; the reset gate acts after the matrix product, with
    an offset `c` of its own, unless `reset_after` is false."""

    reset_after: bool = True

    gates = 3

    def _cell(self, x: Tensor, lengths: Tensor | None, initial: States, place: _Place) -> Tensor:
        w, u = self._weights(x, place)
        inner = self._offset(place, "c", "bias_hh", "") if self.reset_after else None
        (h,) = _alone(initial)
        b = self._offset(place, also="")
        return recurrent.gru(x, w, u, b, inner, h, lengths, self.reset_after, place.reverse)

    def _matrix(self, place: _Place, word: str) -> Layout | None:
        return super()._matrix(place, word) if self.reset_after else None
