"""A network's passes as one function: arrays by shape, then forward pass, loss, gradients, metrics over them.

Enters: the stages of a network whose shapes are plain. Leaves: functions and tables, or None where a
network needs more than that. Must not know: ops, what a module does with the passes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from symbp.codegen import infer, tree
from symbp.codegen.function import WIDTH, Function, names_in
from symbp.codegen.printer import one_line, text
from symbp.codegen.spelling.elements import size
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.machine import BLOCK
from symbp.ir.system import Tensor
from symbp.ir.training import UpdateRule
from symbp.targets.compiled.form import Kind
from symbp.targets.compiled.names import Names, key_of
from symbp.targets.compiled.sections.tables import (
    CHECKED,
    _quoted,
    bound_of,
    constant_tables,
    names_table,
    quoted,
)
from symbp.targets.compiled.segments import GIVEN, LoweredNetwork
from symbp.targets.compiled.update import hyperparameters
from symbp.targets.compiled.workspace import own_gradients
from symbp.targets.numpy.arena_update import ArenaUpdate
from symbp.targets.numpy.binding import Binding
from symbp.targets.numpy.filling import known_forms
from symbp.targets.numpy.kernels.arrays import DTYPE, INT64
from symbp.targets.numpy.layers import Kept, layered
from symbp.targets.numpy.stages import OneStage, Stages, beside, local, tensors_of, unpacked

PASSES = ("forward", "loss", "backward", "metrics")
DTYPES: dict[Kind, tree.Expression] = {
    "real": DTYPE, "integer": INT64, "bool": infer.word("bool"),
}  # fmt: skip


def plain(net: LoweredNetwork) -> bool:
    """Whether a network has one mode and no state beside its parameters, and shapes that show its sizes."""
    system = net.system
    more = (net.buffers, system.random, system.inference, system.updates, net.solving)
    shapes = [e for t in (*net.parameters, *net.data, *net.tensors) for e in t.shape]
    bounds = [f.bound for t in net.data for f in t.facts if f.bound is not None]
    facts = [f for t in (*net.parameters, *net.data) for f in t.facts if f.kind in CHECKED]
    names = {*system.outputs, *system.metrics} - {system.loss}
    return (
        not any(more)
        and not facts
        and bool(net.parameters)
        and tuple(s.name for s in net.segments) == PASSES
        and all(isinstance(e, Size) or not _open(net, e) for e in shapes)
        and all(str(bound) in net.shaping or not _open(net, bound) for bound in bounds)
        and all(key_of(size) == size for size in system.sizes)
        and "loss" not in names
    )


def _open(net: LoweredNetwork, extent: Expr) -> bool:
    return any(size.name not in net.sizes for size in free_sizes(extent))


def passes(net: LoweredNetwork, names: Names, stages: Stages, wanted: Sequence[str]) -> Function | None:
    """`_network(params, gradients, N)`: the passes over arrays for such sizes, and those with results."""
    tensors = tensors_of(net)
    parts = [OneStage(net, s, tensors, names, stages.scratch) for s in net.segments if s.name in wanted]
    code = {part.segment.name: stages.code[part.segment.name] for part in parts}
    gradients = own_gradients(net)
    every = dict.fromkeys(array for part in parts for array in part.kept)
    kept = [a for a in every if a.mapping != "tensors" or a.key[1:-1] not in gradients]
    fixed = frozenset({a.name for a in kept} | parts[0].sizes | {n for p in parts for n in p.hyper})
    taken = set(stages.scratch.shapes) | {word for own in code.values() for word in names_in(own)}
    binding = Binding(
        known_forms(net, tensors, names, stages.scratch), fixed, names.free, taken, speaking=True
    )
    runs: list[tuple[str, list[Kept], list[tree.Statement]]] = []
    for part in parts:
        own = code[part.segment.name]
        if not all(isinstance(one, tree.Statement) for one in layered(own, part.kept, names.free)):
            return None  # equal layers are written once, in functions of their own
        data = [Kept(names.tensors[t.name], "data", f'"{t.name}"') for t in part.segment.leaves(*GIVEN)]
        runs.append((f"run_{part.segment.name}", data, binding.bind(own)))
    if len(wanted) < len(PASSES):  # nobody asks for one pass without the others
        every_data = list(dict.fromkeys(a for _, data, _ in runs for a in data))
        runs = [("run", every_data, [s for _, _, body in runs for s in body])]
    inside = [s for run in runs for s in _run(*run)]
    bound = [s.target.id for s in binding.head if isinstance(s.target, tree.Name)]
    if len(set(bound)) < len(bound) or fixed & set(bound):
        return None  # a name that means one thing in one pass and another in the next
    words = names_in(binding.head).union(*(_taken_from_outside(body) for _, _, body in runs))
    results = _results(net, names, wanted)
    used = [a for a in kept if a.name in words | set(results.values())]
    if not set(results.values()) <= {a.name for a in used if a.mapping == "tensors"}:
        return None
    constants = {own: text for part in parts for own, text in part.hyper.items() if own in words}
    head = [
        *_by_parameter(net, "params", used),
        *_by_parameter(net, "gradients", used),
        *_joined([tree.Assign(local(own), local(text)) for own, text in constants.items()]),
        *(
            s
            for of in _arrays(net, names, stages, [a.name for a in used if a.mapping == "tensors"])
            for s in _joined(of)
        ),
        *_joined(binding.head),
    ]
    table = infer.table((name, local(own)) for name, own in results.items())
    called = infer.tuple_of(*(local(name) for name, _, _ in runs))
    end = tree.Return(infer.tuple_of(called, table))
    doc = "The passes over arrays of these sizes, as functions of the data; the arrays of their results."
    return Function(
        "_network", ("params", "gradients", *_sizes(net)), doc, (*head, *inside, tree.Blank(), end)
    )


def _results(net: LoweredNetwork, names: Names, wanted: Sequence[str]) -> dict[str, str]:
    """The arrays that the passes are there for, by what they are asked for as."""
    metrics = net.metrics if "metrics" in wanted else ()
    found = {name: names.tensors[name] for name in (*net.system.outputs, *metrics)}
    return {**found, "loss": names.tensors[str(net.system.loss)]}


def _sizes(net: LoweredNetwork) -> list[str]:
    """The open sizes as arguments; where outputs are asked for, those that only the loss needs don't show."""
    witnesses = [t for t in (*net.parameters, *net.data) if t in net.parameters or t.name in net.forward_data]
    shown = {e.name for t in witnesses for e in t.shape if isinstance(e, Size)}
    late = [f"{name}=1" for name in net.stage_sizes if name not in shown]
    return [*(name for name in net.stage_sizes if name in shown), *late]


