"""The value of a printed equation at given arrays: plain loops over its indices.

Enters: the tree of an equation, arrays by name, sizes. Leaves: an array. Must not know: where an equation
comes from, or how its value is computed elsewhere; it is slow, short and obviously right.

A read outside the range has the value written behind `|`, else 0. In a product a bracket that is 0 decides:
no other factor is evaluated.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbp.errors import FormulaError
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    Equation,
    Name,
    Number,
    Power,
    Product,
    Read,
    Reduction,
    Relation,
    Total,
    Tree,
)

MOST_STEPS = 10_000_000  # of one reduction's loop
CONSTANTS = {"π": math.pi, "e": math.e, "∞": math.inf}


def _gamma_slope(x: float) -> float:
    """ψ(x), by its recurrence and its asymptotic series."""
    found = 0.0
    while x < 12:
        found -= 1 / x
        x += 1
    squares = 1 / (x * x)
    series = squares * (1 / 12 - squares * (1 / 120 - squares * (1 / 252 - squares * (1 / 240))))
    return found + math.log(x) - 1 / (2 * x) - series


def _polygamma(order: float, x: float) -> float:
    import mpmath

    return float(mpmath.polygamma(int(order), x))


def _log(x: float) -> float:
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def _exp(x: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(x))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _log_of_sum(values: list[float]) -> float:
    """log Σ exp, which doesn't overflow."""
    most = max(values, default=-math.inf)
    return most + math.log(math.fsum(math.exp(v - most) for v in values)) if most > -math.inf else most


def _gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


def _gelu_slope(x: float) -> float:
    return (1 + math.erf(x / math.sqrt(2))) / 2 + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _gelu_tanh(x: float) -> float:
    return x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def _gelu_tanh_slope(x: float) -> float:
    t = math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x) / 2


FUNCTIONS: dict[str, Any] = {
    "gelu": _gelu, "gelu_slope": _gelu_slope, "gelu_tanh": _gelu_tanh, "gelu_tanh_slope": _gelu_tanh_slope,
    "exp": _exp, "log": _log, "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin,
    "acos": math.acos, "atan": math.atan, "atan2": math.atan2, "sinh": math.sinh, "cosh": math.cosh,
    "tanh": math.tanh, "asinh": math.asinh, "acosh": math.acosh, "atanh": math.atanh, "erf": math.erf,
    "erfc": math.erfc, "loggamma": math.lgamma, "digamma": _gamma_slope, "sqrt": math.sqrt, "abs": abs,
    "sigmoid": _logistic, "sigma": _logistic, "relu": lambda x: max(x, 0.0),
    "softplus": lambda x: _log_of_sum([0.0, x]), "floor": math.floor, "round": round,
    "sign": lambda x: float(np.sign(x)), "polygamma": _polygamma,
}  # fmt: skip
MATRICES: dict[str, Any] = {
    "inverse": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda a: np.linalg.slogdet(a)[1],
    "cholesky": lambda a: np.linalg.cholesky((a + a.T) / 2),
    "cofactors": lambda a: np.linalg.det(a) * np.linalg.inv(a).T,
    "eigenvalues": lambda a: np.linalg.eigvalsh((a + a.T) / 2),
    "eigenvectors": lambda a: np.linalg.eigh((a + a.T) / 2)[1],
    "singular values": lambda a: np.linalg.svd(a, compute_uv=False),
    "left vectors": lambda a: np.linalg.svd(a, full_matrices=False)[0],
    "right vectors": lambda a: np.linalg.svd(a, full_matrices=False)[2].T,
}


def evaluate(
    equation: Equation,
    arrays: Mapping[str, ArrayLike],
    sizes: Mapping[str, int] | None = None,
    extents: Mapping[str, int] | None = None,
    origin: int = 0,
) -> NDArray[np.float64]:
    """The array that the equation defines, with one axis for each index on its left.

    `extents` says how many values indices have; of others that is the extent of an axis at which they stand
    alone. Indices and subscripts start at `origin`, as do the places of maxima.
    Raises FormulaError: a name without a value, an index whose extent nothing tells, a function that isn't
    evaluated.
    """
    values = _Values(equation, arrays, sizes or {}, extents or {}, origin)
    indices = values.indices(equation)
    found = np.zeros(tuple(map(values.extent, indices)))
    for at, _, value in values.elements(equation):
        found[tuple(at[i] - origin for i in indices)] = value
    return found


