"""The systems that declarations become, as they are printed: they must read like a textbook."""

import symbp as bp
from symbp.ir.system import Role

N, D, H, K = bp.dims("N D H K")


def equations(net):
    return [str(equation) for equation in net.system.equations]


def test_the_network_of_the_readme():
    x = bp.input("x", (N, D))
    y = bp.labels("y", (N,), classes=K)
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    h = bp.tanh(x @ W1 + b1)
    p = bp.softmax(h @ W2 + b2)
    net = bp.Network(
        "mlp", loss=bp.cross_entropy(p, y), outputs={"p": p}, metrics={"accuracy": bp.accuracy(p, y)}
    )
    assert equations(net) == [
        "z1[n,j] = Σ_i x[n,i]·W1[i,j]",
        "h[n,j] = tanh(z1[n,j] + b1[j])",
        "z2[n,k] = Σ_j h[n,j]·W2[j,k]",
        "a2[n,k] = z2[n,k] + b2[k]",
        "e_p[n,k] = exp(a2[n,k])",
        "s_p[n] = Σ_k e_p[n,k]",
        "p[n,k] = e_p[n,k]/s_p[n]",
        "loss = Σ_n (-log(p[n,y[n]])/N)",
        "c_accuracy[n] = argmax_k p[n,k]",
        "accuracy = Σ_n [c_accuracy[n] = y[n]]/N",
    ]
    system = net.system
    assert [t.name for t in system.leaves] == ["x", "y", "W1", "b1", "W2", "b2"]
    assert (system.loss, system.outputs, system.metrics) == ("loss", ("p",), ("accuracy",))
    roles = {t.name: t.role for t in system.tensors if t.role is not Role.HIDDEN}
    assert roles["p"] is Role.OUTPUT
    assert roles["loss"] is Role.LOSS
    assert roles["accuracy"] is Role.METRIC
    assert str(system.tensor("y").fact("below")) == "below K"
    assert [e.rule for e in system.equations][:2] == ["matrix product", "tanh"]
    assert system.equations[1].origin.text == "h = bp.tanh(x @ W1 + b1)"
    assert str(net).startswith("mlp\n  x: input (N, D)\n")


def test_a_value_read_twice_has_an_equation():
    x, W, b = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("b", (H,))
    net = bp.Network("net", loss=bp.relu(x @ W + b).mean())
    assert equations(net) == [
        "z1[n,j] = Σ_i x[n,i]·W[i,j]",
        "a1[n,j] = z1[n,j] + b[j]",
        "h1[n,j] = [a1[n,j] > 0]·a1[n,j]",
        "loss = Σ_n,j h1[n,j]/(H·N)",
    ]


def test_a_value_that_has_a_variable_has_an_equation():
    x, b = bp.input("x", (N, D)), bp.param("b", (D,))
    shifted = x + b
    assert equations(bp.Network("net", loss=(shifted**2).mean())) == [
        "shifted[n,i] = x[n,i] + b[i]",
        "loss = Σ_n,i shifted[n,i]²/(D·N)",
    ]


def test_no_work_is_repeated_by_writing_a_value_into_its_reader():
    x, b, W = bp.input("x", (N, D)), bp.param("b", (D,)), bp.param("W", (D, H))
    net = bp.Network("net", loss=((x + bp.exp(b)) @ W).sum())
    assert equations(net) == [
        "u_z1[i] = exp(b[i])",
        "u_z1_2[n,i] = x[n,i] + u_z1[i]",
        "z1[n,j] = Σ_i u_z1_2[n,i]·W[i,j]",
        "loss = Σ_n,j z1[n,j]",
    ]


def test_a_transpose_is_only_a_way_to_read():
    x, W = bp.input("x", (N, D)), bp.param("W", (H, D))
    assert equations(bp.Network("net", loss=(x @ W.T).sum()))[0] == "z1[n,j] = Σ_i x[n,i]·W[j,i]"