def _run(name: str, data: Sequence[Kept], body: Sequence[tree.Statement]) -> list[tree.Statement]:
    """A function inside of another that runs code on data."""
    inner = (*unpacked([a for a in data if a.name in names_in(body)]), *body)
    return [tree.Blank(), tree.Define(name, (local("data"),), (), inner or (tree.Pass(),))]


def _joined(statements: Sequence[tree.Assign]) -> list[tree.Assign]:
    """Plain assignments beside each other, where none reads what another one names."""
    found: list[tree.Assign] = []
    group: list[tuple[tree.Name, tree.Expression]] = []
    for s in statements:
        short = s.equations == () and not isinstance(s.value, (tree.Comprehension, tree.Sequence))
        if not isinstance(s.target, tree.Name) or not short:
            found += [beside(group)] if group else []
            found.append(s)
            group = []
            continue
        wider = [*group, (s.target, s.value)]
        apart = names_in([s.value]).isdisjoint(name.id for name, _ in group)
        if apart and len(one_line(beside(wider))) + 4 <= WIDTH:
            group = wider
            continue
        found += [beside(group)] if group else []
        group = [(s.target, s.value)]
    return [*found, beside(group)] if group else found


def _by_parameter(net: LoweredNetwork, mapping: str, used: Sequence[Kept]) -> list[tree.Assign]:
    """`W1, b1 = params.values()` where all of them are read."""
    found = {a.key: a for a in used if a.mapping == mapping}
    ordered = [found[key] for key in (f'"{p.name}"' for p in net.parameters) if key in found]
    values = infer.called(".values", local(mapping))
    if len(ordered) == len(net.parameters) > 1:
        every = tree.Assign(infer.tuple_of(*(local(a.name) for a in ordered)), values)
        if len(one_line(every)) + 4 <= WIDTH:
            return [every]
    return unpacked(ordered)