def elements(
    equation: Equation,
    arrays: Mapping[str, ArrayLike],
    sizes: Mapping[str, int] | None = None,
    extents: Mapping[str, int] | None = None,
    origin: int = 0,
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Each element that the equation defines, by its place in the array; the same errors."""
    values = _Values(equation, arrays, sizes or {}, extents or {}, origin)
    for _, place, value in values.elements(equation):
        yield place, value


class _Values:
    def __init__(
        self,
        equation: Equation,
        arrays: Mapping[str, ArrayLike],
        sizes: Mapping[str, int],
        extents: Mapping[str, int],
        origin: int = 0,
    ) -> None:
        self.origin = origin
        self.arrays = {name: np.asarray(array) for name, array in arrays.items()}
        self.sizes, self.extents, self.kept = sizes, dict(extents), dict[Any, Any]()
        for read in (node for node in equation.walk() if isinstance(node, Read)):
            array = self.arrays.get(read.tensor.name) if isinstance(read.tensor, Name) else None
            if array is not None and array.ndim == len(read.subscripts):
                for subscript, extent in zip(read.subscripts, array.shape, strict=True):
                    if isinstance(subscript, Name):
                        self.extents.setdefault(subscript.name, extent)

    def elements(self, equation: Equation) -> Iterator[tuple[dict[str, int], tuple[int, ...], float]]:
        """Indices, place and value of each element for which the equation holds."""
        condition = equation.condition
        indices = self.indices(equation)
        for place in itertools.product(*map(self.run, indices)):
            at = dict(zip(indices, place, strict=True))
            if condition is None or self.holds(condition, at):
                where = tuple(self.place(s, at) for s in equation.subscripts)
                yield at, where, self.value(equation.body, at)

    def indices(self, equation: Equation) -> tuple[str, ...]:
        """The names on the left that aren't sizes: `h[T]` is one element."""
        return tuple(i for i in equation.indices if i not in self.sizes)

    def place(self, subscript: Tree, at: Mapping[str, int]) -> int:
        """Where a subscript lies in an array."""
        return round(self.value(subscript, at)) - self.origin

    def run(self, index: str) -> range:
        """The values of an index."""
        return range(self.origin, self.origin + self.extent(index))

    def extent(self, index: str) -> int:
        if index not in self.extents:
            raise FormulaError(f"nothing says how far the index {index} runs")
        return self.extents[index]

    def value(self, node: Tree, at: Mapping[str, int]) -> float:
        match node:
            case Number(value=value):
                return float(value)
            case Name(name=name):
                return self.name(name, at)
            case Read():
                return self.read(node, at)
            case Total(terms=terms):
                return math.fsum(-self.value(t, at) if minus else self.value(t, at) for minus, t in terms)
            case Product():
                return self.product(node, at)
            case Power(base=base, exponent=exponent):
                return self.power(self.value(base, at), self.value(exponent, at))
            case Bracket(relation=relation):
                return float(self.holds(relation, at))
            case Reduction():
                return self.reduction(node, at)
            case Call(function=function, arguments=arguments) if function in FUNCTIONS:
                return float(FUNCTIONS[function](*[self.value(a, at) for a in arguments]))
            case _:
                raise FormulaError(f"{type(node).__name__} has no value in index notation: {node}")

    def name(self, name: str, at: Mapping[str, int]) -> float:
        if name in at:
            return float(at[name])
        if name in self.sizes:
            return float(self.sizes[name])
        if name in self.arrays and self.arrays[name].ndim == 0:
            return float(self.arrays[name])
        if name in CONSTANTS:
            return CONSTANTS[name]
        raise FormulaError(f"{name} has no value here")

    def read(self, node: Read, at: Mapping[str, int]) -> float:
        place = tuple(self.place(s, at) for s in node.subscripts)
        if isinstance(node.tensor, Reduction):
            array = self.matrix(node.tensor, at)
        elif isinstance(node.tensor, Name) and node.tensor.name in self.arrays:
            array = self.arrays[node.tensor.name]
        else:
            raise FormulaError("what is read has no value here")
        if array.ndim != len(place):
            raise FormulaError(f"{len(place)} subscripts of an array with {array.ndim} axes")
        if all(0 <= k < extent for k, extent in zip(place, array.shape, strict=True)):
            return float(array[place])
        return 0.0 if node.outside is None else self.value(node.outside, at)

    def product(self, node: Tree, at: Mapping[str, int]) -> float:
        over: list[Tree] = []
        under: list[Tree] = []
        while isinstance(node, Product) and node.op in ("·", "*", "⊙", "/", "⊘"):
            (under if node.op in ("/", "⊘") else over).append(node.right)
            node = node.left
        over.append(node)
        if any(isinstance(f, Bracket) and not self.value(f, at) for f in reversed(over)):
            return 0.0
        if len(over) == 1 and not under:
            return self.whole(node, at)
        found = math.prod(self.value(f, at) for f in reversed(over))
        below = math.prod(self.value(f, at) for f in under)
        return found / below if below else float(np.divide(found, below))

    def whole(self, node: Tree, at: Mapping[str, int]) -> float:
        """`a // b` and `a % b`."""
        assert isinstance(node, Product)
        left, right = self.value(node.left, at), self.value(node.right, at)
        if node.op not in ("//", "%"):
            raise FormulaError(f"{node.op} has no value in index notation")
        return left // right if node.op == "//" else left % right

    def power(self, base: float, exponent: float) -> float:
        with np.errstate(all="ignore"):
            return float(np.power(base, exponent))

    def holds(self, relation: Relation, at: Mapping[str, int]) -> bool:
        left, right = self.value(relation.left, at), self.value(relation.right, at)
        return {
            "=": left == right, "≠": left != right, "<": left < right,
            "≤": left <= right, ">": left > right, "≥": left >= right,
        }[relation.op]  # fmt: skip

    def reduction(self, node: Reduction, at: Mapping[str, int]) -> float:
        if node.op in MATRICES:
            return float(self.matrix(node, at))
        if node.op in ("softmax", "log_softmax"):
            return self.along(node, at)
        extents = [self.extent(i) for i in node.indices]
        runs = map(self.run, node.indices)
        if math.prod(extents) > MOST_STEPS:
            raise FormulaError(f"a reduction over {math.prod(extents)} elements is too long to evaluate")
        if node.op == "argmax" and len(extents) > 1 and node.component is None:
            raise FormulaError("an argmax over several indices doesn't say which of them it gives")
        found, best = [], (-math.inf, -1)
        for number, place in enumerate(itertools.product(*runs)):
            inner = {**at, **dict(zip(node.indices, place, strict=True))}
            if all(self.holds(condition, inner) for condition in node.conditions):
                found.append(self.value(node.body, inner))
                best = max(best, (found[-1], number), key=lambda pair: (pair[0], -pair[1]))
        if node.op == "argmax":
            where = np.unravel_index(best[1], extents)
            axis = node.indices.index(node.component) if node.component is not None else 0
            return float(where[axis] + self.origin)
        if node.op == "mean":
            return math.fsum(found) / len(found)
        if node.op == "logsumexp":
            return _log_of_sum(found)
        if node.op == "max":
            return max(found, default=-math.inf)
        return math.prod(found) if node.op == "prod" else math.fsum(found)

    def along(self, node: Reduction, at: Mapping[str, int]) -> float:
        """A softmax along an index, or its logarithm, at that index."""
        (index,) = node.indices
        places = ({**at, index: k} for k in self.run(index))
        values = [self.value(node.body, p) for p in places if all(self.holds(c, p) for c in node.conditions)]
        if not all(self.holds(c, at) for c in node.conditions):
            return 0.0 if node.op == "softmax" else -math.inf
        found = self.value(node.body, at) - _log_of_sum(values)
        return found if node.op == "log_softmax" else math.exp(found)

    def matrix(self, node: Reduction, at: Mapping[str, int]) -> NDArray[np.float64]:
        """A function of all values that the body gives; kept, as each element of it is asked for."""
        known = {**dict.fromkeys(MATRICES, 2), "argsort": 1}
        if known.get(node.op) != len(node.indices):
            raise FormulaError(f"{node.op} is no function of a matrix that is evaluated")
        key = id(node), tuple(sorted(at.items()))
        if key not in self.kept:
            found = np.zeros([self.extent(i) for i in node.indices])
            for place in itertools.product(*map(range, found.shape)):
                counted = (k + self.origin for k in place)
                found[place] = self.value(node.body, {**at, **dict(zip(node.indices, counted, strict=True))})
            function = MATRICES.get(node.op, lambda a: np.argsort(a, kind="stable") + self.origin)
            self.kept[key] = np.asarray(function(found))
        kept: NDArray[np.float64] = self.kept[key]
        return kept
