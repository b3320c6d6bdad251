"""Equations with more than two axes in matrix notation: the forms that textbooks have.

Each form is judged three times, at two choices of sizes that are all distinct: its tree, its text and its
LaTeX have the value that the equation in index notation has, which another evaluator reads.
"""

import itertools

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import exp, sqrt, tanh

from symbp.explain.latex import Latex, spelling
from symbp.ir.build import indices, sizes
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Fact, Reduction, Tensor
from symbp.read.display import Along, Reduced, relu, sigmoid
from symbp.read.grammar import (
    Facts,
    evaluate,
    evaluate_matrix,
    parse_equation,
    parse_matrix_equation,
    plain,
)
from symbp.read.matrix.spell import matrix_sides
from symbp.read.matrix.subscripts import matrix_equation, matrix_equations
from symbp.read.matrix.tree import Flattened
from symbp.read.matrix.value import value
from symbp.read.spelling import name_latex

N, T, D, H, K, V, L, S, F, B, A = sizes("N T D H K V L S F B A")
n, t, i, j, k, v, l, u = indices("n t i j k v l u")  # noqa: E741
t2, j2, w, a = indices("t' j' w a")
RANGES = {n: N, t: T, i: D, j: H, k: K, v: V, l: L, t2: T, j2: H, u: D * H}
POINTS = [
    {"N": 2, "T": 3, "D": 4, "H": 5, "K": 6, "V": 7, "L": 8, "S": 9, "F": 3, "B": 10, "A": 11},
    {"N": 4, "T": 5, "D": 3, "H": 2, "K": 7, "V": 3, "L": 2, "S": 8, "F": 2, "B": 9, "A": 10},
]
SHAPES = {
    "h": (N, T, H), "X": (N, T, D), "z": (N, T, H), "W": (D, H), "U": (H, H), "b": (H,), "c": (K,),
    "G": (N, T, 4, H), "P": (D, 4, H), "q": (N, L, T, H), "kk": (N, L, T, H), "M": (N, L, T, T),
    "dM": (N, L, T, T), "m": (N, L, T), "E": (V, D), "first": (N, H), "o": (N, T, K), "R": (L, H, H),
    "g": (L, N, H), "top": (N, H), "u1": (N,), "im": (N, S, S), "C": (F, D, 3, 2), "s": (H,), "Q": (D, D),
    "Z": (H, H), "im4": (N, D, S, S), "seq": (N, B), "f": (4,), "wide": (N, D, H),
}  # fmt: skip
TENSORS = {name: Tensor(name, tuple(map(sympy.sympify, shape))) for name, shape in SHAPES.items()}
TENSORS["x"] = Tensor("x", (N, T), integer=True, facts=frozenset({Fact("below", bound=V)}))
TENSORS["y"] = Tensor("y", (N, T), integer=True, facts=frozenset({Fact("below", bound=K)}))
TENSORS["free"] = Tensor("free", (N, T), integer=True)


def r(name, *subscripts, outside=None):
    return TENSORS[name].at(*map(sympy.sympify, subscripts), outside=outside)


def equation(plain_indices, body, reduced=(), op="sum", where=(), ranges=None):
    """An equation for `r`, and the tensors with it."""
    found = RANGES | (ranges or {})
    every = (*plain_indices, *reduced)
    reduction = Reduction(op, tuple(reduced)) if reduced else None
    target = Tensor("r", tuple(found[index] for index in plain_indices))
    made = Equation(
        "r",
        tuple(plain_indices),
        sympy.sympify(body),
        reduction,
        tuple(where),
        tuple(found[e] for e in every),
    )
    return made, TENSORS | {"r": target}


