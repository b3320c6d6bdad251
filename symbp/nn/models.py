"""Models: layers in a row, and the two tasks that they are mostly used for.

Enters: layers and the number of inputs. Leaves: a tensor, or a whole `Network`.
Must not know: how anything is derived or trained.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symbp.errors import DeclarationError
from symbp.ir.expr import Expr, Size
from symbp.language.leaves import input, labels, target
from symbp.language.naming.frames import here
from symbp.language.network import Network
from symbp.language.sizes import Dim, as_size, dims
from symbp.language.tensor import Tensor
from symbp.nn.layers import Dense, Layer, check_layers
from symbp.ops.activations import softmax
from symbp.ops.losses.classification import cross_entropy
from symbp.ops.losses.regression import mse
from symbp.ops.metrics.classification import accuracy


class Sequential:
    """Layers one after the other: `Sequential(Dense(32, activation="tanh"), Dense(10))`.

    Called on a tensor it gives a tensor; `classifier` and `regressor` give a network.
    """

    def __init__(self, *layers: Layer) -> None:
        check_layers(layers)
        self.layers = layers

    def __call__(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    def classifier(self, inputs: Any, name: str = "classifier") -> Network:
        """A network that gives the probability of each class and is trained by cross-entropy.

        Inputs `x` (N, D), labels `y` (N); the last layer's units are the classes K, and the softmax is added.
        """
        sized, classes = self._sized("K")
        x = _inputs(inputs)
        y = labels("y", (x.shape[0],), classes=classes)
        p = softmax(sized(x))
        return Network(name, cross_entropy(p, y), outputs={"p": p}, metrics={"accuracy": accuracy(p, y)})

    def regressor(self, inputs: Any, name: str = "regressor") -> Network:
        """A network that predicts numbers and is trained by the mean squared error.

        Inputs `x` (N, D), targets `y` (N, K) with K the last layer's units.
        """
        sized, outputs = self._sized("K")
        x = _inputs(inputs)
        y = target("y", (x.shape[0], outputs))
        prediction = sized(x)
        return Network(name, mse(prediction, y), outputs={"prediction": prediction})

    def _sized(self, last: str) -> tuple[Sequential, Expr]:
        """The same layers with widths that have names, H1, H2, … and the last one's."""
        widths = [k for k, layer in enumerate(self.layers) if isinstance(layer, Dense)]
        if not widths:
            raise DeclarationError(
                "the model has no dense layer, so nothing says how many outputs it has", where=here()
            )
        layers: list[Layer] = list(self.layers)
        size: Expr = None
        for number, position in enumerate(widths, start=1):
            layer = self.layers[position]
            assert isinstance(layer, Dense)
            size = _named(layer.units, last if position == widths[-1] else f"H{number}")
            layers[position] = replace(layer, units=size)
        return Sequential(*layers), size


def _named(units: Any, name: str) -> Expr:
    """The number of units as a size of that name; a size that has a name keeps it."""
    size = as_size(units)
    return Dim(name, size.value) if isinstance(size, Dim) and size.anonymous else size


def _inputs(inputs: Any) -> Tensor:
    batch: Size = dims("N")[0]
    return input("x", (batch, _named(inputs, "D")))
