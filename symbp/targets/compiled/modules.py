"""The text around the lines of a module: head, tables, what it carries of the runtime, by its template.

Enters: `Lines`, and what is a target's own. Leaves: source text. Must not know: targets, files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from symbp.codegen.carry import Import, Taken, giving_way, import_lines, own_names
from symbp.codegen.function import Function
from symbp.ir.training import UpdateRule
from symbp.rendering import render
from symbp.targets.compiled.footprint import Footprint, footprint
from symbp.targets.compiled.levels import Lines, Programs
from symbp.targets.compiled.names import LOCALS, PREFIX, Names, key_of, names_for
from symbp.targets.compiled.parts import Parts, parts_of
from symbp.targets.compiled.sections.header import cost_lines, equation_lines, header, reads_text, sizes_text
from symbp.targets.compiled.sections.initial import initial_function
from symbp.targets.compiled.sections.runtime_files import derivative_files, train_tables, training_files
from symbp.targets.compiled.sections.tables import derivative_tables, fingerprint, globals_of, tables
from symbp.targets.compiled.segments import LoweredNetwork
from symbp.targets.compiled.shaped_updates import follow_functions
from symbp.targets.compiled.workspace import places_function
from symbp.targets.target import Order, Target

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Own:
    """What is a target's own in a module: its folder of the runtime and of templates, its engine, the files
    of a step, what its lines take of the runtime, and its tables. `staged` where stages are told which arrays
    they are given."""

    folder: str
    engine: str
    step: Collection[str]
    taken: Mapping[str, Taken]
    constants: Sequence[str]
    staged: bool = False


def training_module(state: Lines, own: Own) -> str:
    """The text of a module that trains."""
    order, net, memory = state.order, state.network, state.memory
    assert memory is not None
    assert order.update is not None
    found = footprint_of(state, own.folder, own.engine)
    functions = [*state.functions, *follow_functions(order.update)]
    functions += [places_function(net, memory), initial_function(net, order.initial)]
    mentioned = frozenset().union(*(f.words | {d.strip("@") for d in f.decorators} for f in functions))
    files = training_files(net, own.folder, own.step, order.pieces, mentioned, _instead(order.update))
    values = {
        **header(net, own.engine, order.dtype, order.update, found, order.pieces),
        **carried(net, {**own.taken, **files}, functions),
        "constants": [
            *own.constants,
            *tables(net, order.update, staged=own.staged),
            *(fingerprint(net, order.update) if "checkpoints" in order.pieces else []),
        ],
        "functions": functions,
        "train_tables": train_tables(net, order.pieces),
        "runs": not {"train", "command"}.isdisjoint(order.pieces),
    }
    return render(f"{own.folder}/module.py.j2", values)


def _instead(rule: UpdateRule) -> dict[str, str]:
    """The files of the runtime that stand for others with this update."""
    found = {"moments": "moments_of_own_shapes"} if rule.shaped else {}
    found |= {"fit": "plateau"} if rule.follow else {}
    return found | ({"stepping": "searching"} if rule.searched else {})


def derivatives_module(state: Lines, own: Own) -> str:
    """The text of a module that computes derivatives and nothing else."""
    net, memory = state.network, state.memory
    assert memory is not None
    files = derivative_files(net, own.folder)
    values = {
        **_head_of_derivatives(net, own.engine, footprint_of(state, own.folder, own.engine)),
        **carried(net, {**own.taken, **files}),
        "constants": [*own.constants, *derivative_tables(net, tuple(t.name for t in net.data))],
        "functions": [*state.functions, places_function(net, memory)],
    }
    return render(f"{own.folder}/derivatives.py.j2", values)


def step_footprint(target: Target, order: Order) -> Footprint:
    """What a step of the module takes; the size of the batch stays open, and a value for it is one at which
    formulas are evaluated."""
    batch = LoweredNetwork(order.derivation, dict(order.derivation.system.bound), ()).batch
    kept = {name: value for name, value in order.sizes.items() if name != batch}
    states = (state for _, state in target.states(replace(order, sizes=kept)))
    state = next(state for state in states if getattr(state, "memory", None) is not None)
    at = {name: value for name, value in order.sizes.items() if name == batch}
    called = {n if n in state.network.system.sizes else f"{PREFIX}{n}": value for n, value in at.items()}
    return footprint_of(state, target.name, target.engine, called)


def footprint_of(
    state: Programs | Lines, name: str, engine: str, at: Mapping[str, int] | None = None
) -> Footprint:
    """What a step takes, of a state that knows where its tensors lie."""
    assert state.memory is not None
    return footprint(
        state.network,
        state.memory,
        target=name,
        engine=engine,
        dtype=state.order.dtype,
        at=at,
        arrays=state.allocating if isinstance(state, Lines) else (),
    )


def names_of(net: LoweredNetwork) -> Names:
    """The identifiers of a network's tensors."""
    filled = [t for s in net.segments for t in s.program.buffers]
    tensors = dict.fromkeys(t.name for t in (*net.system.tensors, *filled))
    sizes = (*net.system.sizes, *net.stage_sizes)
    return names_for(tensors, sizes, LOCALS | own_names() | globals_of(net.constants))


def parts(net: LoweredNetwork, rule: UpdateRule) -> Parts | None:
    """Where the parameters lie that an update tells apart."""
    return parts_of(rule, net.parameters, net.sizes)


def update_names(rule: UpdateRule) -> Names:
    """The identifiers of an update's tensors."""
    return names_for(
        [t.name for t in rule.system.tensors], (), reserved=frozenset({"np", "math", "F32", "DTYPE"})
    )


def carried(
    net: LoweredNetwork, taken: Mapping[str, Taken], functions: Collection[Function] = ()
) -> dict[str, object]:
    """What a module carries of the runtime, by section, and its imports, for its template; those of its own
    functions are there where they are read."""
    renamed = giving_way([t.name for t in net.data], list(map(key_of, net.system.sizes)))
    words = frozenset().union(*(function.words for function in functions))
    own = [Import("numpy", alias="np")]
    own += [Import(name) for name in ("math", "sys") if not functions or name in words]
    return {
        "imports": import_lines(taken.values(), *own),
        "runtime": {section: renamed(found).text for section, found in taken.items()},
    }


def _head_of_derivatives(net: LoweredNetwork, engine: str, found: Footprint) -> dict[str, object]:
    name, read = net.derivation.name, reads_text(net) or "parameters only"
    return {
        "title": f"{name}: derivatives in {engine}.",
        "description": [
            f"Derived from the network {name}; {found.dtype}. It reads {read}.",
            "The comment (k) behind a line names the equation that the line computes.",
            "Compute them from the arrays of a file: python THIS_FILE --help",
        ],
        "equations": equation_lines(net.derivation),
        "update_name": "",
        "updates": [],
        "sizes": sizes_text(net),
        "one_run": "One call",
        "costs": cost_lines(found),
    }
