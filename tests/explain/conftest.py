"""A hand-written derivation that the tests of every format share."""

import pytest
from sympy import exp, log, tanh

from symbp.derive.derivation import Derivation, Step
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.expr import Access, Guard
from symbp.ir.labels import Differential
from symbp.ir.system import Fact, Reduction, Role


def mlp_system():
    """Two dense layers, tanh, softmax with cross-entropy, forward and backward."""
    N, D, H, K = sizes("N D H K")
    n, i, j, k = indices("n i j k")
    b = SystemBuilder()
    x = b.leaf("x", N, D)
    y = b.leaf("y", N, role=Role.TARGET, integer=True, facts=[Fact("below", bound=K)])
    W1, b1 = b.leaf("W1", D, H, role=Role.PARAMETER), b.leaf("b1", H, role=Role.PARAMETER)
    W2, b2 = b.leaf("W2", H, K, role=Role.PARAMETER), b.leaf("b2", K, role=Role.PARAMETER)
    z1 = b.define("z1", [n, j], x(n, i) * W1(i, j), "sum", [i], rule="matrix product")
    h = b.define("h", [n, j], tanh(z1(n, j) + b1(j)), rule="tanh")
    z2 = b.define("z2", [n, k], h(n, j) * W2(j, k), "sum", [j], rule="matrix product")
    a = b.define("a", [n, k], z2(n, k) + b2(k))
    m = b.define("m", [n], a(n, k), "max", [k], constant=True)
    e = b.define("e", [n, k], exp(a(n, k) - m(n)))
    s = b.define("s", [n], e(n, k), "sum", [k])
    p = b.define("p", [n, k], e(n, k) / s(n), role=Role.OUTPUT, rule="softmax")
    b.define("L", [], (m(n) + log(s(n)) - a(n, y(n))) / N, "sum", [n], rule="cross-entropy")
    adjoint, gradient = Role.ADJOINT, Role.GRADIENT

    def by(name):
        return Differential("L", name)

    da = b.define("da", [n, k], (p(n, k) - Guard("=", k, y(n))) / N, role=adjoint, differential=by("a"))
    b.define("dW2", [j, k], h(n, j) * da(n, k), "sum", [n], role=gradient)
    b.define("db2", [k], da(n, k), "sum", [n], role=gradient)
    dh = b.define("dh", [n, j], W2(j, k) * da(n, k), "sum", [k], role=adjoint, differential=by("h"))
    dz1 = b.define("dz1", [n, j], (1 - h(n, j) ** 2) * dh(n, j), role=adjoint, differential=by("z1"))
    b.define("dW1", [i, j], x(n, i) * dz1(n, j), "sum", [n], role=gradient)
    b.define("db1", [j], dz1(n, j), "sum", [n], role=gradient)
    yhat = b.define("yhat", [n], p(n, k), "argmax", [k], role=Role.METRIC)
    b.define("accuracy", [], Guard("=", yhat(n), y(n)) / N, "sum", [n], role=Role.METRIC)
    return b.system("L", ["p"], ["accuracy"])


@pytest.fixture(scope="session")
def mlp():
    system = mlp_system()
    after = system.defining["da"]
    n, i = indices("n i")
    p, dp = Access("p", n, i), Access("dp", n, i)
    before = after.with_(
        body=p * dp, reduction=Reduction("sum", (i,)), ranges=(*after.ranges, after.ranges[1])
    )
    reason = "Rows of {p} sum to one."
    step = Step("softmax with cross-entropy", reason, "da", (before,), (after,), ("p", "sums to one"))
    gradients = {t.name: f"d{t.name}" for t in system.parameters}
    return Derivation("mlp", system, system, gradients, (step,), ("W3 is not used by the loss",))
