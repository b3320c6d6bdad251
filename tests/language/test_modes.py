"""Modes, buffers and random tensors as the user declares them, and the system that they become."""

import re

import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.system import Role
from symbp.ir.validate import validate

N, D, H = bp.dims("N D H")


def equations(net):
    validate(net.system)
    return [str(equation) for equation in net.system.equations]


def test_both_modes_stand_in_one_system_and_share_what_is_equal():
    x, W = bp.input("x", (N, D)), bp.param("W", (D, H))
    mask = bp.random("mask", (N, H), p=0.8)
    u = bp.tanh(x @ W)
    h = bp.mode(train=mask * u / 0.8, infer=u)
    net = bp.Network("net", loss=(h**2).mean(), outputs={"h": h}, metrics={"size": h.max()})
    assert equations(net) == [
        "z1[n,j] = Σ_i x[n,i]·W[i,j]",
        "u[n,j] = tanh(z1[n,j])",
        "h[n,j] = 5·mask[n,j]·u[n,j]/4",
        "loss = Σ_n,j h[n,j]²/(H·N)",
        "loss_infer = Σ_n,j u[n,j]²/(H·N)",
        "size = max_n,j u[n,j]",
    ]
    assert net.system.inference == {"loss": "loss_infer", "h": "u"}
    assert net.system.metrics == ("size",)
    roles = {name: net.system.tensor(name).role for name in ("h", "u", "loss", "loss_infer", "size")}
    assert roles == {
        "h": Role.OUTPUT, "u": Role.OUTPUT, "loss": Role.LOSS, "loss_infer": Role.METRIC, "size": Role.METRIC,
    }  # fmt: skip
    assert str(net).endswith("at inference, loss is loss_infer\n  at inference, h is u")


def test_a_network_without_modes_is_one_system():
    x = bp.input("x", (N, D))
    net = bp.Network("net", loss=(x**2).mean())
    assert (net.system.inference, net.system.updates) == ({}, {})


def test_inside_of_a_branch_other_modes_mean_the_same_mode():
    x = bp.input("x", (N, H))
    a = bp.mode(train=2 * x, infer=3 * x)
    b = bp.mode(train=a**2, infer=bp.exp(a))
    net = bp.Network("net", loss=b.sum())
    assert equations(net) == [
        "a[n,i] = 2·x[n,i]",
        "b[n,i] = a[n,i]²",
        "loss = Σ_n,i b[n,i]",
        "a_infer[n,i] = 3·x[n,i]",
        "b_infer[n,i] = exp(a_infer[n,i])",
        "loss_infer = Σ_n,i b_infer[n,i]",
    ]


def test_a_branch_that_has_a_name_keeps_it():
    x = bp.input("x", (N, H))
    train = (2 * x).named("doubled")
    y = bp.mode(train=train, infer=x)
    assert equations(bp.Network("net", loss=y.sum())) == [
        "doubled[n,i] = 2·x[n,i]",
        "loss = Σ_n,i doubled[n,i]",
        "loss_infer = Σ_n,i x[n,i]",
    ]


def test_an_output_that_is_a_leaf_at_inference_is_copied():
    x, y = bp.param("x", (N,)), bp.input("y", (N,))
    h = bp.mode(train=x + y, infer=x)
    net = bp.Network("net", loss=h.sum(), outputs={"h": h})
    assert net.system.inference["h"] == "h_infer"
    assert "h_infer[i] = x[i]" in equations(net)


def test_a_derivative_in_the_declaration_has_both_modes():
    x = bp.param("x", (N,))
    h = bp.mode(train=x**2, infer=x**3)
    g = bp.grad(h, x)
    net = bp.Network("net", loss=(g * g).sum())
    assert net.system.derivatives == {"g": ("h", "x"), "g_infer": ("h_infer", "x")}
    validate(bp.derive(net).system)


def test_a_buffer_takes_its_next_value_after_a_step():
    x = bp.input("x", (N, H))
    mean = bp.buffer("mean", (H,), init=1)
    mean = bp.update(mean, 0.9 * mean + 0.1 * x.mean(0))
    net = bp.Network("net", loss=((x - mean) ** 2).mean())
    assert equations(net)[-2:] == [
        "m_mean_next[i] = Σ_n x[n,i]/N",
        "mean_next[i] = 9·mean[i]/10 + m_mean_next[i]/10",
    ]
    assert net.system.updates == {"mean": "mean_next"}
    assert net.system.tensor("mean_next").role is Role.NEXT
    assert net.initial["mean"].shift == 1


def test_a_buffer_that_only_inference_reads_is_updated():
    x, w = bp.input("x", (N, H)), bp.param("w", (H,))
    mean = bp.buffer("mean", (H,))
    mean = bp.update(mean, x.mean(0))
    centred = bp.mode(train=x - x.mean(0), infer=x - mean)
    net = bp.Network("net", loss=((centred * w) ** 2).mean())
    assert net.system.updates == {"mean": "mean_next"}
    assert "mean" not in net.system.ancestors("loss")
    assert "mean" in net.system.ancestors("loss_infer")


def test_the_next_value_may_be_a_tensor_of_the_loss():
    x = bp.input("x", (N,))
    best = bp.buffer("best", ())
    loss = (x**2).mean()
    best = bp.update(best, loss)
    net = bp.Network("net", loss=loss, outputs={"distance": loss - best})
    assert net.system.updates == {"best": "loss"}
    assert net.system.tensor("loss").role is Role.LOSS


