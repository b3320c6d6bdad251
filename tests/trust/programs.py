"""Small programs that are written twice, in symbp's words and in PyTorch's: the two columns of `OPS`.

Enters: leaves and lines. Leaves: the program's text for symbp, which is what runs and what a failure prints,
and the same in PyTorch. Must not know: how anything is derived, or how programs are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Extent = int | str  # a bare integer, the name of a size, or a formula of sizes, "(L - 2)//2"
Shape = tuple[Extent, ...]


@dataclass(frozen=True)
class Leaf:
    """What is given: `role` is input, target, param, labels or tokens; the last two hold integers below
    `classes`. `fact` is `"binary"`, or nothing."""

    name: str
    role: str
    shape: Shape
    classes: Extent | None = None
    fact: str = ""

    @property
    def integer(self) -> bool:
        return self.role in ("labels", "tokens")

    @property
    def text(self) -> str:
        shape = f"({', '.join(map(str, self.shape))}{',' if len(self.shape) == 1 else ''})"
        more = {"labels": f", classes={self.classes}", "tokens": f", vocabulary={self.classes}"}
        fact = f', facts="{self.fact}"' if self.fact else ""
        return f'{self.name} = bp.{self.role}("{self.name}", {shape}{more.get(self.role, "")}{fact})'


@dataclass(frozen=True)
class Line:
    """`target = op(args)`; options are the further words of the op's two templates."""

    target: str
    op: str
    args: tuple[str, ...]
    shape: Shape
    options: Mapping[str, Any] = field(default_factory=dict)

    def text(self, column: int) -> str:
        written = OPS[self.op][column].format(*self.args, target=self.target, **self.options)
        return written if written.startswith(f"{self.target} = ") else f"{self.target} = {written}"


@dataclass(frozen=True)
class Program:
    """Sizes (name to value, None where open; `least` says how small an open one may be), leaves in the order
    of their declaration, lines, the last of which is the loss; by which leaves it is differentiated, and
    whether what is wanted is its gradient or the product of its Hessian with a vector."""

    sizes: Mapping[str, int | None]
    leaves: tuple[Leaf, ...]
    lines: tuple[Line, ...]
    wrt: tuple[str, ...]
    least: Mapping[str, int] = field(default_factory=dict)
    hvp: bool = False

    @property
    def loss(self) -> str:
        return self.lines[-1].target

    @property
    def text(self) -> str:
        """The declaration for symbp, a file that runs."""
        head = ["import symbp as bp"]
        for name, value in self.sizes.items():
            head.append(
                f'{name} = bp.dim("{name}")' if value is None else f'{name} = bp.dim("{name}", {value})'
            )
        if any("_a" in OPS[line.op][0] for line in self.lines):
            head.append('_a, _b = bp.indices("p q")')
        head += [leaf.text for leaf in self.leaves]
        body = [line.text(0) for line in self.lines]
        return "\n".join([*head, *body, f'net = bp.Network("net", loss={self.loss})'])

    @property
    def torch_text(self) -> str:
        return "\n".join(line.text(1) for line in self.lines)

    def pruned(self) -> Program:
        """Without what the loss doesn't read."""
        needed = {self.loss}
        kept = []
        for line in reversed(self.lines):
            if line.target in needed:
                kept.append(line)
                needed |= set(line.args)
        leaves = tuple(leaf for leaf in self.leaves if leaf.name in needed)
        shapes = " ".join(str(e) for leaf in leaves for e in (*leaf.shape, leaf.classes))
        shapes += " ".join(line.text(0) for line in kept)
        sizes = {name: number for name, number in self.sizes.items() if re.search(rf"\b{name}\b", shapes)}
        wrt = tuple(name for name in self.wrt if name in needed)
        return Program(sizes, leaves, tuple(kept[::-1]), wrt, self.least, self.hvp)


def same(text: str) -> tuple[str, str]:
    return text, text


def both(text: str) -> tuple[str, str]:
    """A template in which only the name of the package differs."""
    return "bp." + text, "torch." + text


