"""The registry of ops: what each is, and example operands with which tests and pages can go over all.

Enters: one function per op, decorated. Leaves: `REGISTRY`, filled while the family modules are imported and
not changed later. Must not know: any op by name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec, TypeVar

from symbp.errors import UsageError, choose
from symbp.language.leaves import input, labels, param, target
from symbp.language.network import Network
from symbp.language.node import Hint
from symbp.language.sizes import dims
from symbp.language.tensor import Tensor, pointwise
from symbp.ops.operands import of_tensors

P = ParamSpec("P")
R = TypeVar("R")

Values = Literal[
    "real",
    "positive",
    "unit",
    "above one",
    "probability",
    "simplex",
    "positive definite",
    "labels",
    "letters",
    "lengths",
    "binary",
    "sign",
    "distribution",
]
DATA = frozenset({"labels", "letters", "lengths", "binary", "sign", "distribution"})


@dataclass(frozen=True)
class Sample:
    """One example operand: its sizes (`"N K"`, `"N 2*H 3"`) and what values make sense for it.

    `unit` is between −1 and 1, `probability` between 0 and 1, `simplex` rows that sum to one,
    `positive definite` symmetric matrices; `labels` (below K), `letters` (labels other than 0), `lengths`
    (integers up to T), `binary`, `sign` (±1) and `distribution` (rows that sum to one) are data, not
    differentiated.
    """

    shape: str
    values: Values = "real"


@dataclass(frozen=True)
class Example:
    """Operands and keyword arguments with which an op is worth testing."""

    operands: tuple[Sample, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


def example(*operands: str, **options: Any) -> Example:
    """`example("N K: simplex", "N: labels", from_logits=True)`: shapes, values, keyword arguments."""
    samples = []
    for operand in operands:
        shape, _, values = operand.partition(":")
        samples.append(Sample(shape.strip(), values.strip() or "real"))  # type: ignore[arg-type]
    return Example(tuple(samples), options)


@dataclass(frozen=True)
class Op:
    """One op. `analytic` says that the complex step applies; `kinks` says in words where the derivative
    jumps and which value it takes there; `differentiable` is False for what is only looked at."""

    name: str
    family: str
    function: Callable[..., Any]
    examples: tuple[Example, ...]
    analytic: bool = True
    kinks: str = ""
    elementwise: bool = False
    differentiable: bool = True

    @property
    def formula(self) -> str:
        """The first line of the docstring: the definition in words or symbols."""
        return (self.function.__doc__ or "").strip().split("\n")[0]

    def declare(self, example: Example, prefix: str = "") -> tuple[list[Tensor], Tensor]:
        """The operands of an example (`x`, `x2`, … after the prefix: parameters, or targets if data) and the
        result."""
        tensors = [_declare(prefix, k, sample) for k, sample in enumerate(example.operands)]
        return tensors, self.function(*tensors, **example.options)

    def network(self, example: Example) -> Network:
        """The op as a network of its own, whose loss is Σ g·result: g is the gradient that comes in."""
        _, result = self.declare(example)
        loss = result
        if result.integer:
            loss = (pointwise(lambda e: e, result, rule="value") * 1).sum()
        elif result.rank:
            loss = (result * input("g", result.shape)).sum()
        return Network(f"{self.name}_op", loss=loss, outputs={"result": result} if result.rank else {})


REGISTRY: dict[str, Op] = {}


def op(
    family: str,
    *examples: Example,
    analytic: bool = True,
    kinks: str = "",
    differentiable: bool = True,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Registers a function of tensors as an op under its own name."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        name, given = function.__name__, of_tensors(function)
        REGISTRY[name] = Op(name, family, given, examples, analytic, kinks, differentiable=differentiable)
        return given

    return register


def elementwise(
    family: str,
    *values: Values,
    analytic: bool = True,
    kinks: str = "",
    options: tuple[Mapping[str, Any], ...] = ({},),
    hint: Hint | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a scalar formula as an op on tensors, broadcast by trailing axes.

    `values` says what makes sense for each operand (one real operand if nothing is said), `options` which
    keyword arguments are worth testing. The op takes tensors, numbers, or elements in index notation
    (`bp.exp(z[n, j])`). With a `hint` its result is worth an equation of its own.
    """
    domains = values or ("real",)
    examples = tuple(example(*[f"N H: {domain}" for domain in domains], **chosen) for chosen in options)
    more: dict[str, Any] = {"hint": hint, "kept": True} if hint else {}

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        name = body.__name__

        @functools.wraps(body)
        def function(*operands: Any, **chosen: Any) -> Any:
            given, rest = operands[: len(domains)], operands[len(domains) :]
            return pointwise(
                lambda *elements: body(*elements, *rest, **chosen),
                *given,
                rule=name.replace("_", " "),
                **more,
            )

        REGISTRY[name] = Op(name, family, function, examples, analytic, kinks, elementwise=True)
        return function

    return register


def family(name: str) -> tuple[Op, ...]:
    """The ops of one family, in the order in which they are written."""
    return tuple(o for o in REGISTRY.values() if o.family == name)


def find(name: str, within: str | None = None) -> Op:
    """The op of that name. Raises UsageError, with the nearest names, if there is none."""
    known = [o.name for o in REGISTRY.values() if within is None or o.family == within]
    if name not in known:
        kind = within.removesuffix("s") if within else "op"
        raise UsageError(f"no {kind} is called {name!r}", help=choose(name, known))
    return REGISTRY[name]


def _declare(prefix: str, position: int, sample: Sample) -> Tensor:
    shape = tuple(map(_size, sample.shape.split()))
    name = f"{prefix}x" if position == 0 else f"{prefix}x{position + 1}"
    if sample.values in ("labels", "letters"):
        return labels(name, shape, classes=dims("K")[0])
    if sample.values == "lengths":
        return labels(name, shape, classes=dims("T")[0] + 1)
    if sample.values in DATA:
        facts = {"binary": "binary", "distribution": "sums to one"}
        known = facts.get(sample.values)
        return target(name, shape, known) if known else target(name, shape)
    return param(name, shape)


def _size(text: str) -> Any:
    """`H`, `2*H` or `3` as what stands in a shape."""
    *factor, last = text.split("*")
    size = int(last) if last.isdigit() else dims(last)[0]
    return int(factor[0]) * size if factor else size
