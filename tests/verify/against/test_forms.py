"""Every way in which people write a backward pass is read, and a mistake in it is found."""

import numpy as np
import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.errors import SymbpError, UsageError
from symbp.verify.against import check_against


def declared():
    N, D, H, K = bp.dims("N D H K")
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    h = bp.tanh(x @ W1 + b1)
    p = bp.softmax(h @ W2 + b2)
    return bp.Network("small", loss=bp.cross_entropy(p, y), outputs={"p": p})


net = declared()


@pytest.fixture(scope="module")
def derivation():
    return bp.derive(net)


def unmended(*_):
    """No repair is sought."""


def softmax(u):
    e = np.exp(u - u.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


SLOPE = 1.0
"""What the derivative of tanh is multiplied with: a mistake, where it isn't 1."""


def passes(x, y, W1, b1, W2, b2):
    h = np.tanh(x @ W1 + b1)
    p = softmax(h @ W2 + b2)
    da2 = (p - np.eye(len(b2))[y]) / len(x)
    da1 = (da2 @ W2.T) * (1 - h**2) * SLOPE
    return -np.log(p[np.arange(len(x)), y]).mean(), (x.T @ da1, da1.sum(0), h.T @ da2, da2.sum(0))


def by_name(params, x, y):
    loss, (W1, b1, W2, b2) = passes(x, y, *(params[k] for k in ("W1", "b1", "W2", "b2")))
    return loss, {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def forward(params, x, y):
    loss, gradients = by_name(params, x, y)
    return loss, {"gradients": gradients, "x": x}


def backward(dout, cache):
    return {f"grad_{name}": dout * array for name, array in cache["gradients"].items()}


class Net:
    def __init__(self, D, H, K):
        self.W1, self.b1 = np.zeros((D, H)), np.zeros(H)
        self.W2, self.b2 = np.zeros((H, K)), np.zeros(K)

    def forward(self, x, y):
        loss, self.kept = passes(x, y, self.W1, self.b1, self.W2, self.b2)
        return loss

    def backward(self):
        self.dW1, self.db1, self.dW2, self.db2 = self.kept


class Fields:
    """Everything in one object, gradients in a mapping."""

    def __init__(self):
        self.params = dict.fromkeys(("W1", "b1", "W2", "b2"))
        self.grads = {}

    def loss(self, x, y):
        return by_name(self.params, x, y)


def in_torch():
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y, W1, b1, W2, b2):
            h = torch.tanh(x @ W1 + b1)
            p = torch.softmax(h @ W2 + b2, 1)
            ctx.save_for_backward(x, y, h, p, W2)
            return -torch.log(p[torch.arange(len(x)), y]).mean()

        @staticmethod
        def backward(ctx, g):
            x, y, h, p, W2 = ctx.saved_tensors
            da2 = g * (p - torch.eye(p.shape[1], dtype=p.dtype)[y]) / len(x)
            da1 = (da2 @ W2.T) * (1 - h**2) * SLOPE
            return None, None, x.T @ da1, da1.sum(0), h.T @ da2, da2.sum(0)

    return Function


def in_jax():
    jax = pytest.importorskip("jax")

    @jax.custom_vjp
    def function(x, y, W1, b1, W2, b2):
        return forward(x, y, W1, b1, W2, b2)[0]

    def forward(x, y, W1, b1, W2, b2):
        h = jax.numpy.tanh(x @ W1 + b1)
        p = jax.nn.softmax(h @ W2 + b2)
        return -jax.numpy.log(p[jax.numpy.arange(len(x)), y]).mean(), (x, y, h, p, W2)

    def backward(kept, g):
        x, y, h, p, W2 = kept
        da2 = g * (p - jax.nn.one_hot(y, p.shape[1])) / len(x)
        da1 = (da2 @ W2.T) * (1 - h**2) * SLOPE
        return 0 * x, None, x.T @ da1, da1.sum(0), h.T @ da2, da2.sum(0)

    function.defvjp(forward, backward)
    return function


FORMS = {
    "gradients by name": lambda: by_name,
    "in the order of arguments": lambda: passes,
    "one after the other": lambda: (
        lambda x, y, W1, b1, W2, b2: (
            (found := passes(x, y, W1, b1, W2, b2))[0],
            *found[1],
        )
    ),
    "a pair": lambda: (forward, backward),
    "a class": lambda: Net,
    "an instance": Fields,
    "torch": in_torch,
    "jax": in_jax,
}


@pytest.mark.few(fast=2)
@pytest.mark.parametrize("form", FORMS)
def test_forms(form, derivation, monkeypatch):
    report = bp.check(net, derivation=derivation, against=FORMS[form]())
    assert report.ok, report
    assert {"dW1", "db1", "dW2", "db2", "loss"} <= {row.tensor for row in report.rows}
    monkeypatch.setitem(globals(), "SLOPE", 2.0)
    report = check_against(derivation, FORMS[form](), find_repair=unmended)
    assert {row.tensor for row in report.wrong} == {"dW1", "db1"}, report


EQUATIONS = """
# as on the blackboard
(6)  da2[n,k] = (p[n,k] - [k = y[n]])/N
dW2 = hᵀ·da2
db2 = sum(da2, axis=0)
da1 = (1 - h ⊙ h) ⊙ (da2·W2ᵀ)
dW1 = x.T @ da1
db1[j] = Σ_n da1[n,j]
"""


def test_equations_are_judged_one_by_one(derivation):
    assert bp.check(net, derivation=derivation, against=EQUATIONS).ok
    wrong = EQUATIONS.replace("(1 - h ⊙ h)", "(1 - h)")
    report = check_against(derivation, wrong, find_repair=unmended)
    assert [row.tensor for row in report.wrong] == ["da1"], report
    with pytest.raises(SymbpError, match="nothing on the page is called") as error:
        bp.check(net, derivation=derivation, against=EQUATIONS.replace("hᵀ", "gᵀ"))
    assert "the equations:4" in str(error.value)


@pytest.mark.few(fast=1)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_generated_module(derivation, dtype):
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1), dtype=dtype, sizes={"D": 4, "H": 3, "K": 5})
    report = bp.check(net, derivation=derivation, against=module, sizes={"D": 4, "H": 3, "K": 5})
    assert report.ok, report


