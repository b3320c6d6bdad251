"""Whatever tensors, sizes and constants are called, modules of both targets compute the same."""

from __future__ import annotations

import functools
import math
import types
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symbp as bp
from symbp.codegen.carry import own_names

WORDS = """
    time fit path theta step state data seed loss BATCH INPUTS LOSS NAME State Path signal kernel params
    np numpy math numba sys os json argparse re x_row masks buffers training sizes threads epochs
    callback history batch_size validation Arena DTYPE SIZES HYPER GRADIENTS OPEN_SIZES Array main
    forward predict evaluate save load check_gradients init_params train_step loss_and_gradients
    init_state init_buffers moments gradient gradients work counts at bounds tensors rows finite run F32
    out order layers start blocks lr c1 c2 self cls input sum max min len range abs float int print id
    type dict list tuple zip map hash object rng shape dx constant_c size_N N_ i n k j prange
    exact_kernel parallel_kernel dataclass Any Callable Mapping cache inputs options
"""
NAMES = tuple(WORDS.split())
QUICK = ("state", "seed", "np", "State", "kernel", "BATCH", "work", "theta", "constant_c")


def cases(names):
    """(name, target): in the usual run each name in one of the targets, in turn."""
    found = []
    for k, name in enumerate(names):
        slow = [] if name in QUICK else [pytest.mark.slow]
        for at, target in enumerate(("numpy", "numba")):
            other = [] if name in QUICK or k % 2 == at else [pytest.mark.long]
            found.append(pytest.param(name, target, marks=[*slow, *other]))
    return found


CASES = cases(NAMES)
LOOPS = types.SimpleNamespace(
    **{**vars(math), **{n: getattr(np, n) for n in ("exp", "log", "tanh", "sqrt", "log1p", "expm1")}}
)
X, W = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(3, 2))


@functools.cache
def derived() -> bp.Derivation:
    return bp.derive(declare())


def called(net: bp.Network, tensors: dict[str, str], sizes: dict[str, str]) -> bp.Derivation:
    """The derivation of a net that is the plain one with other names: deriving anew would tell nothing, but
    where other tensors and letters give way to them."""
    plain = derived()
    tensors = tensors | {f"d{old}": f"d{new}" for old, new in tensors.items() if old == "W"}
    renamed = [s.renamed(tensors).resized(sizes) for s in (plain.system, plain.declared)]
    if str(renamed[1]) != str(net.system):
        return bp.derive(net)
    gradients = {tensors.get(k, k): tensors.get(v, v) for k, v in plain.gradients.items()}
    return replace(
        plain, system=renamed[0], declared=renamed[1], gradients=gradients, initial=dict(net.initial)
    )


def module_of(net: bp.Network, target: str, derivation: Any = None, **sizes: int) -> Any:
    """A training module; the kernels of Numba as plain Python."""
    module = bp.compile(net, target=target, optimizer=bp.optim.Adam(0.1), sizes=sizes, derivation=derivation)
    if target == "numba":
        module._compile, module.math = (lambda: None), LOOPS
    return module


def expected(scale: float = 1.0) -> tuple[float, Any]:
    h = np.tanh(X @ W)
    return scale * (h**2).mean(), scale * X.T @ (2 * h * (1 - h**2)) / h.size


def declare(x: str = "x", w: str = "W", h: str = "h", n: str = "N", d: str = "D", k: str = "K") -> bp.Network:
    rows, width, last = bp.dim(n), bp.dim(d), bp.dim(k)
    hidden = bp.tanh(bp.input(x, (rows, width)) @ bp.param(w, (width, last))).named(h)
    return bp.Network("names", loss=(hidden**2).mean(), outputs={h: hidden})


def works(module: Any, x: str, w: str, h: str) -> None:
    loss, gradients = module.loss_and_gradients({w: W}, **{x: X})
    right, gradient = expected()
    assert loss == pytest.approx(right)
    np.testing.assert_allclose(gradients[w], gradient, rtol=1e-10)
    np.testing.assert_allclose(module.predict({w: W}, **{x: X})[h], np.tanh(X @ W), rtol=1e-10)
    state = module.init_state({w: W})
    assert module.train_step(state, **{x: X}) == pytest.approx(right)
    assert module.train_step(state, **{x: X}) < right
    assert module.evaluate({w: W}, **{x: X})["loss"] == pytest.approx(right)