class Judge:
    def __init__(self, source, tensors, point):
        self.source, self.tensors, self.point = source, tensors, point
        draw = np.random.default_rng(3)
        self.arrays = {}
        for tensor in tensors.values():
            shape = [self.number(length) for length in tensor.shape]
            bound = tensor.fact("below")
            if tensor.integer:
                most = self.number(bound.bound) if bound is not None else 4
                self.arrays[tensor.name] = draw.integers(0, most, shape)
            elif tensor.name != "r":
                self.arrays[tensor.name] = draw.uniform(0.5, 1.5, shape) * draw.choice([-1, 1], shape)
        self.extents = dict(source.extents)
        for nested in source.body.atoms(Reduced):
            self.extents |= nested.extents
        lengths = {index.name: self.number(length) for index, length in self.extents.items()}
        names = {name: name for name in (*tensors, *point, *lengths)}
        self.right = evaluate(parse_equation(equation_text(source), names), self.arrays, point, lengths)
        self.arrays["r"] = np.zeros(self.right.shape)

    def number(self, length):
        return int(sympy.sympify(length).xreplace({s: self.point[s.name] for s in length.free_symbols}))

    def judge(self, found):
        self.of_tree(found)
        text = " = ".join(matrix_sides(found))
        self.of_text(text)
        latex = " = ".join(matrix_sides(found, spelling(Latex())))
        names = [*self.tensors, *self.point, *(index.name for index in self.extents)]
        self.of_text(plain(latex, {name_latex(name).strip(): name for name in names}, matrices=True))
        return text

    def of_tree(self, found):
        if isinstance(found.left, Flattened):
            expected = self.right.reshape(len(self.right), -1)
            np.testing.assert_allclose(value(found.right, self.arrays, self.point), expected)
            return
        kept = [(axis, s) for axis, s in enumerate(found.left.subscripts) if s is not None]
        ranges = [range(self.number(self.extents[s])) if s in self.extents else [int(s)] for _, s in kept]
        for at in itertools.product(*ranges):
            place = dict(zip((axis for axis, _ in kept), at, strict=True))
            part = self.right[tuple(place.get(axis, slice(None)) for axis in range(self.right.ndim))]
            names = {s.name: place[axis] for axis, s in kept if s in self.extents}
            shown = value(found.right, self.arrays, self.point, names)
            shape = part.shape + (1,) * (2 - part.ndim)
            expected = part.reshape(shape) if part.ndim < 3 else part.reshape(shown.shape)
            np.testing.assert_allclose(
                np.broadcast_to(shown, expected.shape), expected, rtol=1e-9, atol=1e-12
            )

    def of_text(self, text):
        names = [*self.tensors, *self.point, *(index.name for index in self.extents)]
        tree = parse_matrix_equation(text, {name: name for name in names})
        found = evaluate_matrix(tree, self.arrays, self.facts())
        defined = ~np.isnan(found)
        assert defined.any()
        np.testing.assert_allclose(found[defined], self.right[defined], rtol=1e-9, atol=1e-12, err_msg=text)

    def facts(self):
        below = {t.name: t.fact("below") for t in self.tensors.values()}
        return Facts(
            self.point,
            {e.name: (expression_text(length), self.number(length)) for e, length in self.extents.items()},
            {t.name: tuple(map(expression_text, t.shape)) for t in self.tensors.values()},
            {m: (expression_text(f.bound), self.number(f.bound)) for m, f in below.items() if f is not None},
        )


def after(body):
    return Guard("<=", t + 2, T) * body


def over(body, *inner):
    return Reduced("sum", body, inner, [RANGES[index] for index in inner])


