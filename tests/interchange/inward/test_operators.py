"""Operators of ONNX one by one, with attributes that change what they mean: as onnxruntime has
them, or refused."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError
from symbp.ir.evaluation.vector import run

pytest.importorskip("onnx", reason="onnx isn't installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime isn't installed")
from onnx_models import Model  # noqa: E402

INT = np.int64


def ints(*values):
    return np.array(values, dtype=INT)


def step(op, shape, *after, opset=18, **attributes):
    return op, shape, after, opset, attributes


IMAGE = (2, 2, 5, 6)
TAKEN = [
    *(step("Conv", IMAGE, (4, 1, 3, 2), group=2, auto_pad=rule, strides=[2, 1]) for rule in
      ("SAME_UPPER", "SAME_LOWER", "VALID")),
    step("Conv", IMAGE, (3, 2, 2, 2), (3,), pads=[0, 1, 2, 0], dilations=[2, 1], strides=[1, 3]),
    step("Conv", (2, 2, 7), (3, 2, 3), pads=[2, 1]), step("Conv", (1, 1, 3, 4, 3), (2, 1, 2, 2, 2)),
    step("ConvTranspose", IMAGE, (2, 2, 3, 2), (4,), group=2, strides=[2, 3], pads=[1, 0, 1, 0]),
    step("ConvTranspose", IMAGE, (2, 3, 3, 3), strides=[2, 2], pads=[0, 1, 1, 0]),
    step("ConvTranspose", IMAGE, (2, 1, 2, 3), strides=[2, 2], output_padding=[1, 0], dilations=[1, 2]),
    *(step(f"{kind}Pool", IMAGE, kernel_shape=[3, 2], strides=[2, 2], ceil_mode=ceil, pads=[1, 0, 0, 1],
           **more)
      for kind, more in (("Max", {}), ("Average", {}), ("Average", {"count_include_pad": 1}))
      for ceil in (0, 1)),
    step("MaxPool", IMAGE, kernel_shape=[2, 2], dilations=[2, 3]),
    step("MaxPool", IMAGE, kernel_shape=[3, 3], auto_pad="SAME_LOWER", strides=[2, 2]),
    step("AveragePool", IMAGE, kernel_shape=[2, 2], dilations=[1, 2], opset=19),
    step("AveragePool", IMAGE, kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
    step("LRN", (2, 5, 3, 2), size=3, alpha=0.2, beta=0.6, bias=1.5),
    *(step(op, (2, 3, 4), axis=axis, opset=opset) for op in ("Softmax", "LogSoftmax")
      for axis in (1, -1) for opset in (11, 13)),
    step("Gemm", (3, 4), (2, 4), (1, 2), transB=1, alpha=0.5, beta=0.25),
    step("Gemm", (3, 4), (4, 2), np.float32(2.0)), step("MatMul", (3, 4), (4,)),
    step("MatMul", (3, 2, 4), (1, 4, 5)), step("Add", (3, 1, 4), (2, 1)), step("Sub", (3, 4), (1, 1, 4)),
    step("Div", (3, 4), np.array([[2.0]], np.float32)), step("Pow", (3, 4), np.array([2], np.float32)),
    step("Max", (3, 4), (4,), (1, 4)), step("Mean", (3, 4), (4,)), step("PRelu", (2, 3, 4), (3, 1)),
    step("HardSigmoid", (3, 4), alpha=0.3, beta=0.4), step("ThresholdedRelu", (3, 4), alpha=0.3),
    step("Elu", (3, 4), alpha=2.0), step("Celu", (3, 4), alpha=0.5), step("Selu", (3, 4)),
    *(step("Gelu", (3, 4), approximate=kind, opset=20) for kind in ("none", "tanh")),
    step("Clip", (3, 4), np.float32(-0.2)), step("Clip", (3, 4), "", np.float32(0.2)),
    step("ReduceMean", (2, 3, 4), axes=[0, -1], keepdims=0, opset=13),
    step("ReduceSum", (2, 3, 4), keepdims=0), step("ReduceL1", (2, 3), ints(1)),
    step("ReduceLogSumExp", (2, 3), ints(1)), step("ReduceProd", (2, 3), ints(1), keepdims=0),
    step("LpNormalization", (2, 3), axis=1, p=2), step("Flatten", (2, 3, 4), axis=2),
    step("Flatten", (2, 3, 4), axis=0), step("Transpose", (2, 3, 4)),
    step("Reshape", (2, 3, 4), ints(0, -1, 2)), step("Squeeze", (2, 1, 3, 1), ints(1, -1)),
    step("Squeeze", (2, 1, 3), axes=[1], opset=11), step("Unsqueeze", (2, 3), ints(0, -1)),
    step("Slice", (2, 5, 4), ints(1, -3), ints(-1, 100), ints(1, -1)),
    step("Slice", (2, 5), ints(-1), ints(-100), ints(1), ints(-2)),
    step("Gather", (2, 5), ints(1, 3), axis=1), step("Gather", (2, 5), np.array(-1), axis=1),
    step("Gather", (2, 5), ints(3, 1, -1), axis=1), step("Expand", (2, 1, 3), ints(1, 4, 1)),
    step("Tile", (2, 3), ints(1, 2)), step("Pad", (2, 5), ints(0, -1, 0, -2)),
    *(step("Pad", (2, 3, 5), ints(0, 1, 2, 0, 0, 1), mode=mode, opset=19)
      for mode in ("reflect", "edge", "wrap")),
    step("DepthToSpace", (2, 8, 2, 3), blocksize=2, mode="CRD"),
    step("DepthToSpace", (2, 8, 2, 3), blocksize=2),
    step("SpaceToDepth", (2, 3, 4, 6), blocksize=2), step("Trilu", (2, 3, 4), upper=0),
    step("LayerNormalization", (2, 3, 4), (3, 4), axis=1, epsilon=1e-2),
    *(step("Resize", (2, 1, 3, 4), "", np.array([1, 1, *by], np.float32), mode=mode, nearest_mode=nearest,
           coordinate_transformation_mode=place)
      for by, mode, place, nearest in (
          ((2, 2), "nearest", "asymmetric", "floor"), ((1.5, 2), "nearest", "asymmetric", "floor"),
          ((2, 3), "nearest", "half_pixel", "round_prefer_floor"), ((2, 2), "linear", "half_pixel", "floor"),
          ((2, 3), "linear", "align_corners", "floor"), ((2, 2), "linear", "pytorch_half_pixel", "floor"))),
    *(step("LSTM", (2, 3, 2), (sides, 12, 2), (sides, 12, 3), (sides, 24), hidden_size=3, direction=way)
      for sides, way in ((1, "forward"), (1, "reverse"), (2, "bidirectional"))),
    step("LSTM", (2, 3, 2), (1, 12, 2), (1, 12, 3), "", "", (1, 3, 3), (1, 3, 3), hidden_size=3),
    *(step("GRU", (2, 3, 2), (1, 9, 2), (1, 9, 3), (1, 18), hidden_size=3, linear_before_reset=k)
      for k in (0, 1)),
    step("RNN", (2, 3, 2), (1, 3, 2), (1, 3, 3), (1, 6), hidden_size=3),
]  # fmt: skip

REFUSED = [
    step("ConvTranspose", IMAGE, (2, 1, 2, 2), strides=[2, 2], output_shape=[10, 12]),
    step("ConvTranspose", IMAGE, (2, 1, 2, 2), strides=[2, 2], auto_pad="SAME_UPPER"),
    step("LRN", (2, 5, 3, 2), size=4), step("Selu", (3, 4), alpha=1.0),
    step("MatMul", (3, 1, 2, 4), (5, 4, 2)), step("LpNormalization", (2, 3), axis=1, p=1),
    step("Expand", (2, 1, 3), ints(4, 4, 1)), step("LayerNormalization", (2, 3, 4), (4,), axis=1),
    *(step("Resize", (2, 1, 3, 4), "", np.array([1, 1, 1.5, 2], np.float32), mode=mode,
           coordinate_transformation_mode=place)
      for mode, place in (("nearest", "half_pixel"), ("linear", "asymmetric"), ("linear", "half_pixel"),
                          ("cubic", "half_pixel"))),
    step("Resize", (2, 1, 4), "", np.array([1, 1, 2], np.float32), mode="linear", antialias=1),
    step("LSTM", (2, 3, 2), (1, 12, 2), (1, 12, 3), hidden_size=3, input_forget=1),
    step("LSTM", (2, 3, 2), (1, 12, 2), (1, 12, 3), "", "", "", "", (1, 9), hidden_size=3),
    step("GRU", (2, 3, 2), (1, 9, 2), (1, 9, 3), (1, 18), hidden_size=3, activations=["Sigmoid", "Relu"]),
    step("RNN", (2, 3, 2), (1, 3, 2), (1, 3, 3), (1, 6), ints(1, 2, 2), hidden_size=3),
]  # fmt: skip


def model(case):
    op, shape, after, opset, attributes = case
    m = Model(opset=opset)
    x = m.input("x", shape)
    given = [one if isinstance(one, str) else m.held(value=one) if isinstance(one, (np.ndarray, np.generic))
             else m.held(*one) for one in after]  # fmt: skip
    return m.content(m.add(op, x, *given, **attributes)), m.data


def named(case):
    return f"{case[0]} {case[4]}"[:60]


@pytest.mark.slow
@pytest.mark.parametrize("case", TAKEN, ids=named)
def test_it_is_what_onnxruntime_has(case):
    content, data = model(case)
    found = bp.from_onnx(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, data)
    system = found.net.system
    arrays = {**found.weights.params, **found.weights.buffers, **data}
    wanted_here = system.outputs or [found.net.loss]
    (ours,) = run(system, arrays, {**system.bound, "batch": case[1][0]}, wanted_here).values()
    assert ours.shape == wanted.shape
    np.testing.assert_allclose(ours, wanted, atol=1e-5)


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_it_would_be_another(case):
    with pytest.raises(DataError, match=f"^(?!.*don't fit)[\\s\\S]*{case[0]}"):
        bp.from_onnx(model(case)[0])
