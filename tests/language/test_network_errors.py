"""What can't be a network, and what the message says."""

import pytest

import symbp as bp
from symbp.errors import DeclarationError

N, D = bp.dims("N D")


def test_a_loss_that_is_no_scalar():
    w = bp.param("w", (N, D))
    errors = w * w
    with pytest.raises(DeclarationError) as error:
        bp.Network("net", loss=errors)
    message = str(error.value)
    assert "the loss must be a scalar, but errors has 2 axes" in message
    assert "shape: (N, D)" in message
    assert "errors = w * w" in message
    assert "mean" in message


def test_a_metric_that_is_no_scalar():
    w = bp.param("w", (N,))
    with pytest.raises(DeclarationError, match="metric m must be a scalar, but w has 1 axis"):
        bp.Network("net", loss=w.sum(), metrics={"m": w})


@pytest.mark.parametrize("name", ["", "my net", "class", 3])
def test_a_network_needs_a_name(name):
    with pytest.raises(DeclarationError, match="can't be the name of a network"):
        bp.Network(name, loss=bp.param("w", ()))


def test_an_output_needs_a_name():
    w = bp.param("w", ())
    with pytest.raises(DeclarationError, match="can't be the name of an output"):
        bp.Network("net", loss=w * w, outputs={"a b": w})


def test_a_leaf_is_no_output():
    w = bp.param("w", ())
    with pytest.raises(DeclarationError, match="w can't be an output: nothing computes it"):
        bp.Network("net", loss=w * w, outputs={"w": w})


def test_one_name_for_an_output_and_a_metric():
    w = bp.param("w", ())
    with pytest.raises(DeclarationError, match="'a' is both an output and a metric"):
        bp.Network("net", loss=w * w, outputs={"a": w + 1}, metrics={"a": w + 2})


def test_what_is_no_tensor():
    with pytest.raises(DeclarationError, match="the loss must be a tensor, not int"):
        bp.Network("net", loss=3)


def test_one_tensor_with_two_names():
    w = bp.param("w", (N,))
    u = bp.exp(w)
    with pytest.raises(DeclarationError, match="named twice, a and b"):
        bp.Network("net", loss=u.named("a").sum() + u.named("b").sum())


def test_a_network_does_not_change():
    net = bp.Network("net", loss=bp.param("w", ()))
    with pytest.raises(AttributeError):
        net.name = "other"
