"""Layers: what declares its own parameters and applies ops.

Enters: tensors. Leaves: tensors. Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sympy

from symbp.errors import DeclarationError, ShapeError
from symbp.ir.system import Role
from symbp.ir.training import Initial
from symbp.language.layouts import Layout, Module, alike
from symbp.language.naming.allowed import check_name
from symbp.language.naming.frames import here
from symbp.language.node import Hint, display
from symbp.language.sizes import as_size
from symbp.language.start.distributions import Initialiser, Shape, constant, glorot_uniform, he_normal, zeros
from symbp.language.tensor import Tensor
from symbp.nn.calls import Positional
from symbp.ops.activations import FAMILY
from symbp.ops.products import dense
from symbp.ops.registry import find


class Layer(Protocol):
    """Anything that maps a tensor to a tensor."""

    def __call__(self, x: Tensor) -> Tensor: ...


def activation(name: str | None, z: Tensor) -> Tensor:
    """The activation of that name applied to z; None is the identity. Raises UsageError: unknown name."""
    result: Tensor = z if name is None else find(name, FAMILY).function(z)
    return result


@dataclass(frozen=True)
class Dense(Positional):
    """Σ_i x[n,i]·W[i,j] + b[j], then an activation; `units` is the size of the result's last axis.

    Each call declares parameters of its own, `W` and `b` with the layer's number, or with `name` in front of
    them. Weights start as He's for rectifiers, else as Glorot's; `init` says otherwise.
    """

    units: Any
    activation: str | None = None
    bias: bool = True
    init: Initialiser | None = None
    name: str | None = None

    clear = 3  # Keras has the activation and the bias at the same places
    torch = ("", "units", "bias")

    @classmethod
    def _unclear(cls, arguments: tuple[Any, ...]) -> bool:
        return super()._unclear(arguments) or not all(isinstance(a, str | None) for a in arguments[1:2])

    def __post_init__(self) -> None:
        as_size(self.units)
        check_layer(self.name, self.activation)

    def __call__(self, x: Tensor) -> Tensor:
        if x.rank == 0:
            raise ShapeError(f"{display(x)} is a scalar; a dense layer needs an axis to map", where=here())
        units = as_size(self.units)
        init = self.init or (he_normal if self.activation in RECTIFIERS else glorot_uniform)
        own = Module("Linear", self.name)
        turned = Layout(own, "weight", ((1,), (0,)))
        weight = parameter(self.name, "W", (x.shape[-1], units), init, turned)
        bias = parameter(self.name, "b", (units,), layout=alike(own, "bias")) if self.bias else None
        return activation(self.activation, dense(x, weight, bias))


def parameter(
    layer: str | None,
    letter: str,
    shape: Any,
    init: Initialiser | None = None,
    layout: Layout | None = None,
) -> Tensor:
    """A parameter of a layer: called by its letter with the layer's number, or behind the layer's name."""
    name = f"{layer}_{letter}" if layer else None
    hint = Hint(letter, "layer")
    return Tensor.leaf(name, tuple(shape), Role.PARAMETER, init=init or zeros, hint=hint, layout=layout)


def started_as(init: Initialiser, inputs: Sequence[int], outputs: Sequence[int]) -> Initialiser:
    """A parameter with more axes started as the matrix that it is: those axes are its rows, those its
    columns; others repeat it."""

    def start(shape: Shape) -> Initial:
        rows, columns = (sympy.Mul(*[shape[k] for k in axes]) for axes in (inputs, outputs))
        return init((rows, columns))

    return start


def ones(shape: Shape) -> Initial:
    """1 everywhere: a scale that changes nothing at first."""
    return constant(1)(shape)


def check_layer(name: str | None, activation_name: str | None = None) -> None:
    """Raises DeclarationError: a name that can't be one; UsageError: no such activation."""
    if name is not None:
        check_name(name, "a layer")
    if activation_name is not None:
        find(activation_name, FAMILY)


RECTIFIERS = frozenset({"relu", "leaky_relu", "gelu", "silu"})  # half of their input is passed, about


@dataclass(frozen=True)
class Activation:
    """An activation as a layer of its own: `Activation("tanh")`."""

    name: str

    def __post_init__(self) -> None:
        find(self.name, FAMILY)

    def __call__(self, x: Tensor) -> Tensor:
        return activation(self.name, x)


def check_layers(layers: tuple[Any, ...]) -> None:
    """Raises DeclarationError unless there are layers, each callable."""
    if not layers:
        raise DeclarationError(
            "a model needs at least one layer", where=here(), help="nn.Sequential(nn.Dense(10))"
        )
    for layer in layers:
        if not callable(layer) or isinstance(layer, type):
            raise DeclarationError(
                f"{layer!r} is not a layer",
                where=here(),
                help='nn.Dense(32, activation="tanh"), nn.Activation("relu")',
            )
