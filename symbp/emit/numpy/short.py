"""A network's passes as one function: arrays by shape, then forward pass, loss, gradients, metrics over them.

Enters: the stages of a network whose shapes are plain. Leaves: functions as text and tables, or None where a
network needs more than that. Must not know: ops, what a module does with the passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from symbp.emit.blocks import WIDTH, Function
from symbp.emit.elements import ElementSpelling
from symbp.emit.inference.form import Kind
from symbp.emit.names import Names, key_of
from symbp.emit.numpy.binding import Binding
from symbp.emit.numpy.filling import known_forms
from symbp.emit.numpy.layers import Kept, layered
from symbp.emit.numpy.target import OneStage, Stages, tensors_of, unpacked
from symbp.emit.roll_layers import words_of
from symbp.emit.sections.tables import CHECKED, _quoted, constant_lines, quoted
from symbp.emit.segments import GIVEN, LoweredNetwork
from symbp.emit.update import hyperparameters
from symbp.emit.workspace import own_gradients
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.machine import BLOCK
from symbp.ir.system import Tensor
from symbp.ir.training import UpdateRule

PASSES = ("forward", "loss", "backward", "metrics")
DTYPES: dict[Kind, str] = {"real": "DTYPE", "integer": "np.int64", "bool": "bool"}


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
    lines = {part.segment.name: stages.lines[part.segment.name] for part in parts}
    gradients = own_gradients(net)
    every = dict.fromkeys(array for part in parts for array in part.kept)
    kept = [a for a in every if a.mapping != "tensors" or a.key[1:-1] not in gradients]
    fixed = frozenset({a.name for a in kept} | parts[0].sizes | {n for p in parts for n in p.hyper})
    taken = set(stages.scratch.shapes) | {word for own in lines.values() for word in words_of(own)}
    binding = Binding(
        known_forms(net, tensors, names, stages.scratch), fixed, names.free, taken, speaking=True
    )
    runs: list[tuple[str, list[Kept], list[str]]] = []
    for part in parts:
        own = lines[part.segment.name]
        if any(not isinstance(line, str) for line in layered(own, part.kept, names.free)):
            return None  # equal layers are written once, in functions of their own
        data = [Kept(names.tensors[t.name], "data", f'"{t.name}"') for t in part.segment.leaves(*GIVEN)]
        runs.append((f"run_{part.segment.name}", data, binding.lines(own)))
    if len(wanted) < len(PASSES):  # nobody asks for one pass without the others
        every_data = list(dict.fromkeys(a for _, data, _ in runs for a in data))
        runs = [("run", every_data, [line for _, _, body in runs for line in body])]
    inside = [line for run in runs for line in _run(*run)]
    bound = [line.partition(" = ")[0] for line in binding.head]
    if len(set(bound)) < len(bound) or fixed & set(bound):
        return None  # a name that means one thing in one pass and another in the next
    words = words_of([*binding.head, *inside])
    results = _results(net, names, wanted)
    used = [a for a in kept if a.name in words | set(results.values())]
    if not set(results.values()) <= {a.name for a in used if a.mapping == "tensors"}:
        return None
    constants = {own: text for part in parts for own, text in part.hyper.items() if own in words}
    returned = ", ".join(f'"{name}": {own}' for name, own in results.items())
    head = [
        *_by_parameter(net, "params", used),
        *_by_parameter(net, "gradients", used),
        *_joined([f"{own} = {text}" for own, text in constants.items()]),
        *(
            line
            for of in _arrays(net, names, stages, [a.name for a in used if a.mapping == "tensors"])
            for line in _joined(of)
        ),
        *_joined(binding.head),
    ]
    called = [name for name, _, _ in runs]
    end = f"return ({', '.join(called)}{',' * (len(called) == 1)}), {{{returned}}}"
    doc = "The passes over arrays of these sizes, as functions of the data; the arrays of their results."
    return Function("_network", ("params", "gradients", *_sizes(net)), doc, (*head, *inside, "", end))


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


def _run(name: str, data: Sequence[Kept], body: Sequence[str]) -> list[str]:
    """A function inside of another that runs lines on data."""
    inner = [*unpacked([a for a in data if a.name in words_of(body)]), *body] or ["pass"]
    return ["", f"def {name}(data):", *(f"    {line}" for line in inner)]


def _joined(lines: Sequence[str]) -> list[str]:
    """Plain assignments beside each other, where none reads what another one names."""
    found: list[str] = []
    group: list[tuple[str, str]] = []
    for line in lines:
        one = re.fullmatch(r"(\w+) = ([^#]*[^#\[({,])", line)
        beside = [*group, (one[1], one[2])] if one else []
        if one and len(_beside(beside)) + 4 <= WIDTH and words_of([one[2]]).isdisjoint(n for n, _ in group):
            group = beside
            continue
        found += [_beside(group)] if group else []
        group = [(one[1], one[2])] if one else []
        found += [] if one else [line]
    return [*found, _beside(group)] if group else found


def _beside(group: Sequence[tuple[str, str]]) -> str:
    return f"{', '.join(name for name, _ in group)} = {', '.join(value for _, value in group)}"


def _by_parameter(net: LoweredNetwork, mapping: str, used: Sequence[Kept]) -> list[str]:
    """`W1, b1 = params.values()` where all of them are read."""
    found = {a.key: a for a in used if a.mapping == mapping}
    ordered = [found[key] for key in (f'"{p.name}"' for p in net.parameters) if key in found]
    line = f"{', '.join(a.name for a in ordered)} = {mapping}.values()"
    if len(ordered) == len(net.parameters) > 1 and len(line) + 4 <= WIDTH:
        return [line]
    return unpacked(ordered)


def _arrays(net: LoweredNetwork, names: Names, stages: Stages, used: Sequence[str]) -> Iterator[list[str]]:
    """Arrays of one shape and kind in a line; constants; who takes whose place."""
    shapes: dict[str, tuple[Sequence[Expr], Kind]] = {
        names.tensors[t.name]: (t.shape, "integer" if t.integer else "real") for t in net.tensors
    }
    shapes |= stages.scratch.shapes
    instead = {names.tensors[new]: names.tensors[old] for new, old in stages.instead.items()}
    known = [name for name in dict.fromkeys((*used, *_origins(used, instead))) if name in shapes]
    groups: dict[tuple[str, Kind], list[str]] = {}
    for name in known:
        if name not in instead:
            shape, kind = shapes[name]
            groups.setdefault((_shape(shape), kind), []).append(name)
    yield [line for (shape, kind), of in groups.items() for line in _made(of, shape, DTYPES[kind])]
    lines: list[str] = []
    for name, (extents, kind, text) in stages.scratch.constants.items():
        made = "arange" if text.startswith("np.arange") else "ones" if text.startswith("np.ones") else "zeros"
        if name in used:
            dtype = "DTYPE" if kind == "real" else f"dtype={DTYPES[kind]}"
            extent = _shape(extents)[1:-2] if len(extents) == 1 else _shape(extents)
            lines.append(f"{name} = np.{made}({extent}, {dtype})")
    yield lines
    lines = []
    for name in known:
        if name in instead:
            old, *_ = _origins([name], instead)
            same = _shape(shapes[name][0]) == _shape(shapes[old][0])
            lines.append(f"{name} = {old}" + ("" if same else f".reshape({_shape(shapes[name][0])})"))
    yield lines


def _origins(used: Sequence[str], instead: dict[str, str]) -> Iterable[str]:
    """The arrays whose places others take, the first ones first."""
    found: list[str] = []
    for name in used:
        while name in instead:
            name = instead[name]
            found.append(name)
    return reversed(found)


def _made(names: Sequence[str], shape: str, dtype: str) -> list[str]:
    """`z1, h = np.zeros((2, N, H), DTYPE)`, in lines that fit."""
    lines: list[str] = []
    rest = list(names)
    while rest:
        count = len(rest)
        while count > 1 and len(line := _line(rest[:count], shape, dtype)) + 4 > WIDTH:
            count -= 1
        line = _line(rest[:count], shape, dtype)
        lines.append(line)
        rest = rest[count:]
    return lines


def _line(names: Sequence[str], shape: str, dtype: str) -> str:
    one = f"np.zeros({shape[1:-2] if shape.endswith(',)') else shape}, {dtype})"
    if len(names) == 1:
        return f"{names[0]} = {one}"
    if shape == "()":
        return f"{', '.join(names)} = {', '.join([one] * len(names))}"
    inner = shape[1:-1].rstrip(",")
    return f"{', '.join(names)} = np.zeros(({len(names)}, {inner}), {dtype})"


def _shape(shape: Sequence[Expr]) -> str:
    spelled = ElementSpelling({}, {}, {})
    extents = [spelled.integer(extent).text for extent in shape]
    return f"({', '.join(extents)}{',' if len(extents) == 1 else ''})"


def own_scratch(update: Function, stages: Stages, count: Expr) -> Function:
    """An update that makes its scratch itself; without blocks, where there is but one."""
    found = dict.fromkeys(re.findall(r'tensors\["(\w+)"\]', "\n".join(update.body)))
    body = [re.sub(r'tensors\["(\w+)"\]', r"\1", line) for line in update.body]
    fits = count.is_Integer and count <= BLOCK and " in blocks:" in "\n".join(body)
    groups: dict[tuple[str, Kind], list[str]] = {}
    for name in found:
        shape, kind = stages.scratch.shapes[name]
        groups.setdefault((_shape(shape), kind), []).append(name)
    if fits:
        groups = {(f"(len({update.arguments[1]}),)", kind): of for (_, kind), of in groups.items()}
    made = [line for (shape, kind), of in groups.items() for line in _made(of, shape, DTYPES[kind])]
    arguments = tuple(a for a in update.arguments if a != "tensors")
    if fits:
        body = _in_one(body, arguments)
    return replace(update, arguments=arguments, body=(*made, *body))


def _in_one(body: Sequence[str], arenas: Sequence[str]) -> list[str]:
    """The lines of an update over whole arenas, of one over blocks of them."""
    loop = next(
        k for k, line in enumerate(body) if line.startswith("    for ") and line.endswith(" in blocks:")
    )
    first = next(k for k, line in enumerate(body) if ".append((" in line) + 1
    inner = [line.removeprefix("    ") for line in body[loop + 1 : body.index("", loop)]]
    for arena in arenas:
        inner = [re.sub(rf"\b{arena}_block\b", arena, line) for line in inner]
    return [*body[first:loop], *inner, *body[body.index("", loop) :]]


def short_tables(net: LoweredNetwork, rule: UpdateRule) -> list[str]:
    """The constants of a short module: sizes, shapes, integers' bounds, the settings of the update."""
    hyper = [f'"{h}": {float(rule.hyper[h])!r}' for h in hyperparameters(rule.system)]
    integers = [f'"{t.name}": {_bound(net, t)}' for t in net.data if t.integer]
    return [
        *([f"{', '.join(net.sizes)} = {', '.join(map(str, net.sizes.values()))}"] if net.sizes else []),
        f'NAME = "{net.derivation.name}"',
        *constant_lines(net.constants),
        f"SHAPING = {quoted(net.shaping)}",
        *_table("PARAMETERS", [f'"{t.name}": {_named_shape(net, t)}' for t in net.parameters]),
        *_table("INPUTS", [f'"{t.name}": {_named_shape(net, t)}' for t in net.data]),
        *_table("INTEGERS: dict[str, tuple[int | str | None, int | None]]", integers),
        f"FORWARD_INPUTS = {quoted(net.forward_data)}",
        f"OUTPUTS = {quoted(net.system.outputs)}",
        f"METRICS = {quoted(net.metrics)}",
        f"BATCH: str | None = {_quoted(net.batch)}",
        f"MOMENTS = {quoted(rule.moments)}",
        "LARGE = float(np.finfo(DTYPE).max) / 2**20  # from such sums of squares on moments may overflow",
        *_table("HYPER" if hyper else "HYPER: dict[str, float]", hyper),
        "Array = np.ndarray",
    ]


