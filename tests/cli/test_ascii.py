"""`--ascii`, and encodings without Σ: no other byte than ASCII leaves, and a reader understands."""

import json
import os
import subprocess
import sys

import pytest

from symbp.cli.main import main
from symbp.cli.plain import plain
from symbp.gallery import GALLERY

SPELLED = {
    "da2[n,k] = Σ_j h[n,j]·W2[j,k]": "da2[n,k] = sum_j h[n,j]*W2[j,k]",
    "dW2 = hᵀ·da2": "dW2 = h^T*da2",
    "∂loss/∂W, 64×64": "d loss/d W, 64x64",
    "σ²1[n] = Σ_j (x̂1[n,j] − μ1[n])²/D": "sigma^2_1[n] = sum_j (xhat1[n,j] - mu1[n])^2/D",
    "diag(√(σ² + ε))⁻¹ ⊙ 𝟏": "diag(sqrt(sigma^2 + eps))^-1 .* ones",
    "c = −λα, z₁ ≥ −∞": "c = -lambda*alpha, z_1 >= -inf",
}


def test_equations_read_as_equations() -> None:
    for text, told in SPELLED.items():
        assert plain(text) == told


def test_columns_stay_below_each_other() -> None:
    shown = plain("  a = Σ_i x       a = xᵀ  (1)\n  long name here  b = h   (2)").split("\n")
    assert [line.index(sign) for line, sign in zip(shown, ("a = x^T", "b = h"), strict=True)] == [18, 18]
    assert shown[0].index("(1)") == shown[1].index("(2)")


def tried(capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> str:
    assert main([*words, "--ascii"]) == 0, words
    found = capsysbinary.readouterr()
    return (found.out + found.err).decode("ascii")


@pytest.mark.slow
def test_no_other_byte_leaves(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = tried(capsysbinary, "gallery")
    found += tried(capsysbinary, "ops", "--brief")
    found += tried(capsysbinary, "derive", "layer_norm", "--steps") + tried(capsysbinary, "check", "neuron")
    tried(capsysbinary, "generate", "neuron")
    tried(capsysbinary, "derive", "neuron", "--format", "html")
    tried(capsysbinary, "derive", "neuron", "--format", "latex")
    assert "<1d" not in found  # every sign that is printed has a spelling


@pytest.mark.long
def test_no_other_byte_leaves_for_any_net_and_op(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = tried(capsysbinary, "ops")
    for name in GALLERY:
        found += tried(capsysbinary, "derive", name, "--steps") + tried(capsysbinary, "check", name)
    assert "<1d" not in found


@pytest.mark.slow
def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for more in ([], ["--ascii"]):
        assert main(["ops", "layer_norm", "--json", *more]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[1].isascii()
    assert json.loads(shown[0]) == json.loads(shown[1])


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_where_the_encoding_has_no_sum_sign_equations_are_in_ascii_and_documents_in_utf_8(
    encoding: str,
) -> None:
    def printed(*words: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "symbp.cli", "derive", "neuron", *words],
            env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=True,
        ).stdout  # fmt: skip

    assert b"sum_n" in printed()
    assert printed().isascii()
    assert "∂" in printed("--format", "markdown").decode() or "Σ" in printed("--format", "json").decode()
