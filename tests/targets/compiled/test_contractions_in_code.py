"""Sums of products of every layout that becomes a matrix product, against einsum."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from target_lines import spelled_out
from target_systems import module_for, outputs

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import Role

EXTENTS = dict(zip("ABCDE", (2, 3, 4, 5, 3), strict=True))
SPECS = [
    ("ab,bc->ac", "np.dot(A, B, out=r)"),
    ("ba,bc->ac", "np.dot(A.T, B, out=r)"),
    ("ab,cb->ac", "np.dot(A, B.T, out=r)"),
    ("ba,cb->ac", "np.dot(A.T, B.T, out=r)"),
    ("ab,b->a", "np.dot(A, B, out=r)"),
    ("b,bc->c", "np.dot(B.T, A, out=r)"),
    ("ba,b->a", "np.dot(A.T, B, out=r)"),
    ("b,cb->c", "np.dot(B, A, out=r)"),
    ("ab,bc->ca", "np.dot(B.T, A.T, out=r)"),
    ("abc,cd->abd", "np.dot(A.reshape(A * B, C), B, out=r.reshape(A * B, D))"),
    ("abc,abd->cd", ".T, B.reshape(A * B, D), out=r)"),
    ("abc,d->abcd", "np.multiply(A[..., None], B, out=r)"),
    ("abc,acd->abd", "np.matmul(A, B, out=r)"),
    ("abc,adc->abd", "B.swapaxes(-1, -2)"),
    ("acb,acd->abd", "np.matmul(A.swapaxes(-1, -2), B, out=r)"),
    ("ab,ab->", "r[...] = np.vdot(A, B)"),
    ("ab,ab->a", "np.dot(t_AB, ones_B, out=r)"),
    ("ab,bc,cd->ad", "_part, "),
    ("ab,bc,cd,de->ae", "_part"),
    ("ab,b,bc->ac", "np.dot("),
    ("ab,cb,db->acd", "np.einsum("),
    ("ba,bc,bd->", "_part"),
    ("bca,cbd->ad", "np.matmul(A.reshape(B * C, A).T, t_BCD.reshape(B * C, D), out=r)"),
    ("abc,ac->ab", "np.matmul(A, B[..., None], out=r[..., None])"),
    ("acb,ac->ab", "np.matmul(A.swapaxes(-1, -2), B[..., None], out=r[..., None])"),
    ("cb,abc->ca", "np.matmul(B.transpose(2, 0, 1), A[..., None], out=r[..., None])"),
    ("bc,abd->acd", "np.matmul(A.T, B, out=r)"),
    ("dbc,ba->cad", ""),
    ("abc,dcb->dab", ""),
    ("ea,eb->ab", "np.dot(A.T, B, out=r)"),
    ("abcd,cde->abe", "out=r.reshape(A * B, E))"),
]


def system_for(spec: str) -> Any:
    inputs, result = spec.split("->")
    builder = SystemBuilder()
    size = {letter: sizes(letter.upper())[0] for letter in "abcde"}
    body: Any = 1
    for name, subscripts in zip("ABCD", inputs.split(","), strict=False):
        # tensors and sizes share no name
        reader = builder.leaf(f"t{name}", *[size[s] for s in subscripts])
        body *= reader(*indices(" ".join(subscripts)))
    plain = indices(" ".join(result)) if result else ()
    summed = [i for i in indices("a b c d e") if i.name in inputs and i.name not in result]
    builder.define("r", plain, body, "sum" if summed else None, summed)
    (n,) = indices("n")
    builder.define("loss", [], 1, "sum", [n], ranges={n: size["a"]}, role=Role.LOSS)
    return builder.system(loss="loss", outputs=["r"])


@pytest.mark.few(fast=3)
@pytest.mark.parametrize(("spec", "text"), SPECS, ids=[s for s, _ in SPECS])
def test_layouts(spec: str, text: str) -> None:
    system = system_for(spec)
    rng = np.random.default_rng(1)
    shapes = {t.name: tuple(EXTENTS[str(e)] for e in t.shape) for t in system.leaves}
    values = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    expected = np.einsum(spec, *values.values())
    module = module_for(system, "numpy", bound=_bound(system))
    np.testing.assert_allclose(outputs(module, values)["r"], expected, rtol=1e-13, atol=1e-13)
    code = _forward(module).replace("tA", "A").replace("tB", "B")
    assert text in code
    loops = module_for(system, "numba", bound=_bound(system))
    np.testing.assert_allclose(outputs(loops, values, compiled=False)["r"], expected, rtol=1e-13, atol=1e-13)


@pytest.mark.slow
def test_layouts_compiled() -> None:
    """All layouts in one module; np.dot's warning about operands that aren't contiguous would be an error."""
    specs = [spec for spec, _ in SPECS]
    builder = SystemBuilder()
    size = {letter: sizes(letter.upper())[0] for letter in "abcde"}
    rng = np.random.default_rng(2)
    values, expected = {}, {}
    for k, spec in enumerate(specs):
        inputs, result = spec.split("->")
        body: Any = 1
        for name, subscripts in zip("wxyz", inputs.split(","), strict=False):
            reader = builder.leaf(f"{name}{k}", *[size[s] for s in subscripts])
            values[f"{name}{k}"] = rng.standard_normal([EXTENTS[s.upper()] for s in subscripts])
            body *= reader(*indices(" ".join(subscripts)))
        summed = [i for i in indices("a b c d e") if i.name in inputs and i.name not in result]
        plain = indices(" ".join(result)) if result else ()
        builder.define(f"r{k}", plain, body, "sum" if summed else None, summed)
        expected[f"r{k}"] = np.einsum(spec, *[v for n, v in values.items() if n[1:] == str(k)])
    (n,) = indices("n")
    builder.define("loss", [], 1, "sum", [n], ranges={n: size["a"]}, role=Role.LOSS)
    system = builder.system(loss="loss", outputs=list(expected))
    found = outputs(module_for(system, "numba", bound=EXTENTS), values)
    for k, spec in enumerate(specs):
        np.testing.assert_allclose(found[f"r{k}"], expected[f"r{k}"], rtol=1e-13, atol=1e-13, err_msg=spec)


def _bound(system: Any) -> dict[str, int]:
    return {name: EXTENTS[name] for name in system.sizes}


def _forward(module: Any) -> str:
    from pathlib import Path

    text = spelled_out(Path(module.__file__).read_text(encoding="utf-8"))
    return text[text.index("def _forward(") :].split("\n\n\n")[0]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shift", [1, -1])
def test_a_stack_whose_end_lies_elsewhere_is_not_put_together(shift: int, turned: bool) -> None:
    L, N, D, H = sizes("L N D H")
    n, i, j, l = indices("n i j l")  # noqa: E741
    b = SystemBuilder()
    A, B, W = b.leaf("A", L, N, D), b.leaf("B", N, D), b.leaf("W", L, D, H)
    body = A(l + shift, n, i, outside=B(n, i)) * W(l, i, j)
    r = b.define("r", [l, j, n] if turned else [l, n, j], body, "sum", [i], ranges={l: L})
    b.define("loss", [], r(l, *((j, n) if turned else (n, j))), "sum", [l, n, j], role=Role.LOSS)
    module = module_for(b.system("loss", ["r"]), "numpy")
    rng = np.random.default_rng(0)
    for length in (1, 4):
        shapes = {"A": (length, 5, 2), "B": (5, 2), "W": (length, 2, 3)}
        values = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        end, rest = values["B"][None], values["A"][:-1] if shift < 0 else values["A"][1:]
        expected = np.concatenate([end, rest] if shift < 0 else [rest, end]) @ values["W"]
        found = outputs(module, values)["r"]
        np.testing.assert_allclose(found, expected.swapaxes(1, 2) if turned else expected, rtol=1e-12)
    text = inspect.getsource(module._forward)
    assert "concatenate" not in text
    assert len(re.findall(r"np\.(dot|matmul)\(", text)) == 2