def _table(name: str, entries: Sequence[str]) -> list[str]:
    one = f"{name} = {{{', '.join(entries)}}}"
    return [one] if len(one) <= WIDTH else [f"{name} = {{", *(f"    {entry}," for entry in entries), "}"]


def _named_shape(net: LoweredNetwork, tensor: Tensor) -> str:
    """`("N", D)`: open sizes by their names."""
    opened = [isinstance(e, Size) and e.name not in net.sizes for e in tensor.shape]
    words = [f'"{e}"' if o else _shape([e])[1:-2] for e, o in zip(tensor.shape, opened, strict=True)]
    return f"({', '.join(words)}{',' if len(words) == 1 else ''})"


def _bound(net: LoweredNetwork, tensor: Tensor) -> str:
    """The bound of integers, by its name where it is an open size, and the value beside those below it."""
    fact = tensor.fact("below") or tensor.fact("below or ignored")
    if fact is None or fact.bound is None:
        return "(None, None)"
    bound = f'"{fact.bound}"' if _open(net, fact.bound) else _shape([fact.bound])[1:-2]
    return f"({bound}, {fact.ignored})"


def needed(lines: Iterable[str], text: str) -> list[str]:
    """The lines of tables without those that nothing reads."""
    words = set(re.findall(r"\w+", text))
    found, keep = list[str](), True
    for line in lines:
        opening = re.match(r"([A-Za-z_]\w*(?:, \w+)*)\b.*? = ", line)
        keep = any(n in words for n in opening[1].split(", ")) if opening else keep
        found += [line] if keep else []
    return found
