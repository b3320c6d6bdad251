"""Who is called what: the order of precedence, and what names are refused."""

import pytest

import symbp as bp
from symbp.errors import DeclarationError

N, D = bp.dims("N D")
x = bp.input("x", (N, D))
outer = bp.exp(x)
_hidden = bp.exp(x)


def targets(net):
    return [equation.target for equation in net.system.equations]


def test_the_variable_of_the_caller_names_a_tensor():
    mine = bp.exp(x)
    again = mine
    assert again is mine
    assert targets(bp.Network("net", loss=(mine * mine).sum())) == ["mine", "loss"]


def test_the_variable_of_the_file_names_a_tensor():
    assert targets(bp.Network("net", loss=(outer * outer).sum())) == ["outer", "loss"]


def test_a_variable_with_an_underscore_names_nothing():
    assert targets(bp.Network("net", loss=(_hidden * bp.sin(_hidden)).sum())) == ["u_loss", "loss"]


def test_named_goes_before_the_variable():
    mine = bp.exp(x).named("energy")
    assert targets(bp.Network("net", loss=(mine * mine).sum())) == ["energy", "loss"]


def test_named_counts_wherever_the_tensor_was_read_before():
    plain = bp.exp(x)
    total = (plain * plain).sum()
    called = plain.named("energy")
    assert targets(bp.Network("net", loss=total, outputs={"energy": called})) == ["energy", "total"]


def test_a_declared_name_goes_before_all():
    n, i = bp.indices("n i")
    mine = bp.define("u", [n, i], bp.exp(x[n, i]))
    assert targets(bp.Network("net", loss=(mine * mine).sum())) == ["u", "loss"]


def test_names_belong_to_the_network():
    def first():
        a = bp.exp(x)
        return a, bp.Network("net", loss=(a * a).sum())

    def second(tensor):
        return bp.Network("net", loss=(tensor * tensor).sum())

    a, net = first()
    assert targets(net) == ["a", "loss"]
    assert targets(second(a)) == ["tensor", "loss"]


def test_a_loss_keeps_the_name_of_its_variable():
    energy = bp.exp(x).sum()
    assert bp.Network("net", loss=energy).system.loss == "energy"


def test_a_taken_name_gets_a_number():
    W = bp.param("W", (D, D))
    z1 = bp.exp(W)
    net = bp.Network("net", loss=(bp.tanh(x @ W) * bp.sigmoid(x @ W)).sum() + z1.sum())
    assert targets(net)[:5] == ["z1", "z1_2", "h1", "z2", "h2"]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "2x",
        "x y",
        "class",
        "None",
        "_x",
        "x-1",
        "x;import os",
        "x\n",
        "é",
        "x.y",
        3,
        None,
    ],
)
def test_names_that_source_code_can_not_have(bad):
    with pytest.raises(DeclarationError) as error:
        bp.dim("for") if bad is None else bp.input(bad, (N, D))
    assert "can't be the name of" in str(error.value)
    assert "test_naming.py" in str(error.value)


@pytest.mark.parametrize("give", [bp.dims, bp.index, bp.indices, lambda name: bp.exp(x).named(name)])
def test_every_kind_of_name_is_checked(give):
    with pytest.raises(DeclarationError, match="can't be the name of"):
        give("x-1")


def test_a_name_declared_twice_shows_both_lines():
    first = bp.param("w", (D,))
    second = bp.param("w", (D,))
    with pytest.raises(DeclarationError) as error:
        bp.Network("net", loss=(first * second).sum())
    message = str(error.value)
    assert "w is declared twice" in message
    assert 'first = bp.param("w", (D,))' in message
    assert 'second = bp.param("w", (D,))' in message


def test_the_name_of_a_gradient_is_taken():
    w, other = bp.param("w", ()), bp.param("dw", ())
    with pytest.raises(DeclarationError, match="dw is the name of w's gradient"):
        bp.Network("net", loss=w * other)


def test_a_size_and_a_tensor_of_one_name():
    w = bp.param("N", (N,))
    with pytest.raises(DeclarationError, match="N is both a size and a tensor"):
        bp.Network("net", loss=w.sum())


def test_an_index_and_a_tensor_of_one_name():
    w, (n,) = bp.param("n", (N,)), bp.indices("n")
    s = bp.define("s", [n], bp.exp(w[n]))
    with pytest.raises(DeclarationError, match="n is both an index and a tensor"):
        bp.Network("net", loss=s.sum())


def test_the_result_does_not_depend_on_what_was_declared_before():
    def declare():
        w = bp.param("w", (D, D))
        return str(bp.Network("net", loss=bp.softmax(bp.relu(x @ w) @ w).max()))

    texts = set()
    for _ in range(12):  # serial numbers pass from 9 to 10 and from 99 to 100 among these
        bp.exp(x)
        texts.add(declare())
    assert len(texts) == 1