FORMS = [
    # recurrences
    ([n, t, j], r("h", n, t - 1, j2, outside=0) * r("U", j2, j), [j2], "r_{t} = h_{t-1}·U"),
    ([n, t, j], tanh(r("z", n, t, j) + r("b", j)), [], "r_{n} = tanh(z_{n} + 𝟏·bᵀ)"),
    ([n, t, j], after(r("z", n, t + 1, j2) * r("U", j, j2)), [j2], "r_{t} = [t < T - 1]·z_{t+1}·Uᵀ"),
    ([j, j2], r("h", n, t - 1, j, outside=0) * r("z", n, t, j2), [n, t], "r = Σ_t h_{t-1}ᵀ·z_{t}"),
    ([n, t, l, j], r("X", n, t, i) * r("P", i, l, j), [i], "r_{n,l} = X_{n}·P_{l}"),
    ([n, t, j], sigmoid(r("G", n, t, 0, j)), [], "r_{n} = σ(G_{n,0})"),
    ([n, j], r("h", n, T - 1, j), [], "r = h_{T-1}"),
    ([n, t, j], (1 - r("h", n, t, j) ** 2) * r("z", n, t, j), [], "r_{n} = (1 - h_{n} ⊙ h_{n}) ⊙ z_{n}"),
    ([l, n, j], r("g", l - 1, n, j2, outside=r("first", n, j2)) * r("R", l, j2, j), [j2],
     "r_{l} = g_{l-1 | first}·R_{l}"),
    ([l, n, j], Guard("=", l + 1, L) * r("top", n, j), [], "r_{l} = [l = L - 1]·top"),
    # attention
    ([n, l, t, t2], r("q", n, l, t, j) * r("kk", n, l, t2, j) / sqrt(H), [j],
     "r_{n,l} = q_{n,l}·kk_{n,l}ᵀ/sqrt(H)"),
    ([n, l, t, t2], Guard("<=", t2, t) * exp(r("M", n, l, t, t2) - r("m", n, l, t)), [],
     "r_{n,l} = tril(exp(M_{n,l} - m_{n,l}·𝟏ᵀ))"),
    ([n, l, t, t2], r("M", n, l, t, t2) * (r("dM", n, l, t, t2) - Reduced(
        "sum", r("dM", n, l, t, v) * r("M", n, l, t, v), [v], [T])), [],
     "r_{n,l} = M_{n,l} ⊙ (dM_{n,l} - rowsum(M_{n,l} ⊙ dM_{n,l})·𝟏ᵀ)"),
    ([n, l, t, t2], Along("softmax", r("M", n, l, t, t2) / sqrt(H), t2, T), [],
     "r_{n,l} = softmax(M_{n,l}/sqrt(H))"),
    ([n, t, k], Along("log_softmax", r("o", n, t, k), k, K), [], "r_{n} = log_softmax(o_{n})"),
    ([n, t], Reduced("logsumexp", r("o", n, t, k), [k], [K]) - r("o", n, t, r("y", n, t)), [],
     "r_{n} = logsumexp(o_{n}) - (o_{n} ⊙ onehot(y_{n}))·𝟏"),
    ([n, t, k], r("o", n, t, k) - over(r("o", n, t, k), k) / K, [], None),
    # labels
    ([n, t, i], r("E", r("x", n, t), i), [], "r_{n} = E[x_{n}]"),
    ([v, i], Guard("=", v, r("x", n, t)) * r("X", n, t, i), [n, t], "r = Σ_n onehot(x_{n})ᵀ·X_{n}"),
    ([n, t], r("o", n, t, r("y", n, t)), [], "r_{n} = (o_{n} ⊙ onehot(y_{n}))·𝟏"),
    # others
    ([n, t, j], relu(r("z", n, t, j)) * r("s", j), [], "r_{n} = relu(z_{n})·diag(s)"),
    ([k], r("o", n, t, k), [n, t], "r = Σ_n o_{n}ᵀ·𝟏"),
    ([n, t, j], r("u1", n) * r("z", n, t, j), [], "r_{n} = u1_{n}·z_{n}"),
    ([i, j, l, k], r("Q", i, l) * r("Z", j, k), [], "r = Q ⊗ Z"),
    ([i, j, l, k], r("Q", i, l) * Guard("=", j, k), [], "r = Q ⊗ I_{H}"),
]  # fmt: skip


@pytest.mark.parametrize(("left", "body", "reduced", "expected"), FORMS, ids=[str(form[3]) for form in FORMS])
def test_form(left, body, reduced, expected):
    four = {l: sympy.Integer(4)} if body.has(sympy.core.symbol.Str("P")) else {}
    ranges = {l: D, k: H} if left == [i, j, l, k] else four
    source, tensors = equation(left, body, reduced, ranges=ranges)
    found = matrix_equation(source, tensors)
    assert found is not None
    for point in POINTS:
        text = Judge(source, tensors, point).judge(found)
    if expected is not None:
        assert text == expected


def windows(pad):
    """The lengths of what an image with S rows and a kernel with 3 give: `before` zeros on both sides."""
    return {w: S + 2 * pad - 2, a: S + 2 * pad - 1}


f, p3, p2 = indices("f p3 p2")


