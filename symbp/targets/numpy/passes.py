"""The passes from programs to a NumPy module: lines over whole arrays, the update, memory, text.

Enters: `Programs`. Leaves: `Lines`, then source text. Must not know: files, the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy

from symbp.ir.expr import Size
from symbp.targets.compiled import derivatives, levels, modules
from symbp.targets.compiled.levels import Programs
from symbp.targets.compiled.modules import Own
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.sections.runtime_files import numpy_functions, takes_out
from symbp.targets.compiled.segments import LoweredNetwork
from symbp.targets.compiled.shaped_updates import shaped_update
from symbp.targets.compiled.workspace import block_tables, memory_plan, memory_tables
from symbp.targets.numpy import stages as numpy_lines
from symbp.targets.numpy.filling import known_forms
from symbp.targets.numpy.inference.calls import Calls
from symbp.targets.numpy.inference.shape_inference import Forms
from symbp.targets.numpy.inference.validate import Validator
from symbp.targets.numpy.short_module import entries, short_module
from symbp.targets.numpy.state import ArrayLines
from symbp.targets.numpy.update import numpy_update

FOLDER, ENGINE = "numpy", "NumPy"


def with_lines(state: Programs) -> ArrayLines:
    """The stages as functions of named arrays."""
    return _lines(state, modules.names_of(state.network))


def with_lines_of_derivatives(state: Programs) -> ArrayLines:
    """The stages as functions of named arrays."""
    return _lines(state, derivatives.names_of(state.network))


def _lines(state: Programs, names: Names) -> ArrayLines:
    found = numpy_lines.functions(state.network, names)
    return ArrayLines(
        state.order,
        state.network,
        names,
        tuple(found.functions),
        frozenset(found.helpers),
        allocating=tuple(found.allocating),
        stages=found,
    )


def with_update(state: ArrayLines) -> ArrayLines:
    """The function that updates the parameters; its scratch is that of the stages."""
    net, rule = state.network, state.order.update
    assert rule is not None
    if rule.shaped:
        made = shaped_update(rule, net.parameters, net.sizes, state.order.dtype, compiled=False)
        return replace(state, functions=(*state.functions, *made))
    calls = Calls(Forms({}, frozenset(net.system.sizes), takes_out), state.stages.scratch, "update")
    update = numpy_update(rule, modules.update_names(rule), calls, entries(net), modules.parts(net, rule))
    function = update.function()
    called = state.called | function.calls
    return replace(state, functions=(*state.functions, function), called=called, update=update)


def with_memory(state: ArrayLines) -> ArrayLines:
    """Where each tensor lies, for statements that run one by one, and their scratch."""
    memory = memory_plan(
        state.network, fused=False, scratch=state.stages.scratch, instead=state.stages.instead
    )
    return replace(state, memory=memory)


def module(state: ArrayLines) -> str:
    """The text of a module that trains: a short one, where the network and the pieces allow it."""
    return short_module(state) or long_module(state)


def long_module(state: ArrayLines) -> str:
    """The text of a module that trains, with workspaces shared and planned."""
    assert state.memory is not None
    own = _own(state)
    return modules.training_module(
        state, replace(own, constants=[*own.constants, *block_tables(state.network, state.memory)])
    )


def module_of_derivatives(state: ArrayLines) -> str:
    """The text of a module that computes derivatives."""
    return modules.derivatives_module(state, _own(state))


def _own(state: ArrayLines) -> Own:
    tables = memory_tables(state.network, state.stages.scratch)
    return Own(
        FOLDER,
        ENGINE,
        _step(state.network),
        {"functions": numpy_functions(state.called)},
        [f"DTYPE = np.{state.order.dtype}", *tables],
    )


def _step(net: LoweredNetwork) -> list[str]:
    """The files of a step."""
    names = ("differentiate", "blocks" if net.blocks else "step", "bound")
    advance = "advance_buffers" if net.system.updates else "advance"
    return [f"{FOLDER}/{name}" for name in (*names, "outside", advance)]


def validate(state: Any, before: Any = None) -> None:
    """Raises what the rules of each level raise, InvalidTree where a line fills an array of another form."""
    levels.validate(state, before)
    if isinstance(state, ArrayLines) and not (
        isinstance(before, ArrayLines) and before.stages is state.stages
    ):
        tensors, scratch = numpy_lines.tensors_of(state.network), state.stages.scratch
        at = {Size(name): sympy.Integer(value) for name, value in levels.lengths(state).items()}
        for code in state.stages.code.values():
            Validator(known_forms(state.network, tensors, state.names, scratch), at).statements(code)


def gradients(state: Any, values: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any] | None:
    """The loss and the gradients that a state computes; lines whose places nothing has planned yet, as where
    each array lies apart."""
    if isinstance(state, ArrayLines) and state.memory is None:
        return None if state.order.update is None else levels.apart(long_module(with_memory(state)), values)
    return levels.gradients(state, values, sizes, _text)


def _text(state: ArrayLines) -> str:
    return module_of_derivatives(state) if state.order.update is None else module(state)
