"""What modules take of the runtime: whole functions with those that they call, whole files, their imports."""

from __future__ import annotations

import ast

import pytest

from symbp.codegen.carry import Import, Taken, file, functions, giving_way, import_lines, own_names, whole

NUMPY = ("numpy/functions", "numpy/special")


def defined(text: str) -> list[str]:
    return [n.name for n in ast.parse(text).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]


def test_functions_come_with_those_that_they_call() -> None:
    taken = functions(NUMPY, ["_erfc", "_sigmoid"])
    assert defined(taken.text) == ["_erf_near", "_erfc", "_erfc_far", "_ratio", "_sigmoid", "_where"]
    assert {i.bound for i in taken.imports} == {"Any", "math", "np"}
    assert functions(NUMPY, []) == Taken()


def test_a_file_is_taken_whole_and_word_for_word() -> None:
    taken = whole(["numba/chunks"])
    lines = file("numba/chunks").lines
    assert taken.text.startswith("# Floating-point operations; starting threads costs")
    assert taken.text.splitlines() == list(lines[len(lines) - len(taken.text.splitlines()) :])
    assert "symbp" not in taken.text
    assert {i.bound for i in taken.imports} == {
        "Any",
        "Callable",
        "Mapping",
        "Path",
        "cache",
        "ctypes",
        "find_spec",
        "np",
        "os",
    }


def test_imports_are_sorted_and_only_those_of_what_is_taken() -> None:
    taken = functions(["numba/functions", "numba/float64"], ["_exp"])
    assert import_lines([taken], Import("sys"), Import("numpy", alias="np")) == [
        "from __future__ import annotations",
        "",
        "import sys",
        "from typing import Any",
        "",
        "import numpy as np",
    ]


def test_options_give_way_to_data_of_their_name() -> None:
    taken = whole(["common/training/calls"])
    assert giving_way(["x"], ["N"])(taken) == taken
    tree = ast.parse(giving_way(["seed"], [])(taken).text)
    found = {n.name: [a.arg for a in n.args.kwonlyargs] for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert found["forward"] == ["training", "seed_"]
    assert found["loss_and_gradients"] == ["seed_", "masks"]
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    (given,) = (n for n in calls if any(keyword.arg == "masks" for keyword in n.keywords))
    assert ast.unparse(given).endswith("seed=seed_, masks=masks)")


def test_names_of_the_runtime_are_reserved() -> None:
    assert {"Arena", "fit", "np", "PARAMETERS", "_tile", "signal", "cache"} <= own_names()
    assert not {"softmax", "sigmoid", "D"} & own_names()  # of the plain target, and of the line


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        whole(["common/nothing"])
    with pytest.raises(KeyError):
        functions(NUMPY, ["_nothing"])
