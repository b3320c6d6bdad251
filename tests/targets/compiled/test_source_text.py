"""What the text of a generated module promises: numbers, purity, no symbp, no injection, no machine."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from modules_by_name import generate_source
from target_nets import SIZES, adam, mlp, mlp_initial, sgd

import symbp as bp
from symbp.api import source as source_of
from symbp.derive.derivation import Derivation
from symbp.errors import GenerationError, UsageError
from symbp.ir.build import SystemBuilder, indices, sizes
from symbp.ir.printer import equation_text
from symbp.ir.system import Role
from symbp.targets import COMPLETE as TARGETS
from symbp.targets.loading import load

HERE = Path(__file__).parent


def text(target: str, dtype: str = "float64", sizes: dict[str, int] | None = None) -> str:
    return generate_source(
        mlp(),
        target=target,
        dtype=dtype,
        update=adam(),
        initial=mlp_initial(),
        sizes=SIZES if sizes is None else sizes,
    )


def comment_numbers(source: str, prefix: str = "") -> set[int]:
    """The numbers in the comments behind lines of code."""
    behind = [line.split("  # ", 1)[1] for line in source.splitlines() if "  # (" in line]
    return {int(k) for comment in behind for k in re.findall(rf"\({prefix}(\d+)\)", comment)}


@pytest.mark.parametrize("target", TARGETS)
def test_every_equation_is_stated_and_computed_and_no_other(target: str) -> None:
    source = text(target)
    system = mlp().system
    head = ast.get_docstring(ast.parse(source)) or ""
    for k, equation in enumerate(system.equations, 1):
        assert re.search(rf"^ *\({k}\) +{re.escape(equation_text(equation))}$", head, re.MULTILINE)
    assert comment_numbers(source) == set(range(1, len(system.equations) + 1))
    assert comment_numbers(source, "U") == set(range(1, len(adam().system.equations) + 1))


@pytest.mark.parametrize("target", TARGETS)
def test_it_imports_nothing_of_symbp(target: str) -> None:
    modules = set()
    for node in ast.walk(ast.parse(text(target))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("import_module", "find_spec"):
            modules.add(ast.literal_eval(node.args[0]).split(".")[0])
    installed = modules - set(sys.stdlib_module_names)
    assert installed == ({"numpy"} if target == "numpy" else {"numpy", "numba", "llvmlite", "scipy"})


@pytest.mark.parametrize("target", TARGETS)
def test_sizes_do_not_change_its_length(target: str) -> None:
    small, large = (text(target, sizes={"D": d, "H": 4 * d, "K": 3}) for d in (2, 4096))
    assert len(small.splitlines()) == len(large.splitlines())


def deep(layers: int, target: str) -> str:
    """A network with this many equal layers, each declared by itself: up to the tables of its names, and its
    functions."""
    N, D, H = bp.dims("N D H")
    dense = [bp.nn.Dense(H, activation="tanh") for _ in range(layers)]
    z = bp.nn.Sequential(*dense, bp.nn.Dense(3))(bp.input("x", (N, D)))
    net = bp.Network("deep", loss=bp.cross_entropy(z, bp.labels("y", (N,), classes=3), from_logits=True))
    found = source_of(net, target=target, optimizer=bp.optim.SGD(0.1), sizes={"D": 8, "H": 16})
    functions = found.index("# ---- The network")
    return found[: found.index("PARAMETERS = ")] + found[functions : found.index("\n# ----", functions + 9)]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_equal_layers_do_not_change_its_length(target: str) -> None:
    few, many = deep(7, target), deep(15, target)
    assert len(few.splitlines()) == len(many.splitlines())
    assert "# (3), (5) … (13)" in few
    assert "# (3), (5) … (29)" in many
    assert "(5) to (30): (3) to (4) for 13 more layers, the numbers in names higher by 1 from layer" in many


@pytest.mark.parametrize("target", TARGETS)
def test_a_line_computes_what_it_says(target: str) -> None:
    source = text(target)
    lines = {"numpy": "np.tanh(h, out=h)  # (2)", "numba": "h[n, j] = _tanh(z1[n, j] + b1[j])  # (2)"}
    assert lines[target] in source
    product = {"numpy": "np.dot(x, W1, out=z1)  # (1)", "numba": "_product(x, W1, z1)  # (1)"}
    assert product[target] in source


@pytest.mark.parametrize("target", TARGETS)
def test_no_line_is_too_long_and_nothing_is_left_over(target: str) -> None:
    source = text(target)
    assert max(map(len, source.splitlines())) <= 120
    assert "noqa" not in source
    assert "type: ignore" not in source
    assert "import symbp" not in source
    assert not [line for line in source.splitlines() if line != line.rstrip()]


@pytest.mark.slow
def test_the_text_does_not_depend_on_the_hash_seed() -> None:
    script = (
        "import json\n"
        "from test_source_text import text\n"
        "print(json.dumps([text(t, d, s) for t in ('numpy', 'numba') for d in ('float32', 'float64')"
        " for s in ({}, None)]))"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    ]
    assert texts[0] == texts[1] == texts[2]
    assert len(json.loads(texts[0])) == 8


def test_open_sizes_are_arguments_or_read_off_the_data() -> None:
    import numpy as np

    module = load(text("numpy", sizes={}), "open")
    rng = np.random.default_rng(0)
    with pytest.raises(module.DataError, match=r"D is open in this module: call init_params\(seed, D=…\)"):
        module.init_params(0)
    params = module.init_params(0, D=6, H=3, K=4)
    assert params["W1"].shape == (6, 3)
    loss, gradients = module.loss_and_gradients(
        params, x=rng.standard_normal((5, 6)), y=rng.integers(0, 4, 5)
    )
    assert np.isfinite(loss)
    assert gradients["W2"].shape == (3, 4)
    with pytest.raises(module.DataError, match=r"x has shape \(5, 7\)"):
        module.loss_and_gradients(params, x=np.zeros((5, 7)), y=np.zeros(5, int))


@pytest.mark.parametrize("name", ['x"""', "a\nb", "", "import os;"])
def test_a_name_cannot_carry_code(name: str) -> None:
    derivation = Derivation(name, mlp().system, mlp().system, mlp().gradients)
    with pytest.raises(GenerationError, match="cannot name a module"):
        generate_source(derivation, target="numpy", dtype="float64", update=sgd(), initial={}, sizes={})


