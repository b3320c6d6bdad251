"""The validator: every rule of the representation, broken one at a time."""

import pytest
import sympy

from symbp.errors import InvalidSystem
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Guard, Index, IntegerAccess, Size
from symbp.ir.system import Equation, Reduction, Role, System, Tensor
from symbp.ir.validate import validate

N, K = sizes("N K")
n, k, j = indices("n k j")


def valid():
    b = SystemBuilder()
    x, w = b.leaf("x", N, K), b.leaf("w", K, role=Role.PARAMETER)
    labels = b.leaf("labels", N, integer=True, role=Role.TARGET)
    z = b.define("z", [n], x(n, k) * w(k) * Guard("<=", k, labels(n)), "sum", [k])
    b.define("loss", [], z(n) ** 2 / N, "sum", [n])
    return b.system(loss="loss", outputs=["z"])


def with_equation(**changes):
    """The valid system with its first equation, z[n] = Σ_k …, changed."""
    system = valid()
    first = system.equations[0].with_(**changes)
    return system.with_(equations=(first, *system.equations[1:]))


def test_a_valid_system_passes():
    validate(valid())


x, w = Access("x", n, k), Access("w", k)
BROKEN = {
    "is defined by 2 equations": lambda: valid().with_(equations=valid().equations * 2),
    "'2z' is not a Python identifier": lambda: System((Tensor("2z", (), Role.INPUT),), ()),
    "'class' is not a Python identifier": lambda: System((Tensor("class", (), Role.INPUT),), ()),
    "the size 'N; import os'": lambda: System((Tensor("a", (Size("N; import os"),), Role.INPUT),), ()),
    "index k stands twice": lambda: with_equation(indices=(k,)),
    "index j is neither": lambda: with_equation(body=x * Access("w", j)),
    "index 'for' is not": lambda: with_equation(indices=(Index("for"),)),
    "have 1 ranges": lambda: with_equation(ranges=(N,)),
    "runs to K, the axis of z to N": lambda: with_equation(ranges=(K, K)),
    "a sum has conditions": lambda: with_equation(where=(Guard("<", k, n),)),
    "the reduction has no index": lambda: with_equation(
        reduction=Reduction("sum", ()), ranges=(N,), body=w * 0
    ),
    "v is read but not declared": lambda: with_equation(body=Access("v", k)),
    "has 1 subscripts, x 2 axes": lambda: with_equation(body=Access("x", n)),
    "labels is an integer tensor": lambda: with_equation(body=w * Access("labels", n)),
    "w is a real tensor": lambda: with_equation(body=IntegerAccess("w", k) * x),
    "the subscript w": lambda: with_equation(body=Access("x", n, w)),
    "Abs has no place": lambda: with_equation(body=sympy.Abs(w - 1, evaluate=False)),
    "Max has no place": lambda: with_equation(body=sympy.Max(w, 0)),
    "Heaviside has no place": lambda: with_equation(body=sympy.Heaviside(w)),
    "Piecewise has no place": lambda: with_equation(body=sympy.Piecewise((w, w > 0), (0, True))),
    "alpha is neither a tensor": lambda: with_equation(body=sympy.Symbol("alpha") * w),
    "z is declared as input and has an equation": lambda: valid().with_(
        tensors=tuple(Tensor("z", (N,), Role.INPUT) if t.name == "z" else t for t in valid().tensors)
    ),
    "z is declared as hidden and has no equation": lambda: valid().with_(equations=valid().equations[1:]),
    "tensor x is declared twice": lambda: valid().with_(tensors=valid().tensors * 2),
    "q has an equation but is not declared": lambda: valid().with_(
        equations=(*valid().equations, Equation("q", (), x * 0))
    ),
    "no tensor is named 'q'": lambda: valid().with_(outputs=("q",)),
    "must be a real scalar": lambda: valid().with_(loss="z"),
    "holds an argmax and is not declared as integer": lambda: with_equation(
        reduction=Reduction("argmax", (k,))
    ),
    "the next value of w has another shape": lambda: valid().with_(updates={"w": "z"}),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_every_broken_rule_is_named(problem):
    with pytest.raises(InvalidSystem) as caught:
        validate(BROKEN[problem]())
    assert problem in str(caught.value)


def test_the_equation_is_shown():
    with pytest.raises(InvalidSystem) as caught:
        validate(with_equation(body=Access("v", k)))
    assert "z[n] = Σ_k v[k]" in str(caught.value)


def test_a_map_has_no_conditions():
    system = valid()
    plain = Equation("z", (n,), Access("w", n), None, (Guard("<", n, 2),), (N,))
    with pytest.raises(InvalidSystem, match="a map has conditions"):
        validate(system.with_(equations=(plain, system.equations[1])))
