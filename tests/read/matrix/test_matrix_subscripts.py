"""Equations with more than two axes in matrix notation: the forms that textbooks have."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_forms import (
    POINTS,
    RANGES,
    D,
    H,
    Judge,
    K,
    L,
    N,
    T,
    V,
    equation,
    i,
    j,
    j2,
    k,
    l,
    n,
    r,
    t,
    t2,
    u,
    v,
)
from sympy import exp, sqrt, tanh

from symbp.ir.expr import FloorDiv, Guard
from symbp.ir.system import Fact, Tensor
from symbp.read.display import Along, Reduced, relu, sigmoid
from symbp.read.matrix.spell import matrix_sides
from symbp.read.matrix.subscripts import matrix_equation, matrix_equations


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
