"""The command line without training: results on stdout, messages on stderr, exit statuses."""

import json
import subprocess
import sys
import time

import pytest

from symbp.cli.main import main
from symbp.cli.target import load_target
from symbp.errors import UsageError


@pytest.fixture
def my_net(tmp_path):
    """A user's file with one network."""
    path = tmp_path / "my_net.py"
    path.write_text(
        "import symbp as bp\n"
        'N, D, K = bp.dim("N"), bp.dim("D", 3), bp.dim("K", 2)\n'
        'x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)\n'
        'W = bp.param("W", (D, K))\n'
        "p = bp.softmax(x @ W)\n"
        'net = bp.Network("mine", loss=bp.cross_entropy(p, y), outputs={"p": p})\n',
        encoding="utf-8",
    )
    return path


def run(capsys, *arguments):
    """(exit status, stdout, stderr)"""
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as stop:
        status = stop.code
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_gallery(capsys):
    status, out, err = run(capsys, "gallery")
    assert (status, err) == (0, "")
    names = [line.split()[0] for line in out.splitlines()]
    assert "mlp" in names
    assert [entry["name"] for entry in json.loads(run(capsys, "gallery", "--json")[1])] == names


@pytest.mark.slow
def test_derive_prints_text_and_nothing_else(capsys):
    status, out, err = run(capsys, "derive", "mlp")
    assert (status, err) == (0, "")
    assert "(4)  p[n,k] = softmax_k(a2[n,k])" in out
    assert "computed as (5)–(8)" in out
    assert "dW2 = hᵀ·d" in out
    assert "Steps" not in out
    assert "Steps" in run(capsys, "derive", "mlp", "--steps")[1]
    assert "(1)  z1[n,j] = Σ_i x[n,i]·W1[i,j]" in run(capsys, "derive", "mlp", "--reading", "computed")[1]


@pytest.mark.slow
def test_derive_as_json_is_one_object(capsys):
    found = json.loads(run(capsys, "derive", "mlp", "--json")[1])
    assert found["name"] == "mlp"
    assert set(found["equations"][0]) >= {"number", "target", "index_form", "matrix_form", "latex", "rule"}
    assert found == json.loads(run(capsys, "derive", "mlp", "--format", "json")[1])


@pytest.mark.slow
def test_derive_with_an_authors_symbols(capsys):
    status, out, _ = run(
        capsys, "derive", "mlp", "--format", "latex", "--symbol", "W1=W^{(1)}", "--symbol", "h=g"
    )
    assert status == 0
    assert r"\partial W^{(1)}_{ij}" in out
    assert "g_{nj} &=" in out
    for wrong in ("W1", "W9=W", "W1=x", "W1=W^{"):
        status, out, err = run(capsys, "derive", "mlp", "--format", "latex", "--symbol", wrong)
        assert (status, out) == (2, "")
        assert "W" in err


def test_derive_a_fragment_of_latex(capsys, tmp_path):
    path = tmp_path / "mlp.tex"
    status, out, _ = run(capsys, "derive", "mlp", "--fragment", "--out", path)
    assert (status, out) == (0, "")
    written = path.read_text(encoding="utf-8")
    assert written.startswith(r"\begin{align*}")
    assert written.endswith("\\end{align*}\n")
    assert "documentclass" not in written
    assert "subsection" not in written


@pytest.mark.slow
def test_derive_second_derivatives_by_chosen_tensors(capsys, my_net):
    status, out, _ = run(capsys, "derive", my_net, "--order", "2", "--wrt", "W, x")
    assert status == 0
    assert "∂²loss/∂W∂x  H_W_x, equation" in out
    status, _, err = run(capsys, "derive", my_net, "--wrt", "V")
    assert (status, "no tensor is named 'V'" in err) == (2, True)


