"""Nets that send two to four inputs through the same piecewise layers: siamese nets, triplets, RankNet, CLIP,
critics of GANs with their gradient penalties.

Enters: a seed. Leaves: a `Program`. Two branches have two masks: whoever takes one for the other because they
agree at a few small samples prints a wrong gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from programs import Extent, Program, Writer

ACTIVATIONS = ("relu", "leaky_relu", "hardtanh", "abs", "clamp", "maxout", "relu6", "squared_relu", "elu")
MARGINS = (0.1, 0.5, 1, 2, 5)


def program(seed: int) -> Program:
    """One net: rows (N, D), sets (N, T, D) with a maximum over T, or sequences (N, C, L) with max-pooling."""
    return _Net(np.random.default_rng([seed, 1])).program()


class _Net:
    """The choices of one net; `shared` holds the layers' parameters, each made once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.w = Writer()
        self.sizes: dict[str, int | None] = {"N": None if rng.random() < 0.85 else int(rng.integers(1, 6))}
        self.family = str(rng.choice(["rows", "rows", "rows", "sets", "sequences"]))
        self.branches = int(rng.integers(2, 5))
        self.depth = int(rng.integers(1, 5 if self.family == "rows" else 3))
        self.common = int(rng.integers(1, 6))  # many sizes are equal to this one
        self.params: list[str] = []
        self.head: str | None = None
        self.layers: list[dict[str, Any]] = []
        self.score = bool(rng.random() < 0.65)  # whether a branch ends in a number for each example

    def extent(self, letter: str) -> Extent:
        """A size called by the letter, open, bound, or a bare integer; often equal to the others."""
        number = self.common if self.rng.random() < 0.7 else int(self.rng.integers(1, 6))
        kind = self.rng.random()
        if kind < 0.3:
            return number
        name = letter if letter not in self.sizes else next(
            f"{letter}{k}" for k in range(1, 99) if f"{letter}{k}" not in self.sizes
        )  # fmt: skip
        self.sizes[name] = number if kind < 0.55 else None
        return name

    def program(self) -> Program:
        rng = self.rng
        inner = self.extent("D")
        length: Extent = "T" if self.family == "sets" else int(rng.integers(4, 8))
        if self.family == "sets":
            self.sizes["T"] = None
        shape = {
            "rows": ("N", inner),
            "sets": ("N", length, inner),
            "sequences": ("N", inner, length),
        }[self.family]
        self.shape = shape
        self.layers = [self._layer(number, shape) for number in range(self.depth)]
        if self.score:
            self.head = self._param("w", (self._width,))
        values = self._inputs(shape)
        order = list(rng.permutation(len(values)))
        if rng.random() < 0.5 and self.family == "rows":  # layer by layer
            for layer in self.layers:
                for k in order:
                    values[k] = self._apply(layer, values[k])
            results = [self._finish(v) for v in values]
        else:
            results = [""] * len(values)
            for k in order:
                results[k] = self._branch(values[k])
        loss = self._loss(results)
        self._reorder()
        assert loss == self.w.lines[-1].target
        wrt = [*self.params]
        if rng.random() < 0.2:
            wrt += [leaf.name for leaf in self.w.leaves if leaf.role == "input"][:2]
        return Program(self.sizes, tuple(self.w.leaves), tuple(self.w.lines), tuple(wrt)).pruned()

    def _reorder(self) -> None:
        """Leaves in another order of declaration."""
        if self.rng.random() < 0.6:
            self.w.leaves = [self.w.leaves[k] for k in self.rng.permutation(len(self.w.leaves))]

    # --- layers
    def _param(self, name: str, shape: tuple[Extent, ...]) -> str:
        self.params.append(name)
        return self.w.leaf(name, "param", shape)

    def _layer(self, number: int, shape: tuple[Extent, ...]) -> dict[str, Any]:
        """What a layer is: its parameters, its activation and that one's options."""
        rng, n = self.rng, number + 1
        own = shape[1] if self.family == "sequences" else shape[-1]
        into = own if number == 0 else self._width
        out = into if rng.random() < 0.5 else self.extent("H")
        self._width = out
        activation = str(rng.choice(ACTIVATIONS))
        bias = bool(rng.random() < 0.6)
        layer: dict[str, Any] = {"activation": activation, "out": out}
        weight = (out, into, 3) if self.family == "sequences" else (into, out)
        layer["W"] = self._param(f"W{n}", weight)
        if bias or self.family == "sequences":
            layer["b"] = self._param(f"b{n}", (out,))
        if activation == "maxout":
            layer["V"] = self._param(f"V{n}", weight)
            layer["c"] = self._param(f"c{n}", (out,)) if self.family == "sequences" else None
        layer["options"] = {
            "leaky_relu": {"slope": float(rng.choice([0.01, 0.2]))},
            "hardtanh": {"low": -1, "high": float(rng.choice([1.0, 0.5]))},
            "clamp": {
                "low": [None, 0, -0.5, -1][int(rng.integers(4))],
                "high": [1, 0.5, 2][int(rng.integers(3))],
            },
        }.get(activation, {})
        layer["pool"] = self.family == "sequences" and number == 0 and rng.random() < 0.6
        return layer

    def _apply(self, layer: dict[str, Any], x: str) -> str:
        w = self.w

        def linear(weight: str, bias: object) -> str:
            shape = w.shapes[x]
            if self.family == "sequences":
                out = (shape[0], layer["out"], shape[2])
                return w.line("conv1d_same", x, weight, str(bias), shape=out)
            out = (*shape[:-1], layer["out"])
            if bias:
                return w.line("affine", x, weight, str(bias), shape=out)
            return w.line("matmul", x, weight, shape=out)

        z = linear(str(layer["W"]), layer.get("b"))
        if layer["activation"] == "maxout":
            h = w.line("maximum", z, linear(str(layer["V"]), layer.get("c")))
        else:
            h = w.line(str(layer["activation"]), z, **layer["options"])
        if layer["pool"]:
            shape = w.shapes[h]
            h = w.line("max_pool1d", h, size=2, shape=(*shape[:2], int(shape[2]) // 2))
        return h

    def _finish(self, h: str) -> str:
        """One number or one row for each example."""
        w = self.w
        if self.family == "sets":
            shape = w.shapes[h]
            h = w.line("max", h, axis=1, shape=(shape[0], shape[2]))
        elif self.family == "sequences":
            h = w.line("max" if self._last_max else "mean", h, axis=2, shape=w.shapes[h][:2])
        return h if self.head is None else w.line("matmul", h, self.head, shape=("N",))

    @property
    def _last_max(self) -> bool:
        return self.depth % 2 == 0

    def _branch(self, x: str) -> str:
        for layer in self.layers:
            x = self._apply(layer, x)
        return self._finish(x)

    # --- ends
    def _inputs(self, shape: tuple[Extent, ...]) -> list[str]:
        """One tensor for each branch; some are another's negative, half of it, or the mean of two."""
        w, rng = self.w, self.rng
        names = [w.leaf(f"x{k + 1}", "input", shape) for k in range(self.branches)]
        for k in range(1, len(names)):
            kind = rng.random()
            if kind < 0.06:
                names[k] = w.line("negative", names[0])
            elif kind < 0.12:
                names[k] = w.line("scaled", w.line("add", names[0], names[k]), c=0.5)
            elif kind < 0.16:
                names[k] = w.line("add", names[0], names[k])
        return names

    def _loss(self, f: list[str]) -> str:
        kinds = [self._means, self._squares, self._differences, self._hinge, self._contrastive]
        kinds += [self._sum_squares, self._products]
        if self.head is None:
            kinds += [self._triplet, self._clip]
        else:
            kinds += [self._ranknet, self._gan, self._wgan, self._penalty, self._penalty, self._relativistic]
        return kinds[int(self.rng.integers(len(kinds)))](f)

    def _total(self, parts: list[str]) -> str:
        """The parts added, or the first less the others."""
        if len(parts) == 1:
            return self.w.line("scaled", parts[0], c=1)
        return self.w.fold("add" if self.rng.random() < 0.6 else "sub", parts)

    def _scalar(self, name: str, op: str = "") -> str:
        return self.w.line(op or str(self.rng.choice(["mean_all", "sum_all"])), name, shape=())

    def _means(self, f: list[str]) -> str:
        return self._total([self._scalar(x) for x in f])

    def _squares(self, f: list[str]) -> str:
        return self._total([self._scalar(x, "mean_square") for x in f])

    def _sum_squares(self, f: list[str]) -> str:
        return self._scalar(self.w.fold("add", f), "mean_square")

    def _products(self, f: list[str]) -> str:
        return self._scalar(self.w.fold("mul", f))

    def _differences(self, f: list[str]) -> str:
        pairs = [self._scalar(self.w.line("sub", f[0], x), "mean_square") for x in f[1:]]
        return self._total(pairs)

    def _hinge(self, f: list[str]) -> str:
        c = float(self.rng.choice(MARGINS))
        op = str(self.rng.choice(["relu_margin", "relu_margin_square", "hinge"]))
        parts = [self._scalar(self.w.line(op, self.w.line("sub", f[0], x), c=c)) for x in f[1:]]
        return self._total(parts)

    def _contrastive(self, f: list[str]) -> str:
        """Hadsell, Chopra and LeCun 2006: y·d² + (1 − y)·relu(m − d)², here without the square's root."""
        w = self.w
        y = w.leaf("y", "target", ("N",), fact="binary")
        d = w.line("sub", f[0], f[1])
        if len(w.shapes[d]) > 1:
            d = w.line("sum", w.line("square", d), axis=1, shape=("N",))
        far = w.line("relu_margin_square", w.line("negative", d), c=-float(self.rng.choice(MARGINS)))
        other = w.line("scaled", w.line("shifted", w.line("negative", y), c=1), c=1)
        both = w.line("add", w.line("mul", y, d), w.line("mul", other, far))
        return self._scalar(both)

    def _triplet(self, f: list[str]) -> str:
        w = self.w
        last = f[2] if len(f) > 2 else w.line("negative", f[1])
        near, away = (
            w.line("sum", w.line("square", w.line("sub", f[0], x)), axis=1, shape=("N",))
            for x in (f[1], last)
        )
        c = -float(self.rng.choice(MARGINS))
        return self._scalar(w.line("relu_margin", w.line("sub", near, away), c=c))

    def _clip(self, f: list[str]) -> str:
        """Radford et al. 2021: each row's own column is its label, in both directions."""
        w = self.w
        logits = w.line(
            "matmul", f[0], w.line("transpose", f[1], shape=w.shapes[f[1]][::-1]), shape=("N", "N")
        )
        own = w.line("sum", w.line("mul", f[0], f[1]), axis=1, shape=("N",))
        parts = [
            self._scalar(w.line("sub", w.line("logsumexp", logits, axis=axis, shape=("N",)), own), "mean_all")
            for axis in (1, 0)
        ]
        return self._total(parts)

    def _ranknet(self, f: list[str]) -> str:
        parts = [self._scalar(self.w.line("softplus", self.w.line("sub", x, f[0]))) for x in f[1:]]
        return self._total(parts)

    def _gan(self, f: list[str]) -> str:
        w = self.w
        real = self._scalar(w.line("softplus", w.line("negative", f[0])), "mean_all")
        return w.fold("add", [real, *(self._scalar(w.line("softplus", x), "mean_all") for x in f[1:])])

    def _relativistic(self, f: list[str]) -> str:
        """Jolicoeur-Martineau 2019: each score beside the mean of the others."""
        w = self.w
        d = w.line("sub", f[0], self._scalar(f[1], "mean_all"))
        e = w.line("sub", f[1], self._scalar(f[0], "mean_all"))
        return self._total(
            [self._scalar(w.line("hinge", d, c=1)), self._scalar(w.line("relu_margin", e, c=-1))]
        )

    def _wgan(self, f: list[str]) -> str:
        return self.w.fold("sub", [self._scalar(x, "mean_all") for x in f])

    def _penalty(self, f: list[str]) -> str:
        """Gulrajani et al. 2017: (|∂f/∂x| − 1)² at points between real and made; or of R1, |∂f/∂x|²."""
        w = self.w
        between = w.leaf("between", "input", self.shape)
        score = self._branch(between)
        slope = w.line("grad", score, between, shape=self.shape)
        base = self._wgan(f)
        square = w.line("sum", w.line("square", slope), axis=1, shape=(self.shape[0], *self.shape[2:]))
        if self.rng.random() < 0.6:
            length = w.line("root_square", square, eps=1)
            penalty = self._scalar(w.line("square", w.line("shifted", length, c=-1)))
        else:
            penalty = self._scalar(square)
        return w.line("add", base, w.line("scaled", penalty, c=10), shape=())