def test_a_tensor_of_both_the_metrics_and_the_loss_has_a_twin():
    x, mask = bp.param("x", (N,)), bp.random("mask", (N,))
    error = (bp.mode(train=mask * x, infer=x) ** 2).mean()
    net = bp.Network("net", loss=2 * error, metrics={"error": error})
    assert "error = Σ_i x[i]²/N" in equations(net)
    assert "mask" in net.system.ancestors("loss")
    assert "mask" not in net.system.ancestors("error")


def test_random_tensors_without_names_are_called_after_their_layer():
    x, W = bp.input("x", (N, D)), bp.param("W", (D, H))
    z = x @ W
    net = bp.Network("net", loss=(bp.random(None, (N, H), "uniform") * z).sum())
    assert str(net.system.random[0]) == "u1: random (N, H), uniform, positive"


@pytest.mark.parametrize(
    ("declare", "what"),
    [
        (lambda: bp.random("r", (N,), "cauchy"), "no distribution is called 'cauchy'"),
        (lambda: bp.random("r", (N,), p=1.0), "the probability of r is 1.0"),
        (lambda: bp.random("r", (N,), p="half"), "the probability of r is 'half'"),
        (lambda: bp.buffer("b", (N,), init="one"), "b can't start at 'one'"),
        (
            lambda: bp.mode(train=bp.param("a", (N,)), infer=0.0),
            "infer of a mode must be a tensor, not float",
        ),
        (
            lambda: bp.mode(train=bp.param("a", (N,)), infer=bp.labels("c", (N,), classes=3)),
            "one branch of the mode holds integers, the other reals: a, c",
        ),
        (
            lambda: bp.update(bp.param("a", (N,)), bp.input("x", (N,))),
            "only a buffer can be updated, not a, parameter",
        ),
        (
            lambda: bp.update(bp.update(bp.buffer("a", ()), bp.input("x", ())), bp.input("y", ())),
            "a has a next value already",
        ),
        (
            lambda: bp.update(bp.buffer("a", ()), 1.0),
            "the next value of a must be a real tensor, not 1.0",
        ),
    ],
)
def test_misuse_is_refused(declare, what):
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert str(caught.value).split("\n")[0].endswith(what)
    assert caught.value.where is not None


@pytest.mark.parametrize(
    "declare",
    [
        lambda: bp.mode(train=bp.param("a", (N, H)), infer=bp.param("b", (H,))),
        lambda: bp.mode(train=bp.param("a", (N, H)), infer=bp.param("b", (N, D))),
        lambda: bp.update(bp.buffer("a", (H,)), bp.input("b", (D,))),
        lambda: bp.update(bp.buffer("a", (3,)), bp.input("b", (4,))),
    ],
)
def test_shapes_that_differ_are_named_on_both_sides(declare):
    with pytest.raises(ShapeError) as caught:
        declare()
    assert {"a", "b"} <= set(re.findall(r"\b[ab]\b", str(caught.value)))


def test_a_bare_size_of_one_branch_gives_the_other_its_value():
    x = bp.param("x", (bp.dim("H", 4),))
    c = bp.buffer("c", (4,))
    net = bp.Network("net", loss=bp.mode(train=x, infer=c).sum())
    assert net.system.tensor("c").shape == net.system.tensor("x").shape


def test_two_next_values_in_one_network_are_refused():
    buffer = bp.buffer("count", ())
    once, again = bp.update(buffer, buffer + 1), bp.update(buffer, buffer + 2)
    with pytest.raises(DeclarationError, match="count is updated twice in one network"):
        bp.Network("net", loss=once * again)


def test_a_mode_with_a_name_gives_it_to_its_training_branch():
    x = bp.input("x", (N, H))
    net = bp.Network("net", loss=(bp.mode(train=2 * x, infer=x).named("y") ** 2).sum())
    assert "y[n,i] = 2·x[n,i]" in equations(net)


def test_a_mode_within_a_recurrence():
    T = bp.dim("T", 6)
    n, t, j = bp.indices("n t j")
    x, u = bp.input("x", (N, T, H)), bp.param("u", (H,))
    mask = bp.random("mask", (N, H), p=0.5)
    h = bp.recurrent("h", (N, T, H))
    before = bp.define("before", [n, t, j], h.at(n, t - 1, j, outside=0), ranges={n: N, t: T, j: H})
    dropped = bp.define("dropped", [n, t, j], 2 * mask[n, j] * before[n, t, j])
    kept = bp.mode(train=dropped, infer=before)
    h = bp.define(h, [n, t, j], bp.tanh(x[n, t, j] + u[j] * kept[n, t, j]))
    net = bp.Network("net", loss=(h**2).mean(), outputs={"last": h})
    assert equations(net) == [
        "before[n,t,j] = h[n,t - 1,j]",
        "dropped[n,t,j] = 2·before[n,t,j]·mask[n,j]",
        "h[n,t,j] = tanh(dropped[n,t,j]·u[j] + x[n,t,j])",
        "loss = Σ_n,t,j h[n,t,j]²/(H·N·T)",
        "last[n,t,j] = h[n,t,j]",
        "before_infer[n,t,j] = h_infer[n,t - 1,j]",
        "h_infer[n,t,j] = tanh(before_infer[n,t,j]·u[j] + x[n,t,j])",
        "loss_infer = Σ_n,t,j h_infer[n,t,j]²/(H·N·T)",
    ]
