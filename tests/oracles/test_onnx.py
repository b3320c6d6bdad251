"""ONNX's own test cases of its operators: forward values, at ONNX's tolerance."""

from __future__ import annotations

import numpy as np
import onnx_elementwise
import onnx_layers
import onnx_reductions
import onnx_windows
import pytest
from onnx_graph import NODES, arrays, cases, declared, evaluated
from where import ROOT

import symbp as bp

CASES = cases(ROOT) if (ROOT / "onnx_node").is_dir() else {}
FAMILIES = (
    onnx_elementwise,
    onnx_layers,
    onnx_reductions,
    onnx_windows,
)  # imported, they register their nodes
EXCLUDED: dict[str, str] = {}  # the case, and why it has no meaning here


@pytest.mark.few(fast=50)
@pytest.mark.parametrize("name", [name for name in CASES if name not in EXCLUDED])
def test_forward(name: str) -> None:
    case = CASES[name]
    net, graph = declared(case, arrays(ROOT, case, "in"))
    found = evaluated(net, graph)
    for key, expected in arrays(ROOT, case, "out").items():
        assert found[key].shape == expected.shape, key
        np.testing.assert_allclose(found[key], expected, rtol=1e-3, atol=1e-7, err_msg=key)


@pytest.mark.skipif(not CASES, reason="no published values: set SYMBP_ORACLES")
def test_every_case_is_compared_or_excluded() -> None:
    known = {
        name for name, case in CASES.items() if all(n["op"] in {*NODES, "Constant"} for n in case["nodes"])
    }
    assert len(CASES) == 403
    assert known | set(EXCLUDED) == set(CASES)
    assert all(EXCLUDED.values())


FIRST = {case["group"]: name for name, case in reversed(CASES.items()) if name not in EXCLUDED}


@pytest.mark.slow
@pytest.mark.parametrize("group", FIRST)
def test_generated_forward(group: str) -> None:
    """One case of each group as a generated NumPy module computes it."""
    case = CASES[FIRST[group]]
    net, graph = declared(case, arrays(ROOT, case, "in"))
    module = bp.compile(net, target="numpy", optimizer=bp.optim.SGD(0.1))
    names = [t.name for t in net.system.parameters]
    buffers = {t.name: graph.values[t.name] for t in net.system.leaves if t.role.value == "buffer"}
    data = {name: value for name, value in graph.values.items() if name not in {*names, *buffers}}
    found = module.forward({name: graph.values[name] for name in names}, buffers or None, **data)
    for key, expected in arrays(ROOT, case, "out").items():
        np.testing.assert_allclose(found[f"out_{key}"], expected, rtol=1e-3, atol=1e-7, err_msg=key)
