"""The command line knows the optimizers and schedules of the registry, and what was meant by a near miss."""

from pathlib import Path

import pytest

from symbp.cli.main import main
from symbp.optim.initial import WAYS
from symbp.optim.names import OPTIMIZERS, SCHEDULES


def test_modules_by_the_name_of_an_optimizer(tmp_path):
    out = tmp_path / "net.py"
    order = [
        "generate",
        "linear_regression",
        "--optimizer",
        "RAdam",
        "--schedule",
        "one-cycle",
        "--steps",
        "90",
    ]
    assert main([*order, "-o", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert "RAdam, Liu et al. 2020" in text
    assert "  plain = [rho ≤ 5]" in text


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--optimizer", "adagard"), "there is no optimizer 'adagard': did you mean adagrad?"),
        (("--optimizer", "xyz"), f"choose one of: {', '.join(sorted(map(str.lower, OPTIMIZERS)))}"),
        (("--schedule", "cosin"), "there is no schedule 'cosin': did you mean cosine?"),
    ],
)
def test_misspelt(option, told, capsys):
    with pytest.raises(SystemExit):
        main(["generate", "mlp", *option])
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_no_decay_and_frozen_parameters(tmp_path, capsys):
    def made(*options):
        out = tmp_path / f"net{len(options)}.py"
        assert main(["generate", "mlp", *options, "-o", str(out)]) == 0
        return out.read_text(encoding="utf-8")

    text = made("--optimizer", "adamw", "--no-decay", "--freeze", "W1", "--freeze", "?2")
    assert "(1 - lr·weight_decay·decay_share[k])·theta[k,i]" in text
    text = made("--max-norm", "2", "--sparse", "--schedule", "plateau")
    assert "theta_next[r,c] = theta_free[r,c]·unit_share[c]" in text
    assert main(["generate", "mlp", "--freeze", "W"]) == 2
    assert "no parameter is named 'W': did you mean W" in " ".join(capsys.readouterr().err.split())
    assert main(["generate", "mlp", "--optimizer", "adam", "--no-decay"]) == 2
    assert "Adam has no weight decay" in " ".join(capsys.readouterr().err.split())


def test_the_page_of_optimizers_names_all_of_them():
    text = (Path(__file__).parents[2] / "docs" / "optimizers.md").read_text(encoding="utf-8")
    assert [name for name in OPTIMIZERS if f"| `{name}` |" not in text] == []
    for name in SCHEDULES:
        assert f"`{name}`" in text or f"`{name}(" in text, name
    for way in WAYS:
        assert way in text or way.replace("-", "_") in text, way