# op: (as symbp writes it, as PyTorch writes it)
OPS: dict[str, tuple[str, str]] = {
    "as written": ("{symbp}", "{torch}"),
    # two operands, broadcast
    "add": same("{0} + {1}"),
    "sub": same("{0} - {1}"),
    "mul": same("{0} * {1}"),
    "divide": same("{0} / (1 + {1}**2)"),
    "maximum": both("maximum({0}, {1})"),
    "minimum": both("minimum({0}, {1})"),
    "larger": both("where({0} > {1}, {0}, {1})"),
    "not_smaller": both("where({0} >= {1}, {0}, {1})"),
    "if_less": both("where({0} < {c}, {1}, {0})"),
    "between": (
        "bp.where(({0} > {low}) & ({1} <= {high}), {0}, {1})",
        "torch.where(({0} > {low}) & ({1} <= {high}), {0}, {1})",
    ),
    "choose": both("where({0} > {c}, {1}, {2})"),
    # one operand: smooth
    "tanh": both("tanh({0})"),
    "sigmoid": both("sigmoid({0})"),
    "softplus": ("bp.softplus({0})", "F.softplus({0}, threshold=1e9)"),
    "sin": both("sin({0})"),
    "square": same("{0}**2"),
    "cube": same("{0}**3"),
    "negative": same("-{0}"),
    "exp_tanh": ("bp.exp(bp.tanh({0}))", "torch.exp(torch.tanh({0}))"),
    "log_square": ("bp.log({0}**2 + {eps})", "torch.log({0}**2 + {eps})"),
    "root_square": ("bp.sqrt({0}**2 + {eps})", "torch.sqrt({0}**2 + {eps})"),
    "inverse": same("1 / ({0}**2 + 1)"),
    "gelu": ("bp.gelu({0})", "F.gelu({0})"),
    "silu": ("bp.silu({0})", "F.silu({0})"),
    "log_softplus": ("bp.log(bp.softplus({0}) + {c})", "torch.log(F.softplus({0}, threshold=1e9) + {c})"),
    "log_sigmoid": ("bp.logsigmoid({0})", "F.logsigmoid({0})"),
    # one operand: by cases
    "relu": both("relu({0})"),
    "leaky_relu": ("bp.leaky_relu({0}, {slope})", "F.leaky_relu({0}, {slope})"),
    "hardtanh": ("bp.hardtanh({0}, {low}, {high})", "F.hardtanh({0}, {low}, {high})"),
    "relu6": ("bp.relu6({0})", "F.relu6({0})"),
    "abs": both("abs({0})"),
    "sign": both("sign({0})"),
    "clamp": ("bp.clamp({0}, {low}, {high})", "torch.clamp({0}, {low}, {high})"),
    "squared_relu": ("bp.squared_relu({0})", "torch.where({0} > 0, {0}**2, 0.0)"),
    "relu_margin": ("bp.relu({0} - {c})", "torch.relu({0} - {c})"),
    "relu_margin_square": ("bp.relu({0} - {c})**2", "torch.relu({0} - {c})**2"),
    "hinge": ("bp.relu({c} - {0})", "torch.relu({c} - {0})"),
    "hardshrink": ("bp.hardshrink({0}, {c})", "F.hardshrink({0}, {c})"),
    "softshrink": ("bp.softshrink({0}, {c})", "F.softshrink({0}, {c})"),
    "elu": ("bp.elu({0})", "torch.where({0} > 0, {0}, torch.expm1({0}.clamp(max=0)))"),  # F.elu″(0) is 0
    "masked": ("bp.where({0} > {c}, {0}, {d})", "torch.where({0} > {c}, {0}, {d})"),
    "huber_body": (
        "bp.where(bp.abs({0}) < {c}, {0}**2 / 2, {c} * (bp.abs({0}) - {c} / 2))",
        "torch.where(torch.abs({0}) < {c}, {0}**2 / 2, {c} * (torch.abs({0}) - {c} / 2))",
    ),
    # constants and sizes
    "scaled": same("{0} * {c}"),
    "shifted": same("{0} + {c}"),
    "by_sizes": same("{0} * ({factor})"),
    # products
    "matmul": same("{0} @ {1}"),
    "transpose": same("{0}.T"),
    "affine": same("{0} @ {1} + {2}"),
    # reductions
    "sum": same("{0}.sum({axis})"),
    "mean": same("{0}.mean({axis})"),
    "max": ("{0}.max({axis})", "{0}.max({axis}).values"),
    "min": ("bp.min({0}, {axis})", "{0}.min({axis}).values"),
    "prod": ("bp.prod({0}, {axis})", "{0}.prod({axis})"),
    "logsumexp": ("bp.logsumexp({0}, {axis})", "torch.logsumexp({0}, {axis})"),
    "norm": ("bp.norm({0}, {axis})", "torch.linalg.vector_norm({0}, dim={axis})"),
    "var": ("bp.var({0}, {axis}, correction=0)", "{0}.var({axis}, correction=0)"),
    "sum_all": ("{0}.sum()", "{0}.sum()"),
    "mean_all": ("{0}.mean()", "{0}.mean()"),
    "max_all": ("{0}.max()", "{0}.flatten().max(0).values"),
    "mean_square": ("({0}**2).mean()", "({0}**2).mean()"),
    "sum_square": ("({0}**2).sum()", "({0}**2).sum()"),
    # along an axis
    "softmax": ("bp.softmax({0}, {axis})", "torch.softmax({0}, {axis})"),
    "log_softmax": ("bp.log_softmax({0}, {axis})", "torch.log_softmax({0}, {axis})"),
    "cumsum": ("bp.cumsum({0}, {axis})", "torch.cumsum({0}, {axis})"),
    "centred": (
        "{0} - bp.unsqueeze({0}.mean({axis}), {axis})",
        "{0} - {0}.mean({axis}, keepdim=True)",
    ),
    "below_max": (
        "{0} - bp.unsqueeze({0}.max({axis}), {axis})",
        "{0} - {0}.max({axis}, keepdim=True).values",
    ),
    "normalised": (
        "{0} / bp.unsqueeze(bp.sqrt(({0}**2).sum({axis}) + {eps}), {axis})",
        "{0} / torch.sqrt(({0}**2).sum({axis}, keepdim=True) + {eps})",
    ),
    "flip": ("bp.flip({0}, {axis})", "torch.flip({0}, ({axis},))"),
    "roll": ("bp.roll({0}, {shift}, {axis})", "torch.roll({0}, {shift}, {axis})"),
    "tril": both("tril({0})"),
    "slice": same("{0}[{at}]"),
    "place": same("{0}[..., {at}]"),
    "concat": ("bp.concat({0}, {1}, axis={axis})", "torch.cat(({0}, {1}), {axis})"),
    "stack": ("bp.stack({0}, {1}, axis={axis})", "torch.stack(({0}, {1}), {axis})"),
    "pairwise": ("bp.unsqueeze({0}, {axis}) - {0}", "{0}.unsqueeze({axis}) - {0}"),
    # integers
    "embedding": ("bp.embedding({0}, {1})", "{1}[{0}]"),
    "pick": ("bp.pick({0}, {1})", "{0}.gather(-1, {1}.unsqueeze(-1)).squeeze(-1)"),
    "where_equal": ("bp.where(bp.equal({0}, {k}), {1}, {2})", "torch.where({0} == {k}, {1}, {2})"),
    "where_below": ("bp.where({0} < {k}, {1}, {c})", "torch.where({0} < {k}, {1}, {c})"),
    "cross_entropy": ("bp.cross_entropy({0}, {1}, from_logits=True)", "F.cross_entropy({0}, {1})"),
    # recurrences over the last axis of two
    "decayed": (
        '{target} = bp.recurrent("{target}", {shape_})\n'
        "{target} = bp.define({target}, [_a, _b], {c} * {target}.at(_a, _b - 1, outside=0) + {0}[_a, _b])",
        "scan({0}, lambda h, x: {c} * h + x)",
    ),
    "running_relu": (
        '{target} = bp.recurrent("{target}", {shape_})\n'
        "{target} = bp.define({target}, [_a, _b], bp.relu({target}.at(_a, _b - 1, outside=0) + {0}[_a, _b]))",
        "scan({0}, lambda h, x: torch.relu(h + x))",
    ),
    "running_abs": (
        '{target} = bp.recurrent("{target}", {shape_})\n'
        "{target} = bp.define({target}, [_a, _b], bp.abs({0}[_a, _b] - {target}.at(_a, _b - 1, outside=0)))",
        "scan({0}, lambda h, x: torch.abs(x - h))",
    ),
    # windows
    "conv1d_same": ("bp.conv1d({0}, {1}, {2}, padding=1)", "F.conv1d({0}, {1}, {2}, padding=1)"),
    "max_pool1d": ("bp.max_pool1d({0}, {size})", "F.max_pool1d({0}, {size})"),
    # derivatives inside
    "grad": ("bp.grad({0}, {1})", "grad({0}, {1})"),
}


