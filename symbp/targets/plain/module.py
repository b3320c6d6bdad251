"""A plain module put together: constants, helpers, functions, a training loop.

Enters: an order. Leaves: a sheet, then a draft of trees, then source text. Must not know: files.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy

from symbp.codegen.arguments import DATA, used_names
from symbp.codegen.definitions import DEFINED, definition
from symbp.codegen.execute import execute
from symbp.codegen.passes import Body, in_bodies, made_together, named_repeats
from symbp.codegen.printer import text
from symbp.codegen.statements import Sheet, sheet
from symbp.codegen.tree import Call, Define, Module, Node, Statement
from symbp.codegen.updates.dictionaries import Update, update
from symbp.codegen.validate import validate as validate_tree
from symbp.errors import GenerationError
from symbp.ir.axes.examples import examples
from symbp.ir.expr import Size
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.printer import equation_text
from symbp.ir.system import Role
from symbp.read.reading import reading
from symbp.rendering import render
from symbp.runtime import array_functions
from symbp.runtime.common.training import drawn
from symbp.targets.pieces import ALL, BARE
from symbp.targets.plain.functions import (
    draw,
    evaluate,
    loss_and_gradients,
    predict,
    starting_values,
)
from symbp.targets.target import Order

NAMES: dict[str, Any] = {
    "np": np,
    "math": math,
    "sliding_window_view": np.lib.stride_tricks.sliding_window_view,
}
FUNCTIONS = {"evaluate": evaluate, "predict": predict}
PIECES = ("train", *FUNCTIONS, "check", "save")

HELPERS = {
    **dict(inspect.getmembers(drawn, inspect.isfunction)),
    **dict(inspect.getmembers(array_functions, inspect.isfunction)),
}
OF_TRAINING = ("rows", "epoch", "epochs", "batch", "seed", "name", "value", "flat", "gradients")


@dataclass(frozen=True)
class Draft:
    """The functions of a module as trees, and what goes with them."""

    order: Order
    sheet: Sheet
    functions: tuple[Statement, ...]
    update: Update


# --- passes
def with_reading(order: Order) -> tuple[Order, Sheet]:
    """The textbook's reading of the network, with names for code; of the pieces those that the module has."""
    pieces = PIECES if ALL in order.pieces else tuple(piece for piece in order.pieces if piece != BARE)
    order = replace(order, pieces=pieces)
    derivation = order.derivation
    system = derivation.system.with_(bound={**derivation.system.bound, **order.sizes})
    page = reading(replace(derivation, system=system), style="textbook").computable
    return order, sheet(page, (*HELPERS, *DEFINED, *OF_TRAINING))


def drafted(state: tuple[Order, Sheet]) -> Draft:
    """The functions as trees."""
    order, page = state
    system = page.system
    data = [page.tensors[t.name] for t in system.leaves if t.role is not Role.PARAMETER]
    assert order.update is not None  # this target has no passes for derivatives alone
    taken = (*data, *page.sizes.values(), *HELPERS, *DEFINED, *OF_TRAINING)
    change = update(order.update, taken, [t.name for t in system.parameters])
    words = "The parameters' starting values."
    functions = [starting_values(page, "initial_parameters", system.parameters, order.initial, words)]
    buffers = system.with_role(Role.BUFFER)
    if buffers:
        words = "The buffers' starting values."
        functions.append(starting_values(page, "initial_buffers", buffers, order.initial, words))
    if system.random:
        functions.append(draw(page))
    functions.append(loss_and_gradients(page))
    functions += [made(page) for piece, made in FUNCTIONS.items() if piece in order.pieces]
    called = [definition(name) for name in DEFINED if any(name in f.calls() for f in functions)]
    return Draft(order, page, (*called, *functions), change)


def with_arrays_made_together(draft: Draft) -> Draft:
    """Arrays of zeros of one shape in one line."""
    return _changed(draft, made_together)


def with_named_repeats(draft: Draft) -> Draft:
    """A name for what stands repeatedly."""
    return _changed(draft, lambda body: named_repeats(body, draft.sheet.names.give))


def _changed(draft: Draft, change: Callable[[Body], Body]) -> Draft:
    functions = tuple(in_bodies(f, change) for f in draft.functions)
    return replace(draft, functions=functions)


def assembled(draft: Draft) -> str:
    """The text of a module."""
    page, change, derivation = draft.sheet, draft.update, draft.order.derivation
    defined = {f.name: f for f in draft.functions if isinstance(f, Define)}
    gradients = defined["loss_and_gradients"]
    texts = [_untyped(HELPERS[name]) for name in _helpers([*draft.functions, *change.statements])]
    values = {
        "title": f"{derivation.name} in NumPy, one line for each equation.",
        "words": ["The comment (k) behind a line is the number of its equation in the textbook's reading."],
        "uses_windows": any("sliding_window_view" in f.calls() for f in draft.functions),
        "uses_math": any("math." in t for t in texts),
        "constants": _constants(page, draft.functions, draft.order.constants),
        "helpers": texts,
        "functions": [text(f) for f in draft.functions],
        "rule": change.name,
        "call": _call(gradients, page),
        "draw": _call(defined["draw"], page) if "draw" in defined else None,
        "update": change,
        "settings": _together(change.settings),
        "once": "".join(text(s, 3) for s in change.once).rstrip(),
        "each": "".join(text(s, 4) for s in change.each).rstrip(),
        "buffers": bool(page.system.updates),
        "pieces": draft.order.pieces,
    }
    return render("plain/module.py.j2", values)