@pytest.mark.slow
@pytest.mark.parametrize("pad", [0, 1, 2])
def test_convolution(pad):
    """Forward, and the gradients of kernel and image."""
    ranges = windows(pad) | {f: F, p3: sympy.Integer(3), p2: sympy.Integer(2), i: D}
    outside = {"outside": 0} if pad else {}
    image = r("im4", n, i, w + p3 - pad, a + p2 - pad, **outside)
    shown = {0: "im4_{n,i}", 1: "pad(im4_{n,i}, 1)", 2: "pad(im4_{n,i}, 2)"}[pad]
    forward, tensors = equation([n, f, w, a], image * r("C", f, i, p3, p2), [i, p3, p2], ranges=ranges)
    found = matrix_equation(forward, tensors)
    for point in POINTS:
        assert Judge(forward, tensors, point).judge(found) == f"r_{{n,f}} = Σ_i {shown} ⋆ C_{{f,i}}"
    dz = Tensor("dz", (N, F, ranges[w], ranges[a]))
    back, tensors = equation([f, i, p3, p2], image * dz.at(n, f, w, a), [n, w, a], ranges=ranges)
    tensors |= {"dz": dz}
    found = matrix_equation(back, tensors)
    for point in POINTS:
        text = Judge(back, tensors, point).judge(found)
        assert text == f"r_{{f,i}} = Σ_n {shown.replace('{n,i}', '{n,i}')} ⋆ dz_{{n,f}}"


@pytest.mark.slow
@pytest.mark.parametrize("pad", [0, 1, 2])
def test_convolution_backwards(pad):
    """The gradient of the image: full correlation with the kernel turned by half a turn."""
    rows, columns = indices("rows columns")
    ranges = windows(pad) | {f: F, p3: sympy.Integer(3), p2: sympy.Integer(2), i: D, rows: S, columns: S}
    dz = Tensor("dz", (N, F, ranges[w], ranges[a]))
    at = rows + pad - p3, columns + pad - p2
    inside = [
        guard
        for s, length in zip(at, (ranges[w], ranges[a]), strict=True)
        for guard in (Guard("<=", 0, s), Guard("<=", s, length - 1))
    ]
    body = sympy.Mul(*inside) * dz.at(n, f, *at) * r("C", f, i, p3, p2)
    source, tensors = equation([n, i, rows, columns], body, [f, p3, p2], ranges=ranges)
    tensors |= {"dz": dz}
    found = matrix_equation(source, tensors)
    zeros = {0: "pad(dz_{n,f}, 2, 1)", 1: "pad(dz_{n,f}, 1, 0)", 2: "pad(dz_{n,f}, 0, -1)"}[pad]
    for point in POINTS:
        text = Judge(source, tensors, point).judge(found)
        assert text == f"r_{{n,i}} = Σ_f {zeros} ⋆ rot180(C_{{f,i}})"


@pytest.mark.parametrize("pad", [0, 1])
def test_convolution_with_a_stride(pad):
    ranges = {w: FloorDiv(S + 2 * pad - 3, 2) + 1, a: FloorDiv(S + 2 * pad - 2, 2) + 1}
    ranges |= {f: F, p3: sympy.Integer(3), p2: sympy.Integer(2), i: D}
    image = r("im4", n, i, 2 * w + p3 - pad, 2 * a + p2 - pad, **({"outside": 0} if pad else {}))
    source, tensors = equation([n, f, w, a], image * r("C", f, i, p3, p2), [i, p3, p2], ranges=ranges)
    found = matrix_equation(source, tensors)
    shown = "pad(im4_{n,i}, 1)" if pad else "im4_{n,i}"
    for point in POINTS:
        text = Judge(source, tensors, point).judge(found)
        assert text == f"r_{{n,f}} = Σ_i stride({shown} ⋆ C_{{f,i}}, 2)"
    fewer, tensors = equation(
        [n, f, w, a], image * r("C", f, i, p3, p2), [i, p3, p2], ranges=ranges | {w: ranges[w] - 1}
    )
    found = matrix_equation(fewer, tensors)
    assert found is None or "⋆" not in " = ".join(matrix_sides(found))


def test_no_correlation_where_zeros_stand_on_one_side_only():
    ranges = {w: S, a: S, f: F, p3: sympy.Integer(3), p2: sympy.Integer(2), i: D}
    image = r("im4", n, i, w + p3 - 2, a + p2 - 1, outside=0)
    source, tensors = equation([n, f, w, a], image * r("C", f, i, p3, p2), [i, p3, p2], ranges=ranges)
    found = matrix_equation(source, tensors)
    assert found is None or "⋆" not in " = ".join(matrix_sides(found))


def test_no_correlation_under_other_conditions():
    ranges = windows(0) | {f: F, p3: sympy.Integer(3), p2: sympy.Integer(2), i: D}
    image = r("im4", n, i, w + p3, a + p2) * Guard("<=", p3, 1)
    source, tensors = equation([n, f, w, a], image * r("C", f, i, p3, p2), [i, p3, p2], ranges=ranges)
    found = matrix_equation(source, tensors)
    assert found is None or "⋆" not in " = ".join(matrix_sides(found))