def test_two_axes_of_one_size_have_two_letters():
    x, W = bp.input("x", (N, D)), bp.param("W", (D, D))
    net = bp.Network("net", loss=bp.tanh(bp.tanh(x @ W) @ W).sum())
    assert equations(net) == [
        "z1[n,i] = Σ_j x[n,j]·W[j,i]",
        "h1[n,i] = tanh(z1[n,i])",
        "z2[n,i] = Σ_j h1[n,j]·W[j,i]",
        "h2[n,i] = tanh(z2[n,i])",
        "loss = Σ_n,i h2[n,i]",
    ]


def test_logits_go_through_logsumexp():
    z, y = bp.param("z", (N, K)), bp.labels("y", (N,), classes=K)
    net = bp.Network("net", loss=bp.cross_entropy(z, y, from_logits=True))
    assert equations(net) == [
        "s_loss[n] = Σ_i exp(z[n,i])",
        "loss = Σ_n (log(s_loss[n]) - z[n,y[n]])/N",
    ]


def test_a_penalty_is_named_after_its_parameter():
    x, W, V = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("V", (H,))
    net = bp.Network("net", loss=(x @ W @ V).mean() + bp.l2_penalty(1e-4, W, V))
    assert equations(net)[-3:] == [
        "r_W = Σ_i,j W[i,j]²",
        "r_V = Σ_j V[j]²",
        "loss = 5e-5·r_V + 5e-5·r_W + m_loss",
    ]


def test_broadcasting_by_trailing_axes():
    a, b, c = bp.input("a", (N, 1)), bp.param("b", (D,)), bp.input("c", (N, D))
    y = a * b + c
    assert equations(bp.Network("net", loss=y.sum()))[0] == "y[n,j] = a[n,0]·b[j] + c[n,j]"


def test_an_output_under_another_name_is_a_copy():
    x = bp.input("x", (N, D))
    h = bp.tanh(x)
    net = bp.Network("net", loss=h.sum(), outputs={"first": h, "second": h, "seen": x})
    assert equations(net) == [
        "first[n,i] = tanh(x[n,i])",
        "loss = Σ_n,i first[n,i]",
        "second[n,i] = first[n,i]",
        "seen[n,i] = x[n,i]",
    ]
    assert net.system.outputs == ("first", "second", "seen")


def test_a_leaf_can_be_the_loss():
    w = bp.param("w", ())
    assert equations(bp.Network("net", loss=w)) == ["loss = w"]


def test_parameters_that_nothing_reads_can_belong_to_it():
    w, v = bp.param("w", ()), bp.param("v", (D,))
    net = bp.Network("net", loss=w * w, parameters=[v])
    assert [t.name for t in net.system.parameters] == ["w", "v"]


def test_how_parameters_start():
    x, W, b = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("b", (H,))
    V = bp.param("V", (H,), init=bp.optim.initial.constant(0.5))
    net = bp.Network("net", loss=((x @ W + b) @ V).sum())
    assert {name: (i.distribution, str(i.scale), str(i.shift)) for name, i in net.initial.items()} == {
        "W": ("uniform", "sqrt(6)/sqrt(D + H)", "0"),
        "b": ("constant", "0", "0"),
        "V": ("constant", "0", "1/2"),
    }
    assert "Glorot" in net.initial["W"].reason


def test_constants_keep_their_values():
    w, rate = bp.param("w", ()), bp.hyper("rate", 0.1)
    net = bp.Network("net", loss=rate * w)
    assert net.hyper == {"rate": 0.1}
    assert net.system.tensor("rate").role is Role.HYPER


def test_declaring_is_linear_in_depth():
    wide = bp.nn.Sequential(*[bp.nn.Dense(4, activation="gelu")] * 60, bp.nn.Dense(3)).classifier(inputs=4)
    assert len(wide.system.equations) == 60 * 3 + 8
