"""The convolutional net on 28×28 digits in a file of a user's: the command that the README names.

The file is found by `SYMBP_MNIST`, by default `../shared/data/mnist_10k.npz` beside the checkout: `x`, bytes
(10000, 28, 28), and `y`.
"""

import json
import os
from pathlib import Path

import pytest

from symbp.cli.main import main

DATA = Path(os.environ.get("SYMBP_MNIST", Path(__file__).parents[3] / "shared/data/mnist_10k.npz"))


@pytest.mark.slow
def test_cnn_reads_97_of_100_of_the_last_two_thousand(capsys):
    if not DATA.is_file():
        pytest.skip(f"there is no file {DATA}")
    options = "--last 2000 --standardise --epochs 3 --target numba --dtype float32 --json"
    status = main(["train", "cnn", "--data", str(DATA), *options.split()])
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["held_out"] == 2000
    assert found["accuracy"] >= 0.97
