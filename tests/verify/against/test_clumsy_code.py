"""Code that fails, leaves things out, or answers at random: each is said, and nothing is skipped."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.verify.against import check_against
from symbp.verify.against.answer import Repair


@pytest.fixture(scope="module")
def asked():
    """What `bp.check` says of code, beside one net that was derived once."""
    N, D, H = bp.dims("N D H")
    x, y = bp.input("x", (N, D)), bp.target("y", (N, H))
    W, b = bp.param("W", (D, H)), bp.param("b", (H,))
    h = bp.tanh(x @ W + b)
    net = bp.Network("layer", loss=bp.sum((h - y) ** 2) / N)
    derivation = bp.derive(net)

    def report(code):
        return check_against(derivation, code, find_repair=unmended)

    report.derivation = derivation
    return report


def unmended(*_):
    """No repair is sought."""


def right(x, y, W, b):
    h = np.tanh(x @ W + b)
    dh = 2 * (h - y) / len(x)
    da = dh * (1 - h**2)
    return np.sum((h - y) ** 2) / len(x), {"W": x.T @ da, "b": da.sum(0), "h": dh}


def changed(**changes):
    """The right pass with functions of gradients, or of the loss, in their place; None leaves one out."""

    def code(x, y, W, b):
        loss, gradients = right(x, y, W, b)
        found = {
            name: change(gradients[name]) for name, change in changes.items() if change and name != "loss"
        }
        left = {name: a for name, a in gradients.items() if name not in changes}
        return changes.get("loss", float)(loss), {**left, **found}

    return code


def random(array):
    return array + np.random.default_rng().normal(size=np.shape(array))


def spoilt(array):
    return np.where(np.arange(array.size).reshape(array.shape) == 3, np.nan, array)


@pytest.mark.few(fast=2)
@pytest.mark.parametrize(
    ("change", "verdict", "said"),
    [
        ({"b": None}, "missing", "no such gradient"),
        ({"W": np.transpose}, "shape", "it is transposed"),
        ({"b": lambda a: a[None]}, "shape", "an axis of 1 is too many"),
        ({"b": lambda a: a.sum()}, "shape", "its shape is (), not ("),
        ({"b": lambda a: a.astype(np.float32)}, "dtype", "float32, where float64 was given"),
        ({"b": lambda a: np.round(a).astype(int)}, "wrong", "int64, where float64 was given"),
        ({"W": lambda a: 7 * a}, "wrong", "it is 7 times what it should be"),
        ({"W": spoilt}, "no value", "no finite number"),
        ({"W": lambda a: a * np.inf}, "no value", "no finite number"),
        ({"W": lambda a: -a}, "wrong", "its sign is the other one"),
        ({"W": lambda a: a + 0j}, "dtype", "complex128"),
    ],
)
def test_each_wrong_gradient_is_said(asked, change, verdict, said):
    report = asked(changed(**change))
    (row,) = report.wrong
    assert (row.tensor, row.verdict) == (f"d{next(iter(change))}", verdict), report
    assert said in row.told
    assert report.first == row.tensor
    assert not report.ok


def test_a_right_one_is_right_whatever_else_it_gives(asked):
    assert asked(right).ok
    report = asked(changed(h=lambda a: 3 * a))  # before a factor, say: no gradient rests on it as it is
    assert report.ok, report
    assert report["dh"].verdict == "not compared"

    def more(x, y, W, b):
        loss, gradients = right(x, y, W, b)
        return loss, gradients, {"z": np.ones(3), "ragged": [[1], [2, 3]], "name": "x", "h": gradients["h"]}

    assert asked(more).ok


def test_derivatives_before_their_factor_are_no_mistakes(asked):
    def late(x, y, W, b, wrong=False):
        h = np.tanh(x @ W + b)
        dh = 2 * (h - y)
        da = dh * (1 - h**2)
        db = da.sum(0) if wrong else da.mean(0)
        return np.sum((h - y) ** 2) / len(x), {"dW": x.T @ da / len(x), "db": db, "dh": dh, "da": da}

    assert asked(late).ok
    report = asked(lambda x, y, W, b: late(x, y, W, b, True))
    assert [row.tensor for row in report.wrong] == ["db"], report


def test_a_wrong_loss_is_said_first(asked):
    report = asked(changed(loss=lambda loss: loss / 2))
    assert [row.tensor for row in report.wrong] == ["loss"]
    report = asked(changed(loss=lambda loss: loss / 2, W=lambda a: a / 2))
    assert report.first == "loss"
    assert [row.tensor for row in report.wrong] == ["loss", "dW"]


def test_chance_is_named(asked):
    report = asked(changed(b=random))
    assert not report.ok
    assert "not the same twice at one point (drawn at random, or left from before): b" in str(report)


def test_writing_to_arguments_is_a_note(asked):
    def writing(x, y, W, b):
        found = right(x, y, W, b)
        W += 1
        return found

    report = asked(writing)
    assert report.ok
    assert report.notes == ("it writes to its arguments: W",)


def test_where_code_fails(asked):
    def failing(x, y, W, b):
        return right(x, y, W, b[:, :, None])  # no such axes

    with pytest.raises(UsageError, match="failing fails with IndexError: too many indices") as error:
        asked(failing)
    assert "test_clumsy_code.py" in str(error.value)
    assert "# no such axes" in str(error.value)
    assert "W: float64 (" in str(error.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (lambda W, b: None if W is not b else 1, "returns nothing"),
        (lambda W, b: W.sum() + b.sum(), "returns a float64"),
        (lambda W, b: (1.0, (W, b, b)), "3 gradients, which have no names"),
        (lambda W, q: (W, q), "asks for 'q'"),
        (3, "is no backward pass"),
    ],
)
def test_what_is_no_backward_pass(asked, code, said):
    with pytest.raises(UsageError, match=said):
        asked(code)


def test_a_repair_is_sought_for_what_is_wrong_by_itself(asked):
    sought = []

    def find_repair(derivation, compared, given):
        sought.append(
            (compared.tensor, compared.by, sorted(given), {s.answered.shape for s in compared.seen})
        )
        assert compared.tensor in derivation.system.by_name
        return Repair("factor", "times 1/N", 1)

    def slope(x, y, W, b):
        loss, found = right(x, y, W, b)
        h = np.tanh(x @ W + b)
        dh = found["h"] * len(x)
        return loss, {"dh": dh, "dW": x.T @ (dh * (1 - h**2)), "db": (dh * (1 - h**2)).sum(0)}

    report = check_against(asked.derivation, slope, find_repair=find_repair)
    assert [entry[:3] for entry in sought] == [("dh", "h", ["dW", "db", "loss"])]
    assert len(sought[0][3]) > 1  # of pairwise different sizes
    assert (report.first, report["dh"].slip, report["dh"].repair) == ("dh", "factor", "times 1/N")
    assert {row.tensor: row.follows for row in report.wrong if row.follows} == {"dW": ("dh",), "db": ("dh",)}
    assert "likely slip: factor (times 1/N)" in str(report)
    assert report.json()["rows"][-1]["follows"] == ("dh",)
    assert "<table>" in report._repr_html_()


def test_what_only_holds_at_the_declared_sizes_is_a_note():
    N, D = bp.dim("N", 4), bp.dim("D")
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    net = bp.Network("fixed", loss=bp.mse(x @ w, y))
    report = bp.check(net, against=lambda x, y, w: (np.mean((x @ w - y) ** 2), x.T @ (x @ w - y) / 2))
    assert report.ok, report
    assert "at other sizes than the declared ones it differs: dw" in str(report)
