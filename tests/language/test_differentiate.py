"""`bp.grad` in a declaration: names, shapes, what it reads, and what it refuses."""

import pytest

import symbp as bp
from symbp.errors import DeclarationError
from symbp.ir.system import Role
from symbp.ir.validate import validate


def declared():
    N, D, H = bp.dims("N D H")
    x, W, v = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("v", (H,))
    return x, bp.tanh(x @ W) @ v


def test_the_system_says_what_it_stands_for():
    x, u = declared()
    slope = bp.grad(u, x)
    net = bp.Network("net", loss=(slope * slope).sum())
    validate(net.system)
    assert net.system.derivatives == {"slope": ("u", "x")}
    assert net.system.tensor("slope").shape == net.system.tensor("x").shape
    assert "slope = ∂(Σ u)/∂x" in str(net)
    assert "slope" not in {t.name for t in net.system.leaves}


def test_a_derivative_without_a_name_says_of_what_by_what():
    x, u = declared()
    net = bp.Network("net", loss=(bp.grad(u, x) ** 2).sum())
    assert net.system.derivatives == {"du_dx": ("u", "x")}
    net = bp.Network("net", loss=(bp.grad(bp.grad(u, x).sum(), x) ** 2).sum())
    assert list(net.system.derivatives) == ["du_dx", "d2u_dx"]
    net = bp.Network("net", loss=(bp.grad(bp.grad(u, x) ** 2, x) ** 2).sum())  # not of a derivative itself
    first, second = net.system.derivatives
    assert first == "du_dx"
    assert not second.startswith("d2u")


def test_named_and_as_an_output():
    x, u = declared()
    net = bp.Network("net", loss=u.mean(), outputs={"force": bp.grad(u, x)})
    assert net.system.outputs == ("force",)
    assert net.system.tensor("force").role is Role.OUTPUT
    other = bp.Network("net", loss=(bp.grad(u, x).named("g") ** 2).sum())
    assert list(other.system.derivatives) == ["g"]


def test_derivatives_of_derivatives_come_in_order():
    x, u = declared()
    first = bp.grad(u, x)
    second = bp.grad(first, x)
    net = bp.Network("net", loss=(second**2).sum())
    assert list(net.system.derivatives) == ["first", "second"]


def test_by_a_tensor_on_the_way():
    N, D, H = bp.dims("N D H")
    x, W, v = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("v", (H,))
    h = bp.tanh(x @ W)
    net = bp.Network("net", loss=(bp.grad((h * h) @ v, h) ** 2).sum())
    validate(net.system)
    ((of, by),) = net.system.derivatives.values()
    assert by == "h"
    assert of in net.system.defining


def test_what_has_no_derivative_is_refused():
    x, u = declared()
    y = bp.labels("y", (bp.dim("N"),), classes=3)
    other = bp.input("other", (3,))
    with pytest.raises(DeclarationError, match="u does not rest on other"):
        bp.grad(u, other)
    with pytest.raises(DeclarationError, match="two real tensors, not the integer tensor y"):
        bp.grad(u, y)
    with pytest.raises(DeclarationError, match="two real tensors, not 2"):
        bp.grad(2, x)
