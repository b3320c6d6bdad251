"""Tables from the command line: categories from training to predictions, hostile files."""

import subprocess
import sys

import numpy as np
import pytest

from symbp.cli.main import main
from symbp.errors import DataError
from symbp.runtime.common.arrays.shapes import DataError as NoTable
from symbp.runtime.common.reading.table_columns import _Column, _Columns, _outputs_by_column

NET = """
import symbp as bp

N, D = bp.dims("N D")
x, y = bp.input("x", (N, D)), bp.target("y", (N,))
w, b = bp.param("w", (D,)), bp.param("b", ())
price = x @ w + b
net = bp.Network("house", loss=bp.mse(price, y), outputs={"price": price})
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a network and a table; the price is what area and colour say, exactly."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    draw = np.random.default_rng(0)
    colours = {"blue": 1.0, "green": -2.0, "red": 0.5}
    rows = [(str(draw.choice(list(colours))), round(float(draw.normal()), 3)) for _ in range(60)]
    lines = [f"{area},{colours[colour] + 2 * area},{colour}" for colour, area in rows]
    (tmp_path / "house.csv").write_text("\n".join(["area,price,colour", *lines]) + "\n")
    return tmp_path


def run(capsys, *arguments):
    status = main(list(arguments))
    shown = capsys.readouterr()
    return status, shown.out, shown.err


@pytest.mark.slow
def test_from_a_table_to_predictions(capsys, folder):
    status, _, err = run(
        capsys, "train", "net.py", "--data", "house.csv", "--target-column", "price", "--module", "house.py",
        "--out", "house.npz", "--epochs", "60", "--lr", "0.1",
    )  # fmt: skip
    assert status == 0
    assert "house.csv: 60 examples, names in the first line; x: area, " in err
    assert "colour one-hot in 3 (blue, green, red); target y: price" in err

    def module(*words):
        return subprocess.run(
            [sys.executable, "-I", "house.py", *words], capture_output=True, text=True, cwd=folder
        )

    # Other columns, in another order, one category alone: what was trained on says what they mean.
    (folder / "new.csv").write_text("colour,id,area\ngreen,7,1\ngreen,8,2\n")
    asked = module("predict", "--params", "house.npz", "--data", "new.csv", "-o", "out.npz")
    assert asked.returncode == 0, asked.stderr
    assert "not read: id" in asked.stderr
    np.testing.assert_allclose(np.load(folder / "out.npz")["price"], [0, 2], atol=0.05)
    for text, message in (
        ("colour,area\nviolet,1\n", "'violet' is none of the categories blue, green, red"),
        ("colour\nred\n", "no column 'area'"),
        ("area,colour\nred,green\n", "column 'area' holds text ('red')"),
    ):
        (folder / "new.csv").write_text(text)
        asked = module("predict", "--params", "house.npz", "--data", "new.csv")
        assert (asked.returncode, asked.stdout) == (2, "")
        assert message in asked.stderr
        assert "Traceback" not in asked.stderr
    # Its own training, the name of the option cut short.
    asked = module("train", "--data", "house.csv", "--target", "price", "--epochs", "1", "--out", "own.npz")
    assert asked.returncode == 0, asked.stderr
    np.testing.assert_array_equal(np.load("own.npz")["columns"], np.load("house.npz")["columns"])


HOSTILE = {
    "fields.csv": b"a,b\n1," + b"9" * 150_000 + b"\n",
    "digits.csv": b"a,b\n1," + b"9" * 100_000 + b"x\n",
    "nul.csv": b"a,b\n1,2\0\n",
    "bytes.csv": bytes(range(1, 256)) * 20,
    "empty.csv": b"",
    "names.csv": b"area,price\n",
    "quotes.csv": b'"""' * 101,
    "separators.csv": b",;\t" * 999,
    "returns.csv": b"1,2\r3\r\r\n4,5,6\r",
    "deep.csv": b"[" * 100_000,
    "control.csv": b"a\x1b[2J,b\n\x1b[2J,1\nz,2\n1,3\n",
}