def test_pooling():
    ranges = {w: FloorDiv(S, 2), a: FloorDiv(S, 3), p2: sympy.Integer(2), p3: sympy.Integer(3)}
    body = r("im", n, 2 * w + p2, 3 * a + p3)
    source, tensors = equation([n, w, a], body, [p2, p3], op="max", ranges=ranges)
    found = matrix_equation(source, tensors)
    for point in POINTS:
        assert Judge(source, tensors, point).judge(found) == "r_{n} = maxpool(im_{n}, 2, 3)"


def test_flattening():
    source, tensors = equation([n, u], r("wide", n, FloorDiv(u, H), Mod(u, H)))
    found = matrix_equation(source, tensors)
    for point in POINTS:
        assert Judge(source, tensors, point).judge(found) == "r = flatten(wide)"
    source, tensors = equation([n, u], r("wide", n, Mod(u, D), FloorDiv(u, D)))
    assert matrix_equation(source, tensors) is None


def test_flattening_on_the_left():
    """The gradient of a flattened tensor, where it meets what has all axes."""
    flat = Tensor("flat", (N, D * H))
    body = Guard("<", 0, r("wide", n, i, j)) * flat.at(n, i * H + j) * r("u1", n)
    source, tensors = equation([n, i, j], body)
    found = matrix_equation(source, tensors | {"flat": flat})
    for point in POINTS:
        text = Judge(source, tensors | {"flat": flat}, point).judge(found)
        assert text == "flatten(r) = diag(u1)·([flatten(wide) > 0] ⊙ flat)"
    other = body.xreplace({flat.at(n, i * H + j): flat.at(n, j * D + i)})
    source, _ = equation([n, i, j], other)
    assert matrix_equation(source, tensors | {"flat": flat}) is None


def test_causal_maximum():
    source, tensors = equation([n, l, t], r("M", n, l, t, t2), [t2], op="max", where=[Guard("<=", t2, t)])
    found = matrix_equation(source, tensors)
    for point in POINTS:
        assert Judge(source, tensors, point).judge(found) == "r_{n,l} = rowmax(tril(M_{n,l}, -∞))"


def test_an_axis_that_a_reader_could_not_tell_is_shown():
    """Rows and columns of U are equally long: which of them has the subscript is said by a colon."""
    source, tensors = equation([n, j, t], r("h", n, t, j) * r("U", 0, j), [])
    found = matrix_equation(source, tensors)
    for point in POINTS:
        assert "U_{0}" in Judge(source, tensors, point).judge(found)
    source, tensors = equation([n, j, t], r("h", n, t, j) * r("U", j, 0), [])
    found = matrix_equation(source, tensors)
    for point in POINTS:
        assert "U_{:,0}" in Judge(source, tensors, point).judge(found)


def test_a_slice():
    """One case of a sum of exclusive brackets, as an equation of its own."""
    body = sum(Guard("=", l, k) * r("z", n, t, j) * (k + 1) for k in range(4))
    source, tensors = equation([n, t, l, j], body, ranges={l: sympy.Integer(4)})
    for place in range(4):
        found = matrix_equation(source, tensors, fixed={l: place}, liked=["t"])
        factor = f"{place + 1}·" if place else ""
        for point in POINTS:
            text = Judge(source, tensors, point).judge(found)
            assert text == f"r_{{t,{place}}} = {factor}z_{{t}}"


def test_a_page_has_the_same_subscripts_throughout():
    """What could have n or t has t, as the recurrence needs."""
    first, tensors = equation([n, t, j], r("h", n, t - 1, j2, outside=0) * r("U", j2, j), [j2])
    second, _ = equation([n, t, j], r("X", n, t, i) * r("W", i, j), [i])
    second = second.with_(target="r2")
    tensors |= {"r2": Tensor("r2", tensors["r"].shape)}
    assert " = ".join(matrix_sides(matrix_equation(second, tensors))) == "r2_{n} = X_{n}·W"
    found = matrix_equations([first, second], tensors)
    assert " = ".join(matrix_sides(found[1])) == "r2_{t} = X_{t}·W"


