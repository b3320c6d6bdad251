"""Linear equations in generated code: solved from either side, for stacks, vectors and triangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from target_systems import module_for, outputs

import symbp as bp
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.evaluation.interpret import evaluate
from symbp.ir.expr import Access
from symbp.ir.system import Fact, Role, System

B, N, K = sizes("B N K")
b_, i, j, k, m, c = indices("b i j k m c")
EXTENTS = {"B": 2, "N": 4, "K": 3}


def every_product() -> System:
    """An inverse each for A·X = b, X·A = bᵀ, both transposed, for vectors, triangles and stacks."""
    b = SystemBuilder()
    for name, shape in (("A", (N, N)), ("S", (B, N, N)), ("b", (N, K)), ("u", (N,)), ("r", (B, N, K))):
        b.leaf(name, *shape)
    b.leaf("q", B, N)
    b.leaf("T", N, N, facts=[Fact("lower triangular")])
    names = []

    def add(matrix: str, term: Any, plain: list[Any], summed: Any, turned: bool = False) -> None:
        name, inverse = f"x{len(names)}", f"V{len(names)}"
        lead = [b_] if matrix == "S" else []
        subscripts = (*lead, m, k) if turned else (*lead, k, m)
        b.define(inverse, [*lead, i, j], Access(matrix, *subscripts), "inverse", [k, m])
        b.define(name, plain, term(lambda *s: Access(inverse, *s)), "sum", [summed], role=Role.OUTPUT)
        names.append(name)

    for matrix in ("A", "T"):
        for turned in (False, True):
            add(matrix, lambda v: v(i, j) * Access("b", j, c), [i, c], j, turned)
            add(matrix, lambda v: v(i, j) * Access("b", i, c), [j, c], i, turned)
            add(matrix, lambda v: Access("b", i, c) * v(i, j), [c, j], i, turned)
            add(matrix, lambda v: Access("b", j, c) * v(i, j), [c, i], j, turned)
            add(matrix, lambda v: v(i, j) * Access("u", j), [i], j, turned)
            add(matrix, lambda v: v(i, j) * Access("u", i), [j], i, turned)
    add("S", lambda v: v(b_, i, j) * Access("r", b_, j, c), [b_, i, c], j)
    add("S", lambda v: v(b_, i, j) * Access("r", b_, i, c), [b_, c, j], i)
    add("S", lambda v: v(b_, i, j) * Access("q", b_, j), [b_, i], j)
    b.define("L", [], Access("u", i), "sum", [i])
    return b.system("L", names)


def values() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    shapes = {"A": (4, 4), "S": (2, 4, 4), "b": (4, 3), "u": (4,), "r": (2, 4, 3), "q": (2, 4), "T": (4, 4)}
    found = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    for name in "AST":
        found[name] = found[name] + 3 * np.eye(4)
    found["T"] = np.tril(found["T"])
    return found


@pytest.mark.parametrize(
    ("target", "dtype", "tolerance"),
    [
        ("numpy", "float64", 1e-12),
        ("numpy", "float32", 2e-5),
        pytest.param("numba", "float64", 1e-12, marks=pytest.mark.slow),
        pytest.param("numba", "float32", 2e-5, marks=pytest.mark.slow),
    ],
)
def test_values(target: str, dtype: str, tolerance: float) -> None:
    system, given = every_product(), values()
    expected = evaluate(system, given, EXTENTS)
    module = module_for(system, target, dtype, EXTENTS)
    assert "_inverse" not in Path(module.__file__ or "").read_text(encoding="utf-8")
    found = outputs(module, given)
    for name in system.outputs:
        assert np.asarray(found[name]).dtype == dtype
        np.testing.assert_allclose(
            found[name], expected[name], rtol=tolerance, atol=tolerance, err_msg=f"{name} in {target}"
        )


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("extent", [1, 63, 64, 65, 150])
@pytest.mark.parametrize("turned", [False, True])
def test_triangles_in_blocks(extent: int, turned: bool) -> None:
    """The factor of a positive definite matrix, forwards and backwards, beside NumPy's solver."""
    n = bp.dim("n")
    a, t = bp.input("a", (n, n)), bp.input("t", (n,))
    low = bp.cholesky(a)
    x = bp.solve(low.T if turned else low, t)
    net = bp.Network("triangle", loss=(x * x).sum(), outputs={"x": x})
    module = bp.compile(bp.derive(net, wrt=["t"]))
    rng = np.random.default_rng(extent)
    root = rng.normal(size=(extent, extent)) / np.sqrt(extent)
    data = {"a": root @ root.T + np.eye(extent), "t": rng.normal(size=extent)}
    factor = np.linalg.cholesky(data["a"])
    expected = np.linalg.solve(factor.T if turned else factor, data["t"])
    np.testing.assert_allclose(module.forward({}, **data)["x"], expected, rtol=1e-10, atol=1e-12)
    gradient = np.linalg.solve(factor if turned else factor.T, 2 * expected)
    np.testing.assert_allclose(module.derivatives({}, **data)["t"], gradient, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_a_gaussian_process_by_its_cholesky_factor(target: str) -> None:
    """Fit and log-determinant of a positive definite K = R·Rᵀ + 1 by its factor: nothing is inverted."""
    n = bp.dim("n")
    i, j, k = bp.indices("i j k")
    r, t = bp.param("R", (n, n)), bp.input("t", (n,))
    K = bp.define("K", [i, j], bp.Sum(r[i, k] * r[j, k], k) + bp.where(bp.equal(i, j), 1, 0))
    low = bp.cholesky(K)
    white = bp.solve(low, t)
    volume = bp.define("volume", [], bp.Sum(bp.log(low[i, i]), i))
    net = bp.Network("process", loss=(white * white).sum() / 2 + volume)
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    text = Path(module.__file__ or "").read_text(encoding="utf-8")
    assert "_inverse" not in text
    report = bp.check(net, sizes={"n": 4}, module=module)
    assert report.ok, str(report)


def solution(a: Any) -> Any:
    return bp.solve(a, bp.input("t", (bp.dim("n"),))).sum()


SINGULAR = {
    "inverse": (lambda a: (bp.inverse(a) ** 2).sum(), "(inverse_"),
    "solution": (solution, "z1"),
    "factor": (lambda a: bp.cholesky(a).sum(), "(cholesky_"),
}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", SINGULAR)
def test_a_singular_matrix_is_named_by_its_equation(name: str, target: str) -> None:
    """Values that exist are right, those that don't are not numbers, and a step says where they come from."""
    make, words = SINGULAR[name]
    n = bp.dim("n")
    net = bp.Network("singular", loss=make(bp.param("A", (n, n))))
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    params = {"A": np.array([[1.0, 2.0], [2.0, 4.0]]) - 5 * (name == "factor") * np.eye(2)}
    data = {"t": np.ones(2)} if name == "solution" else {}
    loss, gradients = module.loss_and_gradients(params, **data)
    assert np.isnan(gradients["A"]).all()
    assert np.isnan(loss)
    state = module.init_state(params)
    with pytest.raises(module.NotFinite) as failure:
        module.train_step(state, **data)
    assert words in str(failure.value)
    np.testing.assert_array_equal(state.params["A"], params["A"])
