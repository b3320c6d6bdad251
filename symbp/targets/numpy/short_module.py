"""The short form of a NumPy module, for networks with plain shapes and modules of few pieces.

Enters: `ArrayLines` with an update and memory. Leaves: source text, or None where only the long form will do.
Must not know: files, the command line.
"""

from __future__ import annotations

import sympy

from symbp.ir.expr import Expr, Size
from symbp.rendering import render
from symbp.targets.compiled import modules
from symbp.targets.compiled.sections.header import header
from symbp.targets.compiled.sections.initial import initial_function
from symbp.targets.compiled.sections.runtime_files import numpy_functions, short_files
from symbp.targets.compiled.segments import LoweredNetwork, product_of
from symbp.targets.numpy import short_functions as short_lines
from symbp.targets.numpy.state import ArrayLines
from symbp.targets.pieces import short

PASSES = short_lines.PASSES


def entries(net: LoweredNetwork) -> Expr:
    """How many entries all parameters have."""
    bound = {Size(name): sympy.Integer(value) for name, value in net.sizes.items()}
    return sum((product_of(p.shape).xreplace(bound) for p in net.parameters), sympy.S.Zero)


def short_module(state: ArrayLines) -> str | None:
    """A module without workspaces to share and plan; None where more is asked for, the network has no plain
    shapes, it has equal layers, or names that differ from pass to pass."""
    order, net, pieces = state.order, state.network, state.order.pieces
    assert order.update is not None
    if not short(pieces) or not short_lines.plain(net) or order.update.shaped or order.update.follow:
        return None
    stages = state.stages
    wanted = PASSES if "evaluate" in pieces else PASSES[:3]
    network_function = short_lines.passes(net, state.names, stages, wanted)
    if network_function is None:
        return None
    assert state.update is not None
    functions = [network_function, short_lines.own_scratch(state.update, stages, entries(net))]
    functions.append(initial_function(net, order.initial, once=True))
    called = frozenset().union(*(function.calls for function in functions))
    words = {word for function in functions for word in function.words}
    taken = {"functions": numpy_functions(called), **short_files(net, pieces, words)}
    words |= {word for one in taken.values() for word in one.words}
    tables = short_lines.short_tables(net, order.update)
    found = modules.footprint_of(state, "numpy", "NumPy")
    values = {
        **header(net, "NumPy", order.dtype, order.update, found, pieces),
        **modules.carried(net, taken, functions),
        "constants": [f"DTYPE = np.{order.dtype}", *short_lines.needed(tables, words)],
        "functions": functions,
        "titled": bool(pieces),  # two sections need no titles
        "runs": "train" in pieces,
    }
    return render("numpy/short.py.j2", values)