def test_a_maximum_of_each_column():
    body = r("h", n, t - 1, j, outside=0) + r("U", j, j2)
    source, tensors = equation([n, t, j2], body, [j], op="max")
    found = matrix_equation(source, tensors)
    for point in POINTS:
        text = Judge(source, tensors, point).judge(found)
        assert text == "r_{n,t} = colmax(h_{n,t-1}·𝟏ᵀ + U)"


def test_a_label_that_may_be_ignored_selects_no_row():
    """Its one-hot row is zero, and so is what it selects."""
    ignored = Tensor(
        "w2", (N, T), integer=True, facts=frozenset({Fact("below or ignored", bound=V, ignored=-1)})
    )
    source, tensors = equation([n, t, i], r("E", ignored.at(n, t), i, outside=0))
    tensors |= {"w2": ignored}
    found = matrix_equation(source, tensors)
    assert " = ".join(matrix_sides(found)) == "r_{n} = onehot(w2_{n})·E"


NONE = [
    ([n], lambda: Reduced("prod", r("first", n, j), [j], [H]), []),
    ([n], lambda: r("u1", n - 1, outside=0), []),  # one number at a time is index notation
    ([n], lambda: r("u1", FloorDiv(n, 2)), []),
    ([n, t], lambda: r("seq", n, 2 * t), []),
    ([n, t], lambda: r("o", n, t, r("free", n, t)), []),  # nothing says what the labels are below
]  # fmt: skip


@pytest.mark.parametrize(("left", "body", "reduced"), NONE)
def test_none(left, body, reduced):
    source, tensors = equation(left, body(), reduced)
    assert matrix_equation(source, tensors) is None


def test_an_index_along_a_part_of_an_axis_is_no_row_or_column():
    """It can be a subscript."""
    source, tensors = equation([n, j], r("first", n, j) * 2, ranges={j: H - 1})
    found = matrix_equation(source, tensors)
    for point in POINTS:
        assert Judge(source, tensors, point).judge(found) == "r_{j} = 2·first_{:,j}"


FACTORS = [
    r("h", n, t, j), r("h", n, t - 1, j, outside=0), r("h", n, T - 1, j), r("X", n, t, i), r("W", i, j),
    r("U", j, j2), r("U", j2, j), r("b", j), r("z", n, t, j2), r("o", n, t, k), r("o", n, t, r("y", n, t)),
    r("E", r("x", n, t), i), r("E", v, i), Guard("=", k, r("y", n, t)), Guard("=", v, r("x", n, t)),
    r("u1", n), Guard("<=", t + 2, T), r("M", n, l, t, t2), Guard("<=", t2, t), r("m", n, l, t),
    Along("softmax", r("M", n, l, t, t2), t2, T), over(r("h", n, t, j) * r("z", n, t, j), j),
    over(r("M", n, l, t, u), u).xreplace({D * H: T}), tanh(r("h", n, t, j) + r("b", j)),
    1 / (2 + exp(r("z", n, t, j))), r("h", n, t, j) - r("first", n, j), Guard("=", j, j2),
    Guard("<", r("h", n, t, j), r("b", j)), r("f", 2), r("G", n, t, 1, j), r("g", l, n, j) ** 2,
    r("g", l - 1, n, j, outside=r("first", n, j)), sympy.Rational(-2, 3) / N, r("Q", i, i),
    r("h", n, t, 1), r("U", j, 0), Guard("<=", t, l),
]  # fmt: skip


@pytest.mark.slow
@given(
    st.lists(st.sampled_from(FACTORS), min_size=1, max_size=4),
    st.lists(st.sampled_from(FACTORS), max_size=3),
    st.permutations([n, t, l, j, j2, i, k, v, t2]),
    st.integers(0, 3),
)
@settings(max_examples=120, deadline=None)
def test_every_form_found_has_the_value_of_its_equation(factors, others, order, count):
    body = sympy.Mul(*factors) + (sympy.Mul(*others) if others else 0)
    free = [index for index in order if index in body.free_symbols]
    left, reduced = free[:count], free[count : count + 3]
    if len(free) > count + 3 or not body.free_symbols & set(order):
        return
    source, tensors = equation(left, body, reduced)
    found = matrix_equation(source, tensors)
    if found is not None:
        Judge(source, tensors, {name: 2 + size % 3 for name, size in POINTS[0].items()} | {"S": 3}).judge(
            found
        )