def _arrays(
    net: LoweredNetwork, names: Names, stages: Stages, used: Sequence[str]
) -> Iterator[list[tree.Assign]]:
    """Arrays of one shape and kind in a line; constants; who takes whose place."""
    shapes: dict[str, tuple[Sequence[Expr], Kind]] = {
        names.tensors[t.name]: (t.shape, "integer" if t.integer else "real") for t in net.tensors
    }
    shapes |= stages.scratch.shapes
    instead = {names.tensors[new]: names.tensors[old] for new, old in stages.instead.items()}
    known = [name for name in dict.fromkeys((*used, *_origins(used, instead))) if name in shapes]
    groups: dict[tuple[tuple[tree.Expression, ...], Kind], list[str]] = {}
    for name in known:
        if name not in instead:
            shape, kind = shapes[name]
            groups.setdefault((tuple(map(size, shape)), kind), []).append(name)
    yield [s for (shape, kind), of in groups.items() for s in _made(of, shape, DTYPES[kind])]
    made: list[tree.Assign] = []
    for name, (extents, kind, value) in stages.scratch.constants.items():
        if name in used:
            more = {} if kind == "real" else {"dtype": DTYPES[kind]}
            given = [infer.sizes_of(map(size, extents)), *([DTYPE] if kind == "real" else [])]
            made.append(tree.Assign(local(name), infer.call(value.name, *given, shape=extents, more=more)))
    yield made
    yield [
        tree.Assign(local(name), _in_place_of(shapes[name][0], old, shapes[old][0]))
        for name in known
        if name in instead
        for old, *_ in [_origins([name], instead)]
    ]


def _in_place_of(shape: Sequence[Expr], old: str, known: Sequence[Expr]) -> tree.Expression:
    """Another array's memory in this shape."""
    wanted, own = infer.tuple_of(*map(size, shape)), infer.tuple_of(*map(size, known))
    if wanted == own:
        return local(old)
    return infer.call(".reshape", local(old), wanted, shape=shape)


def _origins(used: Sequence[str], instead: dict[str, str]) -> Iterable[str]:
    """The arrays whose places others take, the first ones first."""
    found: list[str] = []
    for name in used:
        while name in instead:
            name = instead[name]
            found.append(name)
    return reversed(found)


def _made(
    names: Sequence[str], shape: Sequence[tree.Expression], dtype: tree.Expression
) -> list[tree.Assign]:
    """`z1, h = np.zeros((2, N, H), DTYPE)`, in lines that fit."""
    lines: list[tree.Assign] = []
    rest = list(names)
    while rest:
        count = len(rest)
        while count > 1 and len(one_line(_zeros(rest[:count], shape, dtype))) + 4 > WIDTH:
            count -= 1
        lines.append(_zeros(rest[:count], shape, dtype))
        rest = rest[count:]
    return lines


def _zeros(names: Sequence[str], shape: Sequence[tree.Expression], dtype: tree.Expression) -> tree.Assign:
    targets = [local(name) for name in names]
    one = infer.call("np.zeros", infer.sizes_of(shape), dtype, shape=())
    if len(names) == 1 or not shape:
        return beside([(target, one) for target in targets])
    every = infer.tuple_of(infer.number(len(names)), *shape)
    return tree.Assign(infer.tuple_of(*targets), infer.call("np.zeros", every, dtype, shape=()))


def own_scratch(update: ArenaUpdate, stages: Stages, count: Expr) -> Function:
    """An update that makes its scratch itself; without blocks, where there is but one."""
    fits = count.is_Integer and count <= BLOCK and update.parts is None
    length = infer.call("len", local(update.arenas[0]), shape=(), dtype="integer")
    groups: dict[tuple[tuple[tree.Expression, ...], Kind], list[str]] = {}
    for name in update.scratch:
        shape, kind = stages.scratch.shapes[name]
        groups.setdefault(((length,) if fits else tuple(map(size, shape)), kind), []).append(name)
    made = [s for (sizes, kind), of in groups.items() for s in _made(of, sizes, DTYPES[kind])]
    return update.in_one(made) if fits else update.own_function(made)


