"""What slides over an image, pools it or puts its axes together, in matrix notation."""

import pytest
import sympy
from judged_forms import POINTS, D, F, H, Judge, N, S, a, equation, i, j, n, r, u, w

from symbp.ir.build import indices
from symbp.ir.expr import FloorDiv, Guard, Mod
from symbp.ir.system import Tensor
from symbp.read.display import Reduced
from symbp.read.matrix.spell import matrix_sides
from symbp.read.matrix.subscripts import matrix_equation


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


@pytest.mark.parametrize("pad", [0, 1])
def test_convolution_with_a_bias(pad):
    """A sum within a body: the image as a whole, not place by place."""
    bias, three, two = Tensor("bias", (F,)), sympy.Integer(3), sympy.Integer(2)
    image = r("im4", n, i, w + p3 - pad, a + p2 - pad, **({"outside": 0} if pad else {}))
    slid = Reduced("sum", image * r("C", f, i, p3, p2), (i, p3, p2), (D, three, two))
    source, tensors = equation([n, f, w, a], slid + bias.at(f), ranges=windows(pad) | {f: F})
    tensors |= {"bias": bias}
    found = matrix_equation(source, tensors)
    shown = "pad(im4_{n,i}, 1)" if pad else "im4_{n,i}"
    for point in POINTS:
        text = Judge(source, tensors, point).judge(found)
        assert text == f"r_{{n,f}} = Σ_i {shown} ⋆ C_{{f,i}} + bias_{{f}}"


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
