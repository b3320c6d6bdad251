"""`symbp plan`: every kernel and tensor with its formula, the numbers at given sizes, in text and JSON."""

import json

import pytest

from symbp.cli.main import main
from symbp.gallery import find


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as stop:
        status = stop.code
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_text_has_kernels_workspace_and_totals(capsys):
    status, out, err = run(capsys, "plan", "mlp", "--size", "N=32")
    assert (status, err) == (0, "")
    first = out.splitlines()[0]
    assert first == "mlp in NumPy, float64; D = 64, H = 64, K = 10, N = 32"
    assert "(1)         matrix product  z1" in out
    assert "8,192·N flops = 262,144" in out
    assert "A training step: 20,819·N flops = 666,208" in out
    assert "(2) to (14)" in next(line for line in out.splitlines() if line.startswith("h "))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_json_has_formulas_and_numbers(capsys, target, dtype):
    import symbp as bp

    options = ("--target", target, "--dtype", dtype, "--optimizer", "sgd", "--json")
    found = json.loads(run(capsys, "plan", "mlp", "--size", "N=48", *options)[1])
    assert [stage["name"] for stage in found["stages"]][:3] == ["forward", "loss", "backward"]
    kernels = [k for stage in found["stages"] for k in stage["kernels"]]
    assert sorted(n for k in kernels for n in k["equations"]) == list(range(1, 19))
    step = [s for s in found["stages"] if s["name"] in ("forward", "loss", "backward", "total")]
    assert sum(s["flops_value"] for s in step) == found["step"]["flops_value"] == 20819 * 48
    assert {t["name"] for t in found["workspace"]["tensors"]} >= {"z1", "h", "p", "loss"}
    module = bp.compile(find("mlp").load().net, target=target, dtype=dtype, optimizer=bp.optim.SGD())
    memory = module._Memory(tuple(48 for _ in module.OPEN_SIZES))
    assert memory.nbytes == found["workspace"]["bytes_value"]


@pytest.mark.slow
def test_without_the_batch_there_are_formulas_only(capsys):
    out = run(capsys, "plan", "mlp")[1]
    assert "A training step: 20,819·N flops\n" in out
    found = json.loads(run(capsys, "plan", "mlp", "--json")[1])
    assert found["step"] == {
        "flops": "20,819·N", "flops_value": None,
        "bytes_moved": "7,848·N + 82,088", "bytes_moved_value": None,
    }  # fmt: skip
    assert found["makes_arrays"] == []


def test_a_size_that_there_is_not(capsys):
    status, out, err = run(capsys, "plan", "mlp", "--size", "Q=3")
    assert (status, out) == (2, "")
    assert "the network has no size 'Q'" in err