@pytest.mark.parametrize("name", [*HOSTILE, "folder.csv", "missing.csv"])
def test_hostile_files(capsys, folder, name):
    (folder / "folder.csv").mkdir()
    if name in HOSTILE:
        (folder / name).write_bytes(HOSTILE[name])
    status, out, err = run(capsys, "train", "net.py", "--data", name)
    assert (status, out) == (2, "")
    assert err.startswith("symbp train: ")
    assert name in err
    assert "\x1b" not in err
    assert "Traceback" not in err


def test_a_column_of_no_table(capsys, folder):
    np.savez(folder / "house.npz", x=np.ones((5, 2)), y=np.ones(5))
    status, _, err = run(capsys, "train", "net.py", "--data", "house.npz", "--target-column", "y")
    assert status == 2
    assert "names a column of a table" in err


def test_a_lean_module_says_how_to_read_tables(folder):
    import symbp as bp

    N = bp.dim("N")
    net = bp.Network("lean", loss=bp.mse(bp.input("x", (N,)) * bp.param("w", ()), bp.target("y", (N,))))
    module = bp.compile(net, optimizer=bp.optim.SGD(0.1))
    assert module.main(["train", "--data", "house.csv"]) == 2
    (folder / "odd.npz").write_bytes(b"PK\x03\x04" + bytes(60))
    assert module.main(["train", "--data", "odd.npz"]) == 2
    with pytest.raises(module.DataError, match="--with tables"):
        module._read(folder / "house.csv", ("x", "y"))
    assert not issubclass(module.DataError, DataError)


@pytest.mark.slow
def test_a_standardised_target_comes_back_in_its_units(capsys, folder):
    """From a table with prices in the 100,000s to predictions by a module alone."""
    lines = (folder / "house.csv").read_text().splitlines()
    large = [lines[0]] + [
        f"{area},{200_000 + 50_000 * float(price)},{colour}"
        for area, price, colour in (line.split(",") for line in lines[1:])
    ]
    (folder / "house.csv").write_text("\n".join(large))
    status, _, _ = run(
        capsys, "train", "net.py", "--data", "house.csv", "--target-column", "price", "--module", "house.py",
        "--out", "house.npz", "--epochs", "60", "--lr", "0.1", "--standardise-target",
    )  # fmt: skip
    assert status == 0
    (folder / "new.csv").write_text("area,colour\n1,green\n2,green\n")
    words = ["predict", "--params", "house.npz", "--data", "new.csv", "-o"]
    for out in ("out.npz", "out.csv"):
        asked = subprocess.run(
            [sys.executable, "-I", "house.py", *words, out], capture_output=True, text=True
        )
        assert asked.returncode == 0, asked.stderr
    prices = np.load("out.npz")["price"]
    np.testing.assert_allclose(prices, [200_000, 300_000], rtol=0.01)
    head, *rows = (folder / "out.csv").read_text().splitlines()
    assert (head, [float(row) for row in rows]) == ("price", prices.tolist())


def test_outputs_as_columns_have_the_names_of_classes():
    known = _Columns(True, (_Column("a", "x"), _Column("side", "y", ("left", "right, perhaps"))))
    outputs = {"p": np.array([[0.25, 0.75]]), "h": np.ones((1, 3)), "e": np.array([2.0])}
    found = _outputs_by_column(outputs, known, ("y",))
    assert list(found) == ["p[left]", "p[right, perhaps]", "h[0]", "h[1]", "h[2]", "e"]
    assert found["p[right, perhaps]"].tolist() == [0.75]
    with pytest.raises(NoTable, match=r"the output p has the shape \(2, 1, 1\)"):
        _outputs_by_column({"p": np.ones((2, 1, 1))}, known, ("y",))
