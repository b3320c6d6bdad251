"""ONNX models come in, compute what onnxruntime computes, and are declared by a file that says the same."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError, UsageError
from symbp.ir.evaluation.vector import run

pytest.importorskip("onnx", reason="onnx isn't installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
from onnx_models import MODELS, Model, made  # noqa: E402


def outputs(found, data):
    """What the network gives, by the reference semantics."""
    system = found.net.system
    sizes = {**system.bound, "batch": len(next(iter(data.values())))}
    values = run(system, {**found.weights.params, **found.weights.buffers, **data}, sizes, system.outputs)
    return list(values.values())


def theirs(content, data):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, data)


def declared_by(text):
    scope = {}
    exec(compile(text, "net.py", "exec"), scope)
    return scope["net"]


@pytest.mark.parametrize("name", MODELS)
def test_it_computes_what_onnxruntime_computes(name):
    content, data = made(name)
    found = bp.from_onnx(content)
    for ours, wanted in zip(outputs(found, data), theirs(content, data), strict=True):
        assert ours.shape == wanted.shape
        np.testing.assert_allclose(ours, wanted, atol=1e-5)
    assert str(declared_by(found.text).system) == str(found.net.system)
