"""What a random system of `coincidences` is made of: each move adds a value to those that are there.

Enters: a random generator. Leaves: leaves and lines in a `Writer`. A move that doesn't apply gives None.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from programs import Extent, Shape, Writer, broadcast

SMOOTH = (
    "tanh", "sigmoid", "softplus", "sin", "square", "negative", "exp_tanh", "inverse", "gelu", "silu",
    "log_sigmoid", "cube",
)  # fmt: skip
BY_CASES = (
    "relu", "relu", "leaky_relu", "hardtanh", "abs", "clamp", "squared_relu", "relu_margin",
    "relu_margin_square", "hinge", "hardshrink", "softshrink", "masked", "huber_body", "relu6", "sign",
)  # fmt: skip
OF_TWO = ("add", "sub", "mul", "maximum", "minimum", "larger", "not_smaller", "if_less", "between", "divide")
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "logsumexp", "norm", "var", "sum", "mean", "max")
ALONG = ("softmax", "log_softmax", "cumsum", "centred", "below_max", "normalised", "flip", "roll")
RECURRENCES = ("decayed", "running_relu", "running_abs")
CONSTANTS = (2, 0.5, 1, 3, 0.01, 0.1, -1, 5)
EPSILONS = (1, 0.01, 1e-12)


class Moves:
    """The values so far, and the moves."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.w = Writer()
        self.sizes: dict[str, int | None] = {}
        self.least: dict[str, int] = {}
        self.values: list[str] = []
        common = int(rng.integers(1, 5))
        self.batch = self._size("N", common, open_only=0.85)
        self.wide = self._size("D", common)
        self.other = self.wide if rng.random() < 0.4 else self._size("H", common)

    def _size(self, letter: str, common: int, open_only: float = 0.4) -> Extent:
        kind, number = self.rng.random(), common if self.rng.random() < 0.6 else int(self.rng.integers(1, 9))
        if kind < open_only:
            self.sizes[letter] = None
            return letter
        if kind < open_only + 0.25:
            self.sizes[letter] = number
            return letter
        return number

    # --- small choices
    def among(self, options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def recent(self, rank: tuple[int, ...] = (0, 1, 2, 3)) -> str | None:
        """A value of one of these ranks, rather a late one."""
        fitting = [v for v in self.values if len(self.w.shapes[v]) in rank]
        if not fitting:
            return None
        late = np.arange(1, len(fitting) + 1) ** 3
        return str(self.rng.choice(fitting, p=late / late.sum()))

    def axis(self, x: str) -> int:
        return int(self.rng.integers(len(self.w.shapes[x])))

    def without(self, x: str, axis: int) -> Shape:
        shape = self.w.shapes[x]
        return (*shape[:axis], *shape[axis + 1 :])

    def add(self, op: str, *args: str, shape: Shape | None = None, **options: Any) -> str:
        name = self.w.line(op, *args, shape=shape, **options)
        self.values.append(name)
        return name

    # --- moves
    def pointwise(self) -> str | None:
        x = self.recent()
        return x and self.add(self.among(SMOOTH), x)

    def cases_of(self, op: str) -> dict[str, Any]:
        low, high = self.among([(-1, 1), (0, 1), (-0.5, 0.5), (-2, 0)])
        return {
            "slope": self.among([0.01, 0.2, -1]),
            "low": None if op == "clamp" and self.rng.random() < 0.2 else low,
            "high": high,
            "c": self.among([0.5, 0.01, 1, 2]) if "shrink" in op or "huber" in op else self.among(CONSTANTS),
            "d": self.among(CONSTANTS),
        }

    def by_cases(self) -> str | None:
        x, op = self.recent(), self.among(BY_CASES)
        return x and self.add(op, x, **self.cases_of(op))

    def partner(self, x: str) -> str | None:
        """A value that broadcasts with another, without an axis that both lack."""
        shape = self.w.shapes[x]
        fitting = []
        for v in self.values:
            try:
                broadcast(shape, self.w.shapes[v])
            except ValueError:
                continue
            fitting.append(v)
        return self.among(fitting) if fitting else None

    def of_two(self) -> str | None:
        x = self.recent()
        y = self.partner(x) if x else None
        if x is None or y is None:
            return None
        if self.rng.random() < 0.5:
            x, y = y, x
        return self.add(self.among(OF_TWO), x, y, **self.cases_of(""))

    def itself(self) -> str | None:
        """An op of a value and itself, its transpose, or another form of it."""
        x = self.recent((1, 2, 3))
        if x is None:
            return None
        shape, kind = self.w.shapes[x], self.rng.random()
        if len(shape) == 2 and shape[0] == shape[1] and kind < 0.5:
            y = self.add("transpose", x, shape=shape)
        elif kind < 0.7:
            y = x
        else:
            y = self.add(self.among(["relu", "abs", "sign", "negative", "hardtanh"]), x, low=-1, high=1)
        return self.add(self.among(("mul", "sub", "maximum", "add", "larger", "not_smaller")), x, y)

    def product(self) -> str | None:
        """A matrix product; where nothing fits, with the transpose of what does, or a weight made to fit."""
        x = self.recent((1, 2, 3))
        if x is None:
            return None
        last = self.w.shapes[x][-1]
        fitting = [
            v
            for v in self.values
            if len(self.w.shapes[v]) in (1, 2)
            and self.w.shapes[v][0] == last
            and len(self.w.shapes[v]) + len(self.w.shapes[x]) > 2
        ]
        if self.rng.random() < 0.2 and len(self.w.shapes[x]) == 2:
            y = self.add("transpose", x, shape=self.w.shapes[x][::-1])
        elif fitting:
            y = self.among(fitting)
        else:
            names = {leaf.name for leaf in self.w.leaves}
            name = next(f"U{k}" for k in range(1, 9) if f"U{k}" not in names)
            y = self.w.leaf(name, "param", self.among([(last, self.wide), (last, last), (last,)]))
            if len(self.w.shapes[x]) == 1 and len(self.w.shapes[y]) == 1:
                return None
            self.values.append(y)
        return self.add("matmul", x, y, shape=(*self.w.shapes[x][:-1], *self.w.shapes[y][1:]))

    def reduction(self) -> str | None:
        x = self.recent((1, 2, 3))
        if x is None:
            return None
        axis = self.axis(x)
        return self.add(self.among(REDUCTIONS), x, axis=axis, shape=self.without(x, axis))

    def along(self) -> str | None:
        x = self.recent((1, 2, 3))
        if x is None:
            return None
        options = {"axis": self.axis(x), "eps": self.among(EPSILONS), "shift": self.among([1, -1])}
        return self.add(self.among(ALONG), x, **options)

    def by_number(self) -> str | None:
        x = self.recent()
        return x and self.add(self.among(["scaled", "shifted"]), x, c=self.among(CONSTANTS))

    def by_size(self) -> str | None:
        """A factor made of sizes, which is 1, or another one, at some of them."""
        x = self.recent()
        names = list(self.sizes)
        if x is None or not names:
            return None
        a, b = self.among(names), self.among(names)
        factor = self.among(
            [f"2 / {a}", f"{a} / {b}", f"1 / {a}", f"{a} / ({a} - 1)", f"({a} - 1) / 2", f"3 - {a}"]
        )
        if "/ (" in factor:
            if self.sizes[a] == 1:
                return None
            self.least[a] = 2
        return self.add("by_sizes", x, factor=factor)

    def turned(self) -> str | None:
        x = self.recent((2,))
        return x and self.add("transpose", x, shape=self.w.shapes[x][::-1])

    def sliced(self) -> str | None:
        """A part of an axis given as a number, at numbers."""
        x = self.recent((1, 2, 3))
        if x is None:
            return None
        shape = self.w.shapes[x]
        axes = [k for k, e in enumerate(shape) if isinstance(e, int) and e > 1]
        if not axes:
            return None
        axis = self.among(axes)
        extent = int(shape[axis])
        if axis == len(shape) - 1 and self.rng.random() < 0.3:
            return self.add("place", x, at=int(self.rng.integers(extent)), shape=shape[:-1])
        first = int(self.rng.integers(extent))
        last, step = int(self.rng.integers(first + 1, extent + 1)), self.among([1, 1, 2])
        taken = len(range(first, last, step))
        at = ", ".join(f"{first}:{last}:{step}" if k == axis else ":" for k in range(len(shape)))
        return self.add("slice", x, at=at, shape=(*shape[:axis], taken, *shape[axis + 1 :]))

    def joined(self) -> str | None:
        x = self.recent((1, 2))
        if x is None:
            return None
        shape = self.w.shapes[x]
        same = [v for v in self.values if self.w.shapes[v] == shape]
        y, axis = self.among(same), self.axis(x)
        if self.rng.random() < 0.5:
            return self.add("stack", x, y, axis=axis, shape=(*shape[:axis], 2, *shape[axis:]))
        extent = shape[axis]
        wide: Extent = 2 * extent if isinstance(extent, int) else f"2*{extent}"
        if isinstance(wide, str) and len(wide) > 12:
            return None
        return self.add("concat", x, y, axis=axis, shape=(*shape[:axis], wide, *shape[axis + 1 :]))

    def pairs(self) -> str | None:
        """x_i − x_j of all pairs: antisymmetric, 0 where i = j."""
        x = self.recent((1, 2))
        if x is None:
            return None
        shape = self.w.shapes[x]
        return self.add("pairwise", x, axis=1, shape=(shape[0], *shape))

    def recurrence(self) -> str | None:
        x = self.recent((2,))
        if x is None:
            return None
        shape = self.w.shapes[x]
        written = f"({shape[0]}, {shape[1]})"
        op = self.among(RECURRENCES)
        return self.add(op, x, c=self.among([0.5, -1, 1]), shape_=written, shape=shape)

    def label(self) -> str | None:
        """Classes given as a number, of which a small sample lacks some."""
        w, rng = self.w, self.rng
        count = int(rng.integers(2, 9))
        names = {leaf.name for leaf in w.leaves}
        if "t" in names:
            t = "t"
            count = next(int(leaf.classes or 0) for leaf in w.leaves if leaf.name == "t")
        else:
            t = w.leaf("t", "tokens", (self.batch,), classes=count)
        kind = rng.random()
        if kind < 0.4:
            name = next(f"E{k}" for k in range(1, 9) if f"E{k}" not in names)
            table = w.leaf(name, "param", (count, self.wide))
            return self.add("embedding", t, table, shape=(self.batch, self.wide))
        fitting = [v for v in self.values if w.shapes[v] == (self.batch,)]
        if kind < 0.75 and fitting:
            k = self.among([count - 1, count - 1, 0, int(rng.integers(count))])
            op = self.among(["where_equal", "where_below"])
            args = (
                (t, self.among(fitting), self.among(fitting))
                if op == "where_equal"
                else (t, self.among(fitting))
            )
            return self.add(op, *args, k=k, c=self.among(CONSTANTS), shape=(self.batch,))
        x = self.recent((2,))
        if x is None or w.shapes[x][0] != self.batch:
            return None
        name = next(f"Q{k}" for k in range(1, 9) if f"Q{k}" not in names)
        weight = w.leaf(name, "param", (w.shapes[x][1], count))
        z = self.add("matmul", x, weight, shape=(self.batch, count))
        if kind < 0.88:
            return self.add("pick", z, t, shape=(self.batch,))
        return self.add("cross_entropy", z, t, shape=())

    def inner(self) -> str | None:
        """A derivative inside of the declaration, by a leaf or by a value that was used."""
        u = self.recent()
        if u is None or not u.startswith("v"):
            return None
        below, stack = set(), [u]
        made = {line.target: line for line in self.w.lines}
        while stack:
            name = stack.pop()
            if name in made:
                stack += made[name].args
            if name not in below and name != u:
                below.add(name)
        left = {leaf.name for leaf in self.w.leaves if leaf.integer or leaf.fact}
        left |= {line.target for line in self.w.lines if line.op in RECURRENCES}  # PyTorch's are stacks
        by = sorted(below - left)
        if not by or (any(line.op == "grad" for line in self.w.lines[:-1]) and self.rng.random() < 0.5):
            return None
        x = self.among(by)
        return self.add("grad", u, x, shape=self.w.shapes[x])

    def nested(self) -> str | None:
        """Guards inside of guards."""
        x = self.recent()
        if x is None:
            return None
        for _ in range(2):
            op = self.among(
                ["clamp", "relu", "abs", "masked", "leaky_relu", "hardtanh", "relu_margin", "hinge"]
            )
            x = self.add(op, x, **self.cases_of(op))
        y = self.partner(x)
        return self.add(self.among(["maximum", "between", "if_less"]), x, y or x, **self.cases_of(""))

    def chosen(self) -> str | None:
        """One of two values, as a third says; or times a mask of zeros and ones."""
        x = self.recent()
        if x is None:
            return None
        masks = [leaf.name for leaf in self.w.leaves if leaf.fact and leaf.shape == self.w.shapes[x]]
        if masks:
            return self.add("mul", x, masks[0])
        y, z = self.partner(x), self.partner(x)
        try:
            return y and z and self.add("choose", x, y, z, c=self.among(CONSTANTS))
        except ValueError:
            return None

    def triangle(self) -> str | None:
        x = self.recent((2,))
        return x and self.add("tril", x)

    def logarithm(self) -> str | None:
        x = self.recent()
        op = self.among(["log_square", "root_square", "log_softplus"])
        return x and self.add(op, x, eps=self.among((1, 0.01)), c=self.among([1, 0.1, 0.001, 2]))