def test_wrong_requests_are_named() -> None:
    with pytest.raises(UsageError, match="no target 'fortran'"):
        text("fortran")
    with pytest.raises(UsageError, match="no dtype 'int8'"):
        text("numpy", "int8")
    with pytest.raises(GenerationError, match="has no size 'Z'"):
        text("numpy", sizes={"Z": 3})
    with pytest.raises(GenerationError, match="must be a positive integer, not 0"):
        text("numpy", sizes={"D": 0})


@pytest.mark.parametrize("target", TARGETS)
def test_tensors_may_carry_the_names_of_builtins_indices_and_helpers(target: str) -> None:
    import numpy as np

    N, D = sizes("N D")
    n, i = indices("n i")
    builder = SystemBuilder()
    x = builder.leaf("x", N, D)
    w = builder.leaf("work", D, role=Role.PARAMETER)
    z = builder.define("n", [n], x(n, i) * w(i), "sum", [i])
    q = builder.define("range", [n], z(n) ** 2)
    builder.define("len", [], q(n), "sum", [n], role=Role.LOSS)
    builder.define("theta", [i], 2 * x(n, i) * z(n), "sum", [n], role=Role.GRADIENT)
    system = builder.system(loss="len", outputs=["n"])
    derivation = Derivation("names", system, system, {"work": "theta"})
    source = generate_source(
        derivation, target=target, dtype="float64", update=sgd(), initial={}, sizes={"D": 2}
    )
    module = load(source, "names")
    if target == "numba":
        module._compile = lambda: None
    assert all(row["ok"] for row in module.check_gradients())
    values = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(module.forward({"work": np.ones(2)}, x=values)["n"], values.sum(1))


@pytest.mark.parametrize("target", TARGETS)
def test_gradients_shared_zero_or_scalar(target: str) -> None:
    """L = Σ (x·a + x·b + c), a parameter that is not used, and one gradient tensor for two parameters."""
    N, D = sizes("N D")
    n, i = indices("n i")
    builder = SystemBuilder()
    x = builder.leaf("x", N, D)
    a, b = builder.leaf("a", D, role=Role.PARAMETER), builder.leaf("b", D, role=Role.PARAMETER)
    c = builder.leaf("c", role=Role.PARAMETER)
    builder.leaf("unused", D, role=Role.PARAMETER)
    builder.define("L", [], x(n, i) * (a(i) + b(i)) + c() ** 2 / N, "sum", [n, i], role=Role.LOSS)
    builder.define("dab", [i], x(n, i), "sum", [n], role=Role.GRADIENT)
    builder.define("dc", [], 2 * c() * D, role=Role.GRADIENT)
    builder.define("dunused", [i], 0, ranges={i: D}, role=Role.GRADIENT)
    system = builder.system(loss="L")
    gradients = {"a": "dab", "b": "dab", "c": "dc", "unused": "dunused"}
    derivation = Derivation("shared", system, system, gradients)
    source = generate_source(
        derivation, target=target, dtype="float64", update=sgd(), initial={}, sizes={"D": 3}
    )
    module = load(source, "shared")
    if target == "numba":
        module._compile = lambda: None
    rows = module.check_gradients()
    assert all(row["ok"] for row in rows), rows
    assert [row["parameter"] for row in rows] == ["a", "b", "c", "unused"]