def test_names_are_found_by_case_by_shape_and_as_told(derivation):
    def renamed(x, y, w1, B1, W2, b2):
        loss, (W1, b1, W2_, b2_) = passes(x, y, w1, B1, W2, b2)
        return loss, {"first": W1, "DB1": b1, "W2_grad": W2_, "dL_db2": b2_}

    report = bp.check(net, derivation=derivation, against=renamed)
    assert report.ok, report
    assert report["dW1"].theirs == "first"
    assert "first was taken for dW1, which alone has its shape" in report.notes

    def strange(theta, images, y):
        return by_name(theta, images, y)[0], dict(
            zip("abcd", by_name(theta, images, y)[1].values(), strict=True)
        )

    names = {"x": "images", "dW1": "a", "b1": "b", "W2": "c", "db2": "d"}
    assert bp.check(net, derivation=derivation, against=strange, map=names).ok
    with pytest.raises(UsageError, match="nothing that is called 'dw9'"):
        bp.check(net, derivation=derivation, against=strange, map={"dw9": "a"})
    with pytest.raises(UsageError, match="asks for 'images'"):
        bp.check(net, derivation=derivation, against=lambda theta, images: (theta, images))


def test_a_layer_gets_the_derivative_by_its_output_and_gives_that_by_its_input(derivation):
    def layer_forward(h, W2, b2):
        return h @ W2 + b2, (h, W2)

    def layer_backward(dout, cache):
        h, W2 = cache
        return dout @ W2.T, h.T @ dout, dout.sum(0)

    report = bp.check(net, derivation=derivation, against=(layer_forward, layer_backward))
    assert report.ok, report
    assert [row.tensor for row in report.rows if row.verdict == "right"] == ["h", "db2", "dh", "dW2"]


@pytest.mark.slow
def test_on_the_command_line(tmp_path, capsys):
    (tmp_path / "my_net.py").write_text(
        "import symbp as bp\n"
        'N, D = bp.dims("N D")\n'
        'x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))\n'
        'net = bp.Network("line", loss=bp.mse(x @ w, y))\n',
        encoding="utf-8",
    )
    code = "def right(w, x, y):\n    r = x @ w - y\n    return (r @ r)/len(x), {'g': 2*x.T @ r/len(x)}\n"
    code += "def wrong(w, x, y):\n    return right(w, x, y)[0], {'g': right(w, x, y)[1]['g']/2}\n"
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    given = ["check", str(tmp_path / "my_net.py"), "--map", "dw=g", "--against"]
    assert main([*given, f"{tmp_path}/mine.py:right"]) == 0
    assert "right: 2 tensors" in capsys.readouterr().out
    assert main([*given, f"{tmp_path}/mine.py:right,{tmp_path}/mine.py:wrong"]) == 1
    assert "first wrong: dw (g in the code)" in capsys.readouterr().out
    assert main([*given, f"{tmp_path}/mine.py:wrong", "--json"]) == 1
    assert '"first": "dw"' in capsys.readouterr().out
    assert main([*given, f"{tmp_path}/mine.py"]) == 1  # `right` is there for `wrong`
    assert "mine.py:wrong beside" in capsys.readouterr().out
    (tmp_path / "two.py").write_text(code.replace("right(w, x, y)[", "(lambda *_: (0, {'g': 0}))()["))
    assert main([*given, f"{tmp_path}/two.py"]) == 2
    assert "name one" in capsys.readouterr().err
    assert main([*given, f"{tmp_path}/none.py"]) == 2
