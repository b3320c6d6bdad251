"""Random formulas with the values that NumPy gives them: what is understood is what was written."""

import random

import numpy as np
import pytest

import symbp as bp
from symbp.ir.evaluation.vector import run
from symbp.read.formula import read_formula

RNG = np.random.default_rng(2)
N, D = 4, 3
ARRAYS = {
    "A": RNG.uniform(-1, 1, (D, D)) + 2 * np.eye(D),
    "B": RNG.uniform(-1, 1, (D, D)),
    "X": RNG.uniform(-1, 1, (N, D)),
    "u": RNG.uniform(-1, 1, N),
    "v": RNG.uniform(-1, 1, D),
    "w": RNG.uniform(-1, 1, D),
    "lam": np.array(0.3),
    "t": np.array(-0.6),
}
SHAPES = {"A": "D,D", "B": "D,D", "X": "N,D", "u": "N", "v": "D", "w": "D", "lam": "", "t": ""}
SPELLED = {"lam": "λ"}


class Writer:
    """Writes a formula of a given shape, and its value with it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def any(self, shape, depth):
        """(text, value); the text is a whole that needs no parentheses."""
        if depth <= 0:
            return self.leaf(shape)
        return {"": self.scalar, "N": self.vector, "D": self.vector}.get(shape, self.matrix)(shape, depth - 1)

    def leaf(self, shape):
        if shape == "" and self.random.random() < 0.4:
            text = self.pick("2", "0.5", "1.5", "3")
            return text, float(text)
        name = self.pick(*[name for name, own in SHAPES.items() if own == shape])
        return SPELLED.get(name, name), ARRAYS[name]

    def pointwise(self, shape, depth):
        a, x = self.any(shape, depth)
        b, y = self.any(shape, depth)
        k, z = self.any("", depth - 1)
        function = self.pick("tanh", "sin", "cos", "exp", "sigmoid", "softplus", "abs")
        inner = np.tanh(x)
        called = {
            "tanh": np.tanh(inner), "sin": np.sin(inner), "cos": np.cos(inner), "exp": np.exp(inner),
            "sigmoid": 1 / (1 + np.exp(-inner)), "softplus": np.logaddexp(0, inner), "abs": np.abs(inner),
        }[function]  # fmt: skip
        return self.pick(
            (f"({a} + {b})", x + y), (f"({a} − {b})", x - y), (f"(-{a} - -{b})", -x + y),
            (f"({k}*{a})", z * x), (f"({a}·{k})", x * z), (f"({a} .* {b})", x * y), (f"({a} ⊙ {b})", x * y),
            (f"({a}/(2 + cos({b})))", x / (2 + np.cos(y))), (f"{function}(tanh({a}))", called),
            (f"({a})**2", x**2), (f"({a}).^3", x**3), (f"max({a}, {b})", np.maximum(x, y)),
            (f"([{a} > {b}] .* {a})", np.where(x > y, x, 0)),
        )  # fmt: skip

    def scalar(self, shape, depth):
        side = self.pick("N", "D")
        a, x = self.any(side, depth)
        b, y = self.any(side, depth)
        m, z = self.any(self.pick("D,D", "N,D"), depth)
        q, s = self.any("D,D", depth)
        self.count += 1  # an index may not be bound again inside its own sum
        i, j = f"i{self.count}", f"j{self.count}"
        return self.pick(
            self.pointwise(shape, depth), (f"({a}'*{b})", x @ y), (f"({a}@{b})", x @ y),
            (f"dot({a}, {b})", x @ y), (f"sum({m})", z.sum()), (f"mean({a})", x.mean()),
            (f"norm2({a})^2", x @ x), (f"‖{m}‖²", (z**2).sum()), (f"tr({q})", np.trace(s)),
            (f"max({a})", x.max()), (f"logsumexp({a})", np.log(np.exp(x).sum())),
            (f"sum_{i}(({a})[{i}]*({b})[{i}])", x @ y),
            (f"(𝟏'*{a})", x.sum()), (f"(Σ_{i},{j} ({m})[{i},{j}])", z.sum()),
        )  # fmt: skip

    def vector(self, shape, depth):
        a, x = self.any(shape, depth)
        options = [self.pointwise(shape, depth), (f"softmax({a})", np.exp(x) / np.exp(x).sum())]
        if shape == "D":
            m, z = self.any("D,D", depth)
            r, y = self.any("N,D", depth)
            b, u = self.any("N", depth)
            options += [
                (f"({m}*{a})", z @ x), (f"({m}@{a})", z @ x), (f"({m}'*{a})", z.T @ x),
                (f"({r}'*{b})", y.T @ u), (f"sum({r}, 0)", y.sum(0)), (f"diag({m})", np.diag(z)),
                (f"({b}'*{r})'", u @ y), (f"solve({m} .* 0 + A, {a})", np.linalg.solve(ARRAYS["A"], x)),
            ]  # fmt: skip
        else:
            r, y = self.any("N,D", depth)
            b, u = self.any("D", depth)
            options += [(f"({r}*{b})", y @ u), (f"({r}·{b})", y @ u), (f"sum({r}, 1)", y.sum(1))]
        return self.random.choice(options)

    def matrix(self, shape, depth):
        a, x = self.any(shape, depth)
        options = [self.pointwise(shape, depth)]
        if shape == "D,D":
            b, y = self.any("D,D", depth)
            r, z = self.any("N,D", depth)
            v, u = self.any("D", depth)
            options += [
                (f"({a}@{b})", x @ y), (f"({a}·{b}ᵀ)", x @ y.T), (f"({a}.*{b})", x * y), (f"{a}.T", x.T),
                (f"({r}'@{r})", z.T @ z), (f"diag({v})", np.diag(u)), (f"({v}*({v})')", np.outer(u, u)),
                ("A⁻¹", np.linalg.inv(ARRAYS["A"])), (f"({a} + I)", x + np.eye(D)),
            ]  # fmt: skip
        else:
            b, y = self.any("D,D", depth)
            v, u = self.any("N", depth)
            w, z = self.any("D", depth)
            options += [
                (f"({a}@{b})", x @ y), (f"({a}*{b})", x @ y), (f"({v}*({w})')", np.outer(u, z)),
                (f"outer({v}, {w})", np.outer(u, z)), (f"({a} + {w})", x + z), (f"softmax({a})", softmax(x)),
                (f"(diag({v})*{a})", np.diag(u) @ x),
            ]  # fmt: skip
        return self.random.choice(options)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(1, keepdims=True)


def read(text):
    """The formula, and its names; it is differentiated by the first."""
    names = [name for name in SHAPES if SPELLED.get(name, name) in words(text)]
    return read_formula(text, {name: SHAPES[name] for name in names}, names[0]), names


def value(text):
    """The value of the formula at the arrays."""
    formula, names = read(text)
    system = formula.network.system
    sizes = {size: {"N": N, "D": D}[size] for size in system.sizes}
    return run(system, {name: ARRAYS[name] for name in names}, sizes)[system.loss]


def words(text):
    """The names in a formula."""
    plain = "".join(c if (c.isascii() and c.isalnum()) or c == "λ" else " " for c in text)
    return plain.split()


FAST, ALL = 40, 600


@pytest.mark.few(slow=160)
@pytest.mark.parametrize(
    "seed", [*range(FAST), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(FAST, ALL))]
)
def test_value(seed):
    text, expected = Writer(seed).any("", 2 + seed % 2)
    if not set(words(text)) & {*SHAPES, "λ"}:
        return  # a number
    np.testing.assert_allclose(value(text), expected, rtol=1e-8, atol=1e-10, err_msg=text)


@pytest.mark.few(slow=20)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_gradient(seed):
    """Gradients of random formulas hold, away from the kinks that differences can't see."""
    text, _ = Writer(seed).any("", 2)
    if not set(words(text)) & {*SHAPES, "λ"} or any(kink in text for kink in ("max", ">", "abs")):
        return
    formula, _ = read(text)
    derivation = bp.grad_of(formula)
    report = bp.check(formula.network, derivation=derivation, methods=("central differences",))
    assert report.ok, f"{text}\n{report}"