def short_tables(net: LoweredNetwork, rule: UpdateRule) -> dict[str, list[str]]:
    """The constants of a short module: sizes, shapes, integers' bounds, the settings of the update; the lines
    of each, by the names that they give to something."""
    hyper = [f'"{h}": {float(rule.hyper[h])!r}' for h in hyperparameters(rule.system)]
    inputs = [f'"{t.name}": {_named_shape(net, t)}' for t in net.data]
    integers = [f'"{t.name}": {_bound(net, t)}' for t in net.data if t.integer]
    sizes = f"{', '.join(net.sizes)} = {', '.join(map(str, net.sizes.values()))}"
    tables = {
        **({", ".join(net.sizes): [sizes]} if net.sizes else {}),
        "NAME": [f'NAME = "{net.derivation.name}"'],
        **constant_tables(net.constants),
        "SHAPING": [names_table("SHAPING", net.shaping)],
        "PARAMETERS": _table("PARAMETERS", [f'"{t.name}": {_named_shape(net, t)}' for t in net.parameters]),
        "INPUTS": _table("INPUTS: dict[str, tuple[Any, ...]]", inputs),
        "INTEGERS": _table("INTEGERS: dict[str, tuple[int | str | None, int | None]]", integers),
        "FORWARD_INPUTS": [names_table("FORWARD_INPUTS", net.forward_data)],
        **_result_tables(net),
        "BATCH": [f"BATCH: str | None = {_quoted(net.examples)}"],
        "MOMENTS": [names_table("MOMENTS", rule.moments)],
        "LARGE": [
            "LARGE = float(np.finfo(DTYPE).max) / 2**20  # from such sums of squares on moments may overflow"
        ],
        "HYPER": _table("HYPER" if hyper else "HYPER: dict[str, float]", hyper),
    }
    return {**tables, "Array": ["Array = np.ndarray[Any, Any]"]}


def _taken_from_outside(body: Sequence[tree.Statement]) -> frozenset[str]:
    """What a function's body mentions and doesn't give a meaning itself."""
    nodes = [node for s in body for node in s.walk()]
    targets = {n.target.id for n in nodes if isinstance(n, tree.Assign) and isinstance(n.target, tree.Name)}
    return names_in(body) - targets


def _result_tables(net: LoweredNetwork) -> dict[str, list[str]]:
    """What is computed beside the loss, in a line."""
    outputs, metrics = net.system.outputs, net.metrics
    if not outputs:
        return {name: [names_table(name, of)] for name, of in (("OUTPUTS", outputs), ("METRICS", metrics))}
    return {"OUTPUTS, METRICS": [f"OUTPUTS, METRICS = {quoted(outputs)}, {quoted(metrics)}"]}


def _table(name: str, entries: Sequence[str]) -> list[str]:
    one = f"{name} = {{{', '.join(entries)}}}"
    return [one] if len(one) <= WIDTH else [f"{name} = {{", *(f"    {entry}," for entry in entries), "}"]


def _named_shape(net: LoweredNetwork, tensor: Tensor) -> str:
    """`("N", D)`: open sizes by their names."""
    opened = [isinstance(e, Size) and e.name not in net.sizes for e in tensor.shape]
    words = [infer.quoted(str(e)) if o else size(e) for e, o in zip(tensor.shape, opened, strict=True)]
    return text(infer.tuple_of(*words))


def _bound(net: LoweredNetwork, tensor: Tensor) -> str:
    """The bound of integers, by its name where it is an open size, and the value beside those below it."""
    bound, ignored = bound_of(tensor)
    if bound is None:
        return "(None, None)"
    extent = f'"{bound}"' if _open(net, bound) else text(size(bound))
    return f"({extent}, {ignored})"


def needed(tables: Mapping[str, Sequence[str]], words: Collection[str]) -> list[str]:
    """The lines of tables without those that nothing reads."""
    return [line for names, own in tables.items() if set(names.split(", ")) & set(words) for line in own]
