"""Sums of products of every layout that becomes a matrix product, against einsum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emit_systems import module_for, outputs

from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.system import Role

EXTENTS = dict(zip("ABCDE", (2, 3, 4, 5, 3), strict=True))
SPECS = [
    ("ab,bc->ac", "A @ B"),
    ("ba,bc->ac", "A.T @ B"),
    ("ab,cb->ac", "A @ B.T"),
    ("ba,cb->ac", "A.T @ B.T"),
    ("ab,b->a", "A @ B"),
    ("b,bc->c", "B.T @ A"),
    ("ba,b->a", "A.T @ B"),
    ("b,cb->c", "B @ A"),
    ("ab,bc->ca", "B.T @ A.T"),
    ("abc,cd->abd", "A.reshape"),
    ("abc,abd->cd", ".T @"),
    ("abc,d->abcd", "A[..., None] * B"),
    ("abc,acd->abd", "A @ B"),
    ("abc,adc->abd", "B.swapaxes(-1, -2)"),
    ("acb,acd->abd", "A.swapaxes(-1, -2) @ B"),
    ("ab,ab->", ".sum("),
    ("ab,ab->a", ".sum("),
    ("ab,bc,cd->ad", "_part @"),
    ("ab,bc,cd,de->ae", "_part"),
    ("ab,b,bc->ac", "@"),
    ("ab,cb,db->acd", "np.einsum("),
    ("ba,bc,bd->", "_part"),
    ("bca,cbd->ad", ".T @ B.transpose(1, 0, 2)"),
    ("abc,ac->ab", "(A @ B[..., None])[..., 0]"),
    ("acb,ac->ab", "(A.swapaxes(-1, -2) @ B[..., None])[..., 0]"),
    ("cb,abc->ca", "(B.transpose(2, 0, 1) @ A[..., None])[..., 0]"),
    ("bc,abd->acd", "A.T @ B"),
    ("dbc,ba->cad", ""),
    ("abc,dcb->dab", ""),
    ("ea,eb->ab", "A.T @ B"),
    ("abcd,cde->abe", "reshape"),
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


@pytest.mark.parametrize(("spec", "text"), SPECS, ids=[s for s, _ in SPECS])
def test_layouts(spec: str, text: str) -> None:
    system = system_for(spec)
    rng = np.random.default_rng(1)
    shapes = {t.name: tuple(EXTENTS[str(e)] for e in t.shape) for t in system.leaves}
    values = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    expected = np.einsum(spec, *values.values())
    module = module_for(system, "numpy", bound=_bound(system))
    np.testing.assert_allclose(outputs(module, values)["r"], expected, rtol=1e-13, atol=1e-13)
    code = _line(module, "r =").replace("tA", "A").replace("tB", "B")
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


def _line(module: Any, start: str) -> str:
    from pathlib import Path

    lines = Path(module.__file__).read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.strip().startswith(start))