@dataclass(frozen=True)
class Arguments:
    """The arguments of a function: what is `kept` in dictionaries, `data` of which some are cut into
    `batches`, and what is drawn at random; `first` is one that is cut, if any is."""

    kept: tuple[str, ...]
    data: tuple[str, ...]
    batches: tuple[str, ...]
    random: tuple[str, ...]
    first: str


def _call(function: Define, page: Sheet) -> Arguments:
    """How training calls a function: with the examples of a batch of what has an axis of examples."""
    tensors = {page.tensors[t.name]: t for t in page.system.leaves}
    every = [a.id for a in function.arguments]
    data = [a for a in every if a in tensors and tensors[a].role in DATA]
    declared = page.reading.derivation.declared
    batch = examples(declared, [name for name in declared.sizes if name not in declared.bound])
    cut = [a for a in data if batch and declared.tensor(tensors[a].name).shape[:1] == (Size(batch),)]
    batches = tuple(f"{a}[rows]" if a in cut else a for a in data)
    random = tuple(a for a in every if a in tensors and tensors[a].role is Role.RANDOM)
    kept = tuple(a for a in every if a not in tensors)
    return Arguments(kept, tuple(data), batches, random, cut[0] if cut else "")


def _helpers(trees: Sequence[Node]) -> list[str]:
    """The helpers that trees call, and those that these call, in the order of their file."""
    stack = [n.name for tree in trees for n in tree.walk() if isinstance(n, Call) and n.name in HELPERS]
    found: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += [other for other in HELPERS[name].__code__.co_names if other in HELPERS]
    return sorted(found, key=lambda n: (HELPERS[n].__module__, HELPERS[n].__code__.co_firstlineno))


def _untyped(helper: Callable[..., Any]) -> str:
    """A helper's text as a slide has it."""
    return inspect.getsource(helper).replace(": Any", "").replace(" -> Any", "")


def _together(values: Sequence[tuple[str, float]]) -> str:
    if not values:
        return ""
    return f"{', '.join(name for name, _ in values)} = {', '.join(repr(value) for _, value in values)}"


def _constants(page: Sheet, functions: Sequence[Statement], hyper: Mapping[str, float]) -> list[str]:
    """Sizes that have a value, and the network's constants."""
    used, bound = used_names(functions), page.system.bound
    values = [
        (page.sizes[n], bound[n]) for n in page.system.sizes if n in bound and page.sizes[n] in used
    ]  # fmt: skip
    found = [_together(values[k : k + 8]) for k in range(0, len(values), 8)]
    for tensor in page.system.with_role(Role.HYPER):
        if page.tensors[tensor.name] in used:
            if tensor.name not in hyper:
                raise GenerationError(
                    f"the hyperparameter {tensor.name} has no value",
                    help=f"give the network one: hyper={{{tensor.name!r}: …}}",
                )
            found.append(f"{page.tensors[tensor.name]} = {hyper[tensor.name]!r}")
    return found


# --- states
def validate(state: Any, before: Any) -> None:
    """Raises InvalidTree where the trees of a draft break a rule."""
    if isinstance(state, Draft) and not (isinstance(before, Draft) and before.functions == state.functions):
        page, at = state.sheet, {**sample_sizes(state.sheet.system), **state.sheet.system.bound}
        leaves = [page.tensors[t.name] for t in page.system.leaves]
        given = (*NAMES, *HELPERS, *DEFINED, *page.sizes.values(), *leaves)
        validate_tree(Module(state.functions), given, [point_of(page, at)])


def shown(state: Any) -> str:
    """A state as text."""
    if isinstance(state, Draft):
        return text(Module(state.functions))
    if isinstance(state, tuple):
        return "".join(f"({line.number}) {equation_text(line.equation)}\n" for line in state[1].reading.lines)
    return str(state)


def gradients(
    state: Any, values: Mapping[str, Any], sizes: Mapping[str, int]
) -> dict[str, Any] | None:  # fmt: skip
    """The loss and the gradients that a draft or a text computes; a page is no code."""
    if isinstance(state, tuple):
        return None
    names: dict[str, Any] = {**NAMES, **HELPERS}
    if isinstance(state, Draft):
        page = state.sheet
        here = point_of(page, sizes)
        known: dict[str, Any] = {identifier: here[n] for n, identifier in page.sizes.items() if n in here}
        known |= {page.tensors[n]: v for n, v in state.order.constants.items() if n in page.tensors}
        names = execute(Module(state.functions), {**names, **known})
    else:
        exec(compile(state, "<module>", "exec"), names)
    function = names["loss_and_gradients"]
    asked = inspect.signature(function).parameters
    given = {name: values if name in ("params", "buffers") else values[name] for name in asked}
    loss, found, *_ = function(**given)
    return {"": loss, **found}


def point_of(page: Sheet, sizes: Mapping[str, int]) -> dict[str, int]:
    """The values of all sizes of a page, those that are formulas, too."""
    sizes = {page.reading.sizes.get(name, name): value for name, value in sizes.items()}
    values = {Size(name): sympy.Integer(value) for name, value in sizes.items()}
    formulas = {size.name: int(f.xreplace(values)) for size, f in page.frame.formulas.items()}
    return {**sizes, **formulas}