@pytest.mark.few(fast=2, slow=12)
@pytest.mark.parametrize(("name", "target"), CASES)
def test_inputs_parameters_and_outputs(name: str, target: str) -> None:
    for role, old in (("x", "x"), ("w", "W"), ("h", "h")):
        if role == "h" and name == "loss":
            continue  # the loss itself is called so
        net = declare(**{role: name})
        names = {"x": "x", "w": "W", "h": "h", role: name}
        works(module_of(net, target, called(net, {old: name}, {})), *names.values())


@pytest.mark.few(fast=1, slow=12)
@pytest.mark.parametrize(("name", "target"), CASES)
def test_sizes(name: str, target: str) -> None:
    if name in ("loss", "dx"):
        return  # the loss of these nets is called so
    for role in ("n", "d", "k"):
        net = declare(**{role: name})
        derivation = called(net, {}, {role.upper(): name})
        module = module_of(net, target, derivation)
        works(module, "x", "W", "h")
        shaping = {"D": 3, "K": 2, **({name: {"d": 3, "k": 2}[role]} if role != "n" else {})}
        known = {size: value for size, value in shaping.items() if size in net.system.sizes}
        assert module.init_params(**known)["W"].shape == (3, 2)
        if role != "n":
            bound = module_of(net, target, derivation, **{name: {"d": 3, "k": 2}[role]})
            works(bound, "x", "W", "h")
            assert {name: {"d": 3, "k": 2}[role]} == bound.SIZES


@functools.cache
def with_a_constant() -> bp.Derivation:
    return bp.derive(scaled("c"))


def scaled(name: str) -> bp.Network:
    x, w = bp.input("x", (bp.dim("N"), bp.dim("D"))), bp.param("W", (bp.dim("D"), bp.dim("K")))
    return bp.Network("names", loss=bp.hyper(name, 0.5) * (bp.tanh(x @ w) ** 2).mean().named("square"))


@pytest.mark.few(fast=2, slow=12)
@pytest.mark.parametrize(("name", "target"), [case for case in CASES if case.values[0] != "loss"])
def test_constants(name: str, target: str) -> None:
    plain, net = with_a_constant(), scaled(name)
    systems = [s.renamed({"c": name}) for s in (plain.system, plain.declared)]
    derivation = replace(plain, system=systems[0], declared=systems[1], constants={name: 0.5})
    loss, gradients = module_of(net, target, derivation).loss_and_gradients({"W": W}, x=X)
    right, gradient = expected(0.5)
    assert loss == pytest.approx(right)
    np.testing.assert_allclose(gradients["W"], gradient, rtol=1e-10)


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_a_size_that_is_called_like_a_constants_global(target: str) -> None:
    x, w = (
        bp.input("x", (bp.dim("N"), bp.dim("constant_c"))),
        bp.param("W", (bp.dim("constant_c"), bp.dim("K"))),
    )
    net = bp.Network("names", loss=bp.hyper("c", 0.5) * (bp.tanh(x @ w) ** 2).mean())
    for sizes in ({}, {"constant_c": 3}):
        loss, _ = module_of(net, target, **sizes).loss_and_gradients({"W": W}, x=X)
        assert loss == pytest.approx(expected(0.5)[0])


@pytest.mark.few(fast=2, slow=6)
@pytest.mark.parametrize("target", ["numpy", "numba"])
@pytest.mark.parametrize("name", ["seed", "state", "np", "State", "kernel", "work", "data", "params"])
def test_modules_of_derivatives(name: str, target: str) -> None:
    for net, x, w in (
        (declare(x=name), name, "W"),
        (declare(w=name), "x", name),
        (declare(n=name), "x", "W"),
    ):
        module = bp.compile(bp.derive(net), target=target)
        if target == "numba":
            module._compile, module.math = (lambda: None), LOOPS
        found = module.derivatives({w: W}, **{x: X})
        np.testing.assert_allclose(found[w], expected()[1], rtol=1e-10)


@pytest.mark.slow
def test_indices_may_be_called_like_a_modules_own_things() -> None:
    for letters in ("np step work", "theta data at", "params math rows"):
        a, b, c = bp.indices(letters)
        x, w = bp.input("x", (bp.dim("N"), bp.dim("D"))), bp.param("W", (bp.dim("D"), bp.dim("K")))
        h = bp.define("h", [a, c], bp.tanh(bp.Sum(x[a, b] * w[b, c], b)))
        for target in ("numpy", "numba"):
            net = bp.Network("names", loss=(h**2).mean(), outputs={"h": h})
            works(module_of(net, target), "x", "W", "h")


def test_what_is_reserved_is_read_off_the_runtime() -> None:
    assert {"kernel", "State", "fit", "np", "time", "Path", "signal", "BATCH"} <= own_names()