class Writer:
    """Collects leaves and lines; each call of `line` names and returns a new value."""

    def __init__(self, prefix: str = "v") -> None:
        self.leaves: list[Leaf] = []
        self.lines: list[Line] = []
        self.shapes: dict[str, Shape] = {}
        self._prefix = prefix

    def leaf(self, name: str, role: str, shape: Shape, **more: Any) -> str:
        self.leaves.append(Leaf(name, role, shape, **more))
        self.shapes[name] = shape
        return name

    def line(self, op: str, *args: str, shape: Shape | None = None, **options: Any) -> str:
        """One line; its shape is that of its operands, broadcast, unless stated."""
        shape = broadcast(*(self.shapes[a] for a in args)) if shape is None else shape
        name = f"{self._prefix}{len(self.lines) + 1}"
        self.lines.append(Line(name, op, args, shape, options))
        self.shapes[name] = shape
        return name

    def fold(self, op: str, names: list[str]) -> str:
        """One value of several, by an op of two operands."""
        result = names[0]
        for name in names[1:]:
            result = self.line(op, result, name)
        return result


def broadcast(*shapes: Shape) -> Shape:
    """The shape of a broadcast by trailing axes, in which a bare 1 fits anything.

    Raises ValueError where shapes don't fit.
    """
    rank = max(map(len, shapes))
    found: list[Extent] = []
    for k in range(rank):
        extents = {s[k - rank + len(s)] for s in shapes if k >= rank - len(s)}
        wide = extents - {1} or {1}
        if len(wide) > 1:
            raise ValueError(f"{shapes} don't fit")
        found.append(wide.pop())
    return tuple(found)


def value(extent: Extent, sizes: Mapping[str, int]) -> int:
    """An extent as a number."""
    if isinstance(extent, int):
        return extent
    return int(eval(extent, {"__builtins__": {}}, dict(sizes)))


Generator = Callable[[int], Program]  # of a seed
