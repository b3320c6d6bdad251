"""How plain code is compared with the reference."""

import inspect

import numpy as np
from derived_once import once

import symbp as bp
from symbp.api import order
from symbp.cli.target import load_target, optimizer
from symbp.codegen.definitions import DEFINED, definition
from symbp.codegen.execute import execute
from symbp.codegen.statements import statements
from symbp.codegen.tree import Module
from symbp.codegen.validate import validate
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import sample_point
from symbp.targets.bisect import relative_error
from symbp.targets.plain import TARGET
from symbp.targets.plain.module import HELPERS, NAMES, point_of, with_reading
from symbp.targets.target import Order

TOLERANCE = 1e-12


def gallery_order(name, pieces=()):
    """What the module of a gallery network is made of."""
    target = load_target(name)
    derivation = once(f"target {name}", lambda: bp.derive(target.network))
    return order(
        target.network, optimizer=optimizer(target, None, None), derivation=derivation, pieces=pieces
    )


def point(made, seed=0):
    """Sizes and values of all leaves."""
    system = made.derivation.system
    sizes, values = sample_point(system, seed, sizes={**sample_sizes(system), **system.bound})
    return sizes, {**values, **{n: np.asarray(v) for n, v in made.constants.items()}}


def module(text):
    """The namespace of a module's text."""
    names = {"__name__": "plain"}
    exec(compile(text, "<plain>", "exec"), names)
    return names


def called(function, values):
    """A function of a module at a point; parameters and buffers are looked up by their names."""
    asked = inspect.signature(function).parameters
    return function(**{a: values if a in ("params", "buffers") else values[a] for a in asked})


def of_system(derivation, sizes, values, bound):
    """Every tensor that is asked for or a gradient, by its name, as plain statements compute it."""
    known = {k: v for k, v in sizes.items() if bound and k in derivation.system.sizes}
    _, page = with_reading(Order(derivation, None, {}, known))
    system = page.system
    names = [*system.outputs, system.loss, *derivation.gradients.values()]
    names = [n for n in dict.fromkeys(names) if n in system.defining]
    body = statements(page, names)
    given = {page.tensors[leaf.name]: values[leaf.name] for leaf in system.leaves}
    here = point_of(page, sizes)
    given |= {identifier: here[n] for n, identifier in page.sizes.items() if n in here}
    validate(Module(tuple(body)), [*NAMES, *HELPERS, *DEFINED, *given], [point_of(page, sizes)])
    found = execute(Module((*map(definition, DEFINED), *body)), {**NAMES, **HELPERS, **given})
    return {n: found[page.tensors[n]] for n in names}


def agree(found, expected, what):
    error = relative_error(found, expected)
    assert error <= TOLERANCE, f"{what}: {error:.1e}"


__all__ = ["TARGET", "agree", "called", "gallery_order", "module", "of_system", "point"]
