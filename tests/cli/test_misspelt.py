"""A misspelt name, whatever it names, is answered with the one that was meant."""

from pathlib import Path

import numpy as np
import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.errors import choose, meant

MISSPELT = {
    "derv mlp": "did you mean derive",
    "derive mpl": "did you mean mlp",
    "derive mlp --fromat latex": "did you mean --format",
    "derive mlp --format latx": "did you mean latex",
    "derive neuron --wrt W": "did you mean w?",
    "derive mlp --jacobian lss": "did you mean loss",
    "generate mlp --optimizer adm": "did you mean adam",
    "generate mlp --schedule cosin": "did you mean cosine",
    "generate mlp --target nummpy": "did you mean numpy",
    "generate mlp --dtype float46": "did you mean float64",
    "generate mlp --with lvie": "did you mean live",
    "generate mlp --target plain --dump modul": "did you mean module",
    "generate mlp --size n=3": "did you mean N?",
    "check mlp --methods complexstep": "did you mean complex-step",
    "check mlp --against troch": "did you mean torch",
    "trace neuron --set q=1": "choose one of: ",
    "ops rellu": "did you mean relu",
    "train net_of_mine.py": "did you mean net_of_me.py",
    "train mlp --target price": "or was --target-column meant",
    "train mlp --data digts.npz": "did you mean digits.npz",
    "train char_rnn --text novl.txt": "did you mean novel.txt",
    "derive net_of_me.py:ent": "did you mean net?",
}
ATTRIBUTES = {
    bp: {"derve": "derive", "relUu": "relu", "Netwrok": "Network"},
    bp.nn: {"Desne": "Dense"},
    bp.optim: {"Adma": "Adam"},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net_of_me.py").write_text(
        "import symbp as bp\nw = bp.param('w', ())\nnet = bp.Network('n', loss=w * w)\n"
    )
    np.savez(tmp_path / "digits.npz", x=np.zeros(3))
    (tmp_path / "novel.txt").write_text("…")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    for line, told in MISSPELT.items():
        try:
            status = main(line.split())
        except SystemExit as left:
            status = int(left.code or 0)
        out, err = capsys.readouterr()
        assert (status, out, told in err) == (2, "", True), (line, err)


def test_attributes_of_the_package() -> None:
    for module, names in ATTRIBUTES.items():
        for name, told in names.items():
            with pytest.raises(AttributeError, match=rf"did you mean .*{told}"):
                getattr(module, name)
    assert not hasattr(bp, "__wrapped__")


def test_case_counts_little_and_nothing_near_lists_all() -> None:
    assert meant("w1", ["W1", "W2"]) == "did you mean W1?"
    assert meant("zzz", ["W1", "W2"]) is None
    assert choose("zzz", ["W1", "W2"]) == "choose one of: W1, W2"