@pytest.mark.slow
def test_products_and_jacobians(capsys, my_net):
    status, out, _ = run(capsys, "derive", my_net, "--jacobian", "p", "--wrt", "W")
    assert status == 0
    assert "∂p/∂W  J_p_W, equation" in out
    status, out, _ = run(capsys, "derive", my_net, "--hvp")
    assert status == 0
    assert "Hv_W" in out
    status, _, err = run(capsys, "derive", my_net, "--hvp", "--order", "2")
    assert (status, "not allowed with" in err) == (2, True)
    status, _, err = run(capsys, "derive", my_net, "--jacobian", "q")
    assert (status, "no tensor is named 'q'" in err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--order", "2"], '"W": "dW", "W,W": "H_W_W"'),
        (["--order", "1"], '"W": "dW"'),
        (["--wrt", "x"], '"x": "dx"'),
        (["--hvp"], '"W": "Hv_W"'),
        (["--jacobian", "p"], '"W": "J_p_W"'),
    ],
)
def test_generate_modules_of_derivatives(capsys, my_net, options, keys):
    status, out, _ = run(capsys, "generate", my_net, *options)
    assert status == 0
    assert f"DERIVATIVES = {{{keys}}}" in out
    assert "def forward" in out
    assert "train_step" not in out
    status, _, err = run(capsys, "generate", my_net, *options, "--lr", "0.1")
    assert (status, "no use for an optimizer" in err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--order", "2"], ["--hvp"], ["--jacobian", "p"], ["--wrt", "x"]])
def test_check_derivatives_and_their_module(capsys, my_net, options):
    status, out, _ = run(capsys, "check", my_net, *options, "--target", "numpy", "--json")
    assert status == 0
    assert {row["method"] for row in json.loads(out)} >= {"complex step", "generated module"}


def test_derive_to_a_file_never_overwrites_unasked(capsys, tmp_path):
    path = tmp_path / "mlp.tex"
    status, out, err = run(capsys, "derive", "mlp", "--format", "latex", "-o", path)
    assert (status, out) == (0, "")
    assert str(path) in err
    written = path.read_text(encoding="utf-8")
    assert written.startswith(r"\documentclass")
    path.write_text("mine")
    status, _, err = run(capsys, "derive", "mlp", "-o", path)
    assert status == 2
    assert "exists already" in err
    assert "--force" in err
    assert path.read_text() == "mine"
    assert run(capsys, "derive", "mlp", "--format", "latex", "-o", path, "--force")[0] == 0
    assert path.read_text(encoding="utf-8") == written


def test_a_users_file_in_place_of_a_gallery_name(capsys, my_net):
    status, out, _ = run(capsys, "derive", my_net)
    assert status == 0
    assert out.startswith("mine\n")
    assert run(capsys, "derive", f"{my_net}:net")[1] == out


def test_a_relative_path(capsys, my_net, monkeypatch):
    monkeypatch.chdir(my_net.parent)
    assert run(capsys, "derive", "my_net.py")[0] == 0


@pytest.mark.few(fast=4)
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["derive", "mpl"], ["'mpl'", "mlp"]),
        (["derive", "missing.py"], ["no such Python file", "missing.py"]),
        (["derive", "mlp", "--format", "pdf"], ["--format"]),
        (["generate", "mlp", "--target", "cobol"], ["--target", "numpy"]),
        (["generate", "mlp", "--size", "H=0"], ["'H=0'", "positive"]),
        (["generate", "mlp", "--size", "Q=3"], ["'Q'", "N, D, H, K"]),
        (["generate", "mlp", "-o", "no/such/folder/x.py"], ["no such folder"]),
        (["train", "mlp", "--epochs", "0"], ["'0'", "positive integer"]),
        (["train", "mlp", "--lr", "-1"], ["'-1'", "positive number"]),
        (["train", "mlp", "--data", "missing.npz"], ["no such data file", "missing.npz"]),
        (["frobnicate"], ["frobnicate", "derive"]),
        ([], ["COMMAND"]),
    ],
)  # fmt: skip
def test_wrong_usage(capsys, arguments, parts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    for part in parts:
        assert part in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("import symbp as bp\nx = 1\n", ["declares no network", "bp.Network"]),
        ("x = 1\ny = x / 0\n", ["ZeroDivisionError", ":2: y = x / 0"]),
        ("def broken(:\n", ["SyntaxError", ":1"]),
        ("raise SystemExit(3)\n", ["SystemExit"]),
        (
            'import symbp as bp\nx = bp.input("x", (bp.dim("N"), 3))\nw = bp.param("w", (4, 2))\nz = x @ w\n',
            ["x", "w", "3", "4", "net.py:4"],
        ),
    ],
)
def test_a_file_that_fails_is_named_with_its_line(capsys, tmp_path, text, parts):
    path = tmp_path / "net.py"
    path.write_text(text)
    status, out, err = run(capsys, "derive", path)
    assert (status, out) == (2, "")
    for part in parts:
        assert part in err
    assert "Traceback" not in err


def test_several_networks_need_a_name(my_net):
    text = my_net.read_text() + 'other = bp.Network("other", loss=bp.cross_entropy(p, y))\nagain = net\n'
    my_net.write_text(text)
    with pytest.raises(UsageError, match="declares 2 networks") as failure:
        load_target(str(my_net))
    assert f"{my_net}:net or {my_net}:other" in str(failure.value)
    assert load_target(f"{my_net}:other").network.name == "other"
    with pytest.raises(UsageError, match="no network named 'deep'") as failure:
        load_target(f"{my_net}:deep")
    assert "net, other" in str(failure.value)


def test_a_file_may_import_its_neighbour_and_suggest_how_to_train(my_net):
    (my_net.parent / "neighbour_of_my_net.py").write_text("EPOCHS = 7\n")
    my_net.write_text("from neighbour_of_my_net import EPOCHS\nBATCH = 'no number'\n" + my_net.read_text())
    before = list(sys.path)
    target = load_target(str(my_net))
    assert (target.epochs, target.batch_size, target.optimizer) == (7, None, None)
    assert sys.path == before


def test_check_passes_on_the_gallery(capsys):
    status, out, _ = run(capsys, "check", "mlp", "--size", "D=4", "--size", "H=3", "--json")
    assert status == 0
    rows = json.loads(out)
    assert {row["method"] for row in rows} >= {"central differences", "complex step"}
    assert {row["parameter"] for row in rows} == {"W1", "b1", "W2", "b2"}
    assert all(row["ok"] and row["max_rel_error"] <= 1e-6 for row in rows)


def test_check_fails_with_status_1(capsys, monkeypatch):
    import symbp.verify

    real = symbp.verify.check_derivation

    def with_a_wrong_row(*arguments, **options):
        report = real(*arguments, **options)
        first = report.rows[0]
        wrong = type(first)(**{**vars(first), "ok": False, "max_rel_error": 0.5})
        return type(report)(report.network, (wrong, *report.rows[1:]), report.sizes, report.seed)

    monkeypatch.setattr(symbp.verify, "check_derivation", with_a_wrong_row)
    status, out, _ = run(capsys, "check", "mlp", "--size", "D=4", "--size", "H=3")
    assert status == 1
    assert "WRONG" in out


def test_help_is_quick():
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "symbp.cli", "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.3


@pytest.mark.slow
def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m symbp.cli derive mlp --steps | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "mlp\n"
    assert done.stderr == ""
    assert done.returncode == 0
