"""What ops refuse, and what they take besides whole tensors."""

import math
import re

import numpy as np
import pytest

from symbp import ops
from symbp.derive import derive
from symbp.errors import DeclarationError, ShapeError, UsageError
from symbp.ir.evaluation.vector import run
from symbp.ir.points.sampling import sample_point
from symbp.ir.printer import expression_text
from symbp.language import Network, dims, indices, input, labels, param, target

N, D, K = dims("N D K")
n, i = indices("n i")


def test_an_elementwise_op_takes_elements_in_index_notation():
    x = param("x", (N, D))
    assert str(ops.exp(x[n, i])).startswith("exp(")
    assert expression_text(ops.tanh(ops.square(2))) == "tanh(4)"


def test_decimals_are_exact():
    x = param("x", (N, D))
    net = Network("net", loss=ops.leaky_relu(x, 0.01).sum())
    assert str(net.system.equations[0]) == "h1[i,j] = 0.01·[x[i,j] ≤ 0]·x[i,j] + [x[i,j] > 0]·x[i,j]"


def test_cross_entropy_reconciles_classes_and_columns():
    logits, y = param("z", (N, 5)), labels("y", (N,), classes=4)
    with pytest.raises(ShapeError) as error:
        ops.cross_entropy(logits, y)
    assert "axis 1 of z: 5" in str(error.value)
    assert "the classes of y: 4" in str(error.value)
    assert "ops.cross_entropy(logits, y)" in str(error.value)


@pytest.mark.parametrize("loss", [ops.mse, ops.binary_cross_entropy])
def test_a_loss_broadcasts_nothing(loss):
    prediction, y = param("prediction", (N, 1)), target("y", (N,))
    with pytest.raises(ShapeError) as error:
        loss(prediction, y)
    assert "prediction: (N, 1)" in str(error.value)
    assert "y: (N)" in str(error.value)


@pytest.mark.parametrize("pair", [ops.cross_entropy, ops.accuracy])
def test_labels_of_another_rank(pair):
    p, y = param("p", (N, K)), labels("y", (N, N, N), classes=K)
    with pytest.raises(ShapeError, match="can't pair p with y") as error:
        pair(p, y)
    assert "p: (N, K)" in str(error.value)
    assert "y: (N, N, N)" in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        ops.clamp,
        lambda x: ops.clamp(x, 2, 1),
        lambda x: ops.gelu(x, approximate="sigmoid"),
        lambda x: ops.leaky_relu(x, "a"),
        lambda x: ops.mse(x, x, reduction="max"),
        lambda _: ops.l2_penalty(0.1),
        lambda _: ops.exp("x"),
        lambda x: ops.leaky_relu(x, float("nan")),
    ],
)
def test_refused_arguments(call):
    with pytest.raises(DeclarationError):
        call(input("x", (N, D)))


@pytest.mark.parametrize(
    ("call", "help"),
    [
        (lambda x: x.sum(dim=1), "it is called axis here"),
        (lambda x: ops.mean(x, axis=1, keepdim=True), "it is called keepdims here"),
        (lambda x: ops.softmax(x, dim=1), "it is called axis here"),
        (lambda x: ops.topk(x, 2, axes=1), "it is called axis here"),
        (lambda x: ops.std(x, ddof=0), "it is called correction here"),
        (lambda x: ops.sum(x, axs=0), "did you mean axis"),
        (np.sum, "functions of NumPy take arrays"),
        (lambda x: ops.sum([x, x]), r"bp\.stack puts tensors"),
        (lambda x: max(x, 0), r"bp\.maximum"),
    ],
)
def test_what_others_call_an_argument_is_refused_with_its_name_here(call, help):
    with pytest.raises(DeclarationError) as refused:
        call(input("x", (N, D)))
    assert re.search(help, refused.value.help)


def test_python_rounds_tensors():
    x = param("x", (N,))
    parts = [round(x), round(x, 1), math.floor(x), math.ceil(x), *divmod(x, 2)]
    net = Network("net", loss=x.sum(), outputs={f"part{k}": part for k, part in enumerate(parts)})
    values = np.array([-2.5, -1.26, 0.5, 1.5, 3.14])
    found = run(net.system, {"x": values}, {"N": 5})
    wanted = [np.round(values), np.round(values, 1), np.floor(values), np.ceil(values), *divmod(values, 2)]
    for k, part in enumerate(wanted):
        np.testing.assert_allclose(found[f"part{k}"], part, atol=1e-15)


def test_an_unknown_op_is_named_with_its_neighbours():
    with pytest.raises(UsageError, match="did you mean sigmoid"):
        ops.find("sigmoyd")


def test_weights_of_classes_are_as_many_as_classes():
    z, y, w = param("z", (N, 5)), labels("y", (N,), classes=5), param("w", (4,))
    with pytest.raises(ShapeError) as error:
        ops.cross_entropy(z, y, from_logits=True, weight=w)
    assert "axis 1 of z: 5" in str(error.value)
    assert "axis 0 of w: 4" in str(error.value)


@pytest.mark.parametrize("ignored", [2, 0, True, 1.5])
def test_what_is_a_label_is_not_what_stands_for_none(ignored):
    with pytest.raises(DeclarationError, match="where there is no label"):
        labels("y", (N,), classes=5, ignored=ignored)


@pytest.mark.parametrize("loss", [ops.mse, ops.mae, ops.huber, ops.smooth_l1])
def test_a_tensor_beside_itself_has_no_loss(loss):
    """The terms of a formula such as x − x vanish before anything is said of its indices."""
    x = param("x", (N, D))
    for reduction in ("mean", "sum"):
        net = Network("same", loss=loss(x, x, reduction=reduction) + (x * x).sum() / 2)
        found = derive(net.system)
        sizes, values = sample_point(net.system, 1)
        gradient = run(found.system, values, sizes)[found.gradients["x"]]
        np.testing.assert_allclose(gradient, values["x"])
