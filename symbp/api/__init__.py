"""Composes the stages: what a user calls once a network is declared.

Enters: a `Network`. Leaves: a derivation that prints itself, a module to train with, a file, a report.
Must not know: how any stage works.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from symbp.api.against import assert_gradient, check_function
from symbp.api.choices import one_of
from symbp.api.derivation import Derivation, PageChoices
from symbp.api.exporting import to_onnx
from symbp.api.extremes import check_extremes
from symbp.api.files import refuse_to_overwrite, write
from symbp.api.given import a_network
from symbp.api.importing import from_onnx, from_torch
from symbp.derive.derivation import Derivation as Derived
from symbp.errors import UsageError, choose
from symbp.language.parts import with_parts

if TYPE_CHECKING:
    from symbp.api.checked import CheckReport
    from symbp.api.diagnosis import Diagnosis, diagnose
    from symbp.ir.training import UpdateRule
    from symbp.language import Network
    from symbp.read.formula import Formula
    from symbp.read.formula.declared import Shapes
    from symbp.targets.compiled.footprint import Footprint
    from symbp.targets.target import Order, Target
    from symbp.verify.against import AgainstReport

__all__ = [
    "Derivation",
    "Diagnosis",
    "PageChoices",
    "assert_gradient",
    "check",
    "check_extremes",
    "check_function",
    "compile",
    "derive",
    "diagnose",
    "from_onnx",
    "from_torch",
    "generate",
    "grad_of",
    "hessian",
    "hvp",
    "jacobian",
    "order",
    "plan",
    "source",
    "to_onnx",
]


def __getattr__(name: str) -> Any:
    """`diagnose` and what it gives stand on all of `verify.health`, which nothing else here needs."""
    if name in ("Diagnosis", "diagnose"):
        from symbp.api import diagnosis

        return getattr(diagnosis, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def derive(net: Network, *, wrt: Sequence[str] | None = None, order: int = 1) -> Derivation:
    """The gradients of the network's loss by its parameters, or by the tensors named in `wrt`; with
    `order=2` also all second derivatives, the one by W1 and W2 under the key `"W1,W2"`.

    Raises DerivationError: no loss, another order; InvalidSystem: an unknown tensor.
    """
    from symbp.derive import derive as derive_system

    a_network(net, "derive")
    return _shown(net, derive_system(net.system, name=net.name, wrt=wrt, order=order))


def hessian(net: Network, *, wrt: Sequence[str] | None = None) -> Derivation:
    """The blocks of the loss's Hessian, `"W1,W2"` for ∂²loss/∂W1∂W2, and the gradients that they rest on;
    the axes of a block are those of W1, then those of W2. The same as `derive(net, order=2)`."""
    return derive(net, wrt=wrt, order=2)


def hvp(net: Network, *, wrt: Sequence[str] | None = None) -> Derivation:
    """The Hessian of the loss times a vector, without the Hessian: for each parameter (or tensor of `wrt`)
    `a` an input `v_a`, the direction, and the product `Hv_a = Σ_b ∂²loss/∂a∂b · v_b`, under the key `a`
    (Pearlmutter 1994)."""
    from symbp.derive import hvp as derive_products

    a_network(net, "hvp")
    return _shown(net, derive_products(net.system, name=net.name, wrt=wrt))


def jacobian(net: Network, of: str, *, wrt: Sequence[str] | None = None) -> Derivation:
    """∂ of / ∂ each parameter (or tensor of `wrt`), forward or reverse, whatever costs less; `of` names an
    output or another tensor of the network, whose axes come first. Raises InvalidSystem: no such tensor."""
    from symbp.derive import jacobian as derive_jacobian

    a_network(net, "jacobian")
    chosen = [t.name for t in net.system.parameters] if wrt is None else list(wrt)
    return _shown(net, derive_jacobian(net.system, of, name=net.name, wrt=chosen))


def grad_of(
    formula: str | Formula,
    *,
    shapes: Shapes | None = None,
    wrt: str | Sequence[str] | None = None,
    order: int = 1,
) -> Derivation:
    """The gradient of a scalar formula, `bp.grad_of("norm2(A*w - b)^2/2", wrt="w")`; with `order=2` also the
    Hessian. The formula is read by symbp's own grammar and never run.

    `shapes` is text such as `"A:N,D w:D b:N"`, or a mapping from names to extents; without it ranks and sizes
    come from how names are used and spelled. `wrt` names what to differentiate by, and may be left out if
    there is but one name. Raises FormulaError, which points at the place: no formula, shapes that don't fit
    or can't be told, a formula that isn't scalar.
    """
    from symbp.derive import derive as derive_system
    from symbp.read.formula import read_formula

    read = read_formula(formula, shapes, wrt) if isinstance(formula, str) else formula
    found = derive_system(read.network.system, name=read.network.name, wrt=read.wrt, order=order)
    return Derivation(**{part.name: getattr(found, part.name) for part in fields(found)})


def _shown(net: Network, found: Derived) -> Derivation:
    """The derivation, able to show itself, with the network's constants and starts; parameters that get no
    gradient where they start are a warning."""
    from symbp.verify.stuck import stuck

    parts = {part.name: getattr(found, part.name) for part in fields(found)}
    own = {"constants": net.hyper, "initial": net.initial, "choices": net.choices, "example": net.example}
    shown = Derivation(**{**parts, **own})
    return replace(shown, warnings=(*shown.warnings, *stuck(shown)))


def source(
    net: Network | Derivation,
    *,
    optimizer: UpdateRule | None = None,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] | None = None,
) -> str:
    """The text of the standalone training module of a network; `derivation` saves deriving again what is at
    hand. Of a derivation in place of a network (a Hessian, a product with it, a Jacobian, gradients), the
    text of a module that computes what it holds and doesn't train.

    `pieces` names what the module has beside parameters, gradients, steps, `"evaluate"`, `"predict"`,
    `"fit"`, `"save"` and a short command line, `"train"`: `"check"` (gradients compared), `"command"` (the
    whole command line), `"blocks"` (steps in blocks of rows), `"replay"` (the equation that isn't finite),
    `"costs"` (operations and bytes, told at its head), `"checkpoints"` (files to go on from),
    `"live"` (a line of progress), `"log"` (JSON lines),
    `"patience"` (early stopping), `"tables"` (.csv files); `"all"` of them; `"nothing"` leaves out even the
    first five. Without `pieces` it has what `compile` gives a module.

    Raises UsageError: an unknown size, target or dtype, no optimizer for a network; LoweringError: an
    equation without a program; GenerationError: a hyperparameter without a value.
    """
    chosen = _target(target, dtype)
    asked = chosen.usual if pieces is None else pieces
    made = order(net, optimizer=optimizer, dtype=dtype, sizes=sizes, derivation=derivation, pieces=asked)
    return chosen.source(made)


def _target(name: str, dtype: str) -> Target:
    """The target of that name, which has such numbers."""
    from symbp.targets import TARGETS, named

    found = named(one_of("target", name, TARGETS))
    one_of("dtype", dtype, found.dtypes)
    return found


def order(
    net: Network | Derivation,
    *,
    optimizer: UpdateRule | None = None,
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
) -> Order:
    """What a target's passes start from: a network with an optimizer or, without one, a derivation. Raises
    UsageError: one without the other."""
    from symbp.targets.target import Order

    if isinstance(net, Derived):
        if optimizer is not None:
            raise UsageError(
                "a module of derivatives has no use for an optimizer", help="give the network to train it"
            )
        chosen = _sizes(net, sizes or {})
        return Order(net, None, {}, chosen, net.constants, dtype, tuple(pieces))
    if optimizer is None:
        raise UsageError(
            "a training module needs an optimizer",
            help="optimizer=bp.optim.Adam(1e-3); for derivatives alone, give a derivation: bp.derive(net)",
        )
    derivation = derivation or derive(net)
    chosen = _sizes(derivation, sizes or {})
    update = with_parts(optimizer, net.system)
    return Order(derivation, update, net.initial, chosen, net.hyper, dtype, tuple(pieces))


def plan(
    net: Network,
    *,
    optimizer: UpdateRule,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
) -> Footprint:
    """What a training step of the module that `generate` writes takes: each kernel's operations and bytes
    moved, where every tensor of the workspace lies and when it is needed, and the sums, as formulas in the
    sizes and, where all have a value, as numbers. A value for the size of the batch leaves it open."""
    from symbp.targets import COMPLETE, named

    chosen = named(one_of("target", target, COMPLETE))
    one_of("dtype", dtype, chosen.dtypes)
    made = order(
        net,
        optimizer=optimizer,
        dtype=dtype,
        sizes=sizes,
        derivation=derivation,
        pieces=chosen.usual,
    )
    found: Footprint = chosen.plan(made)
    return found


def compile(
    net: Network | Derivation,
    *,
    optimizer: UpdateRule | None = None,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
) -> types.ModuleType:
    """The training module of a network, or the module of a derivation with `derivatives(params, **inputs)`,
    imported from the user's cache; `pieces` as for `source`, beside all that isn't live, logged, or early to
    stop."""
    from symbp.targets.loading import load

    text = source(
        net,
        optimizer=optimizer,
        target=target,
        dtype=dtype,
        sizes=sizes,
        derivation=derivation,
        pieces=(*_target(target, dtype).usual, *pieces),
    )
    return load(text, net.name)


def generate(
    net: Network | Derivation,
    path: str | Path,
    *,
    optimizer: UpdateRule | None = None,
    target: str = "numpy",
    dtype: str = "float64",
    sizes: Mapping[str, int] | None = None,
    derivation: Derivation | None = None,
    pieces: Collection[str] = (),
    force: bool = False,
) -> Path:
    """Writes the standalone module, see `source`; its path. Raises GenerationError where a file stands
    already, unless `force` is set, and what `source` raises."""
    refuse_to_overwrite(path, force=force)
    text = source(
        net,
        optimizer=optimizer,
        target=target,
        dtype=dtype,
        sizes=sizes,
        derivation=derivation,
        pieces=pieces,
    )
    return write(path, text, force=force)


@overload
def check(
    net: Network,
    *,
    derivation: Derivation | None = None,
    sizes: Mapping[str, int] | None = None,
    methods: str | Sequence[str] | None = None,
    seed: int = 0,
    module: types.ModuleType | None = None,
) -> CheckReport: ...


@overload
def check(
    net: Network,
    *,
    derivation: Derivation | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    against: object,
    map: Mapping[str, str] | None = None,
) -> CheckReport | AgainstReport: ...


def check(
    net: Network,
    *,
    derivation: Derivation | None = None,
    sizes: Mapping[str, int] | None = None,
    methods: str | Sequence[str] | None = None,
    seed: int = 0,
    module: types.ModuleType | None = None,
    against: object = None,
    map: Mapping[str, str] | None = None,
) -> CheckReport | AgainstReport:
    """Every derived gradient, or every result of a `derivation` (Hessians, products with them, Jacobians),
    against central differences, the complex step, Taylor remainders and an exact expansion, or against the
    `methods` named (`symbp.verify.METHODS`; `"complex-step,mod-p"`, `"all"`). Where something is wrong, the
    first wrong equation is named.

    `sizes` overrides those bound in the declaration; sizes that are open are small. The gradients of a
    compiled `module`, or the results of a module of the derivation, are compared with the derivation's, too.

    With `against`, a backward pass that somebody wrote is compared instead: `"mine.py"`, `"mine.py:name"`, a
    text file of equations, or the function, the pair of functions, the class or the module itself. `map` says
    what it calls things: `{"dW1": "grad_w1"}`. Or what frameworks find on their own for the declared loss:
    `"torch"`, `"jax"`, `"tensorflow"`, one or a list.
    """
    from symbp.api.checked import CheckReport
    from symbp.verify import DEFAULT, METHODS, check_derivation
    from symbp.verify.generated import module_rows
    from symbp.verify.named import methods_named

    a_network(net, "check")
    derivation = derivation or derive(net)
    if against is not None:
        from symbp.api.against import check_code, check_frameworks, frameworks

        given = {n: extent for n, extent in _sizes(derivation, sizes or {}).items() if n in (sizes or {})}
        if frameworks(against):
            return check_frameworks(net, derivation, frameworks(against), sizes=given, seed=seed)
        return check_code(net, derivation, against, names=map, sizes=given, seed=seed)
    chosen = methods_named(methods, METHODS) if methods else DEFAULT
    report = check_derivation(
        derivation,
        sizes=_sizes(derivation, sizes or {}),
        methods=chosen,
        seed=seed,
        hyper=net.hyper,
        declared=net.system,
    )
    found = CheckReport.of(report, derivation, net.hyper)
    if module is None:
        return found
    rows = module_rows(derivation, module, sizes=report.sizes, seed=seed)
    return replace(found, rows=(*found.rows, *rows))


def _sizes(derivation: Derivation, given: Mapping[str, int]) -> dict[str, int]:
    """The declared sizes with the given ones, which must be sizes of the network and positive; without those
    that no axis has any more (two stacked tensors were summed over)."""
    left, bound = derivation.system.sizes, derivation.system.bound
    known = dict.fromkeys((*left, *bound))
    for name, extent in given.items():
        if name not in known:
            raise UsageError(f"the network has no size {name!r}", help=choose(name, known, "its sizes"))
        if name not in left and extent != bound[name]:
            raise UsageError(
                f"size {name} is {bound[name]} in the network, not {extent!r}",
                help="declare it without a value",
            )
        if not isinstance(extent, int) or isinstance(extent, bool) or extent < 1:
            raise UsageError(f"size {name} must be a positive integer, not {extent!r}")
    return {name: extent for name, extent in {**bound, **given}.items() if name in left}
