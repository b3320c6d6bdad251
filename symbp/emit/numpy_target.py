"""The NumPy target: the stages of a network as functions over named arrays.

Enters: the stages of a network. Leaves: functions as text. Must not know: ops, files, the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbp.emit.blocks import WIDTH, Function
from symbp.emit.forms import Forms
from symbp.emit.names import Names
from symbp.emit.numpy_binding import Binding
from symbp.emit.numpy_filling import FillingLines, calls_for, known_forms
from symbp.emit.scratch import Scratch
from symbp.emit.segments import GIVEN, Network, Segment
from symbp.emit.tables import global_name
from symbp.emit.workspace import own_gradients, successions
from symbp.ir.system import Role


@dataclass(frozen=True)
class Stages:
    """The functions of all stages, the helpers that they call, the scratch that they share, which tensor
    takes another's place, and the lines that make arrays."""

    functions: list[Function]
    helpers: set[str]
    scratch: Scratch
    instead: dict[str, str]
    allocating: list[str]


def functions(network: Network, names: Names) -> Stages:
    """The stages as functions over arrays by name."""
    read = [t for segment in network.segments for t in segment.program.leaves]
    tensors = {t.name: t for t in (*network.system.tensors, *read, *network.tensors)}
    found = Stages([], set(), Scratch(names.taken), successions(network), [])
    for segment in network.segments:
        calls = calls_for(network, segment, tensors, names, found.scratch, found.instead)
        lines = FillingLines(tensors, names, calls)
        body = [line for kernel in segment.program.kernels for line in lines.kernel(kernel)]
        forms = known_forms(network, tensors, names, found.scratch)
        function = _stage(network, segment, body, forms, names, found.scratch)
        found.functions.append(function)
        for name in [n for n in found.instead if names.tensors[n] in calls.apart]:
            del found.instead[name]
        found.helpers.update(called(function.body))
        found.allocating.extend(calls.allocating)
    return found


def called(lines: Iterable[str]) -> set[str]:
    """The functions of the module that lines call."""
    return {name for line in lines for name in re.findall(r"(?<![\w.])_\w+(?=\()", line)}


def _stage(
    network: Network, segment: Segment, kernels: Sequence[str], forms: Forms, names: Names, scratch: Scratch
) -> Function:
    """A function of the arrays that stay in their places; what it returns runs the stage on given data."""
    backward = segment.name == "backward"
    gradients = network.derivation.gradients
    own = own_gradients(network) if backward else {}
    body = list(kernels)
    if backward:
        rest = [p.name for p in network.parameters if p.name not in own.values()]
        body += [f'gradients["{p}"][...] = {names.tensors[gradients[p]]}' for p in rest]
    if segment.name == "buffers":
        body += _buffer_lines(network, names)
    staying = _staying(network, segment, names, scratch, own)
    sizes = {*network.sizes, *network.stage_sizes}
    hyper = {names.tensors[t.name] for t in segment.leaves(Role.HYPER)}
    fixed = frozenset({row[1] for rows, _ in staying for row in rows} | sizes | hyper)
    binding = Binding(forms, fixed, names.free, set(scratch.shapes))
    body = binding.lines(body)
    arguments = ("params", "tensors", *(["gradients"] if backward else []), *network.stage_sizes)
    title = (
        f"The {segment.title}: {equation_range(segment)}."
        if segment.program.kernels
        else f"No {segment.title}."
    )
    head = [*_unpacked(staying, [*binding.head, *body]), *_constants(segment, names), *binding.head]
    given = [(t.name, names.tensors[t.name]) for t in segment.leaves(*GIVEN)]
    inner = [*_unpacked([(given, "data")], body), *body] or ["pass"]
    run = ["def run(data):", *(f"    {line}" for line in inner), "", "return run"]
    return Function(f"_{segment.name}", arguments, title, (*head, "", *run))


Rows = list[tuple[str, str]]  # names of arrays, and what they are called in the lines


def _staying(
    network: Network, segment: Segment, names: Names, scratch: Scratch, own: Mapping[str, str]
) -> list[tuple[Rows, str]]:
    """The arrays that stay in their places, by the mapping that has them."""
    extra = (*scratch.shapes, *scratch.constants)
    absent = {*own, *segment.program.inlined}
    return [
        ([(t.name, names.tensors[t.name]) for t in segment.leaves(Role.PARAMETER)], "params"),
        ([(t.name, names.tensors[t.name]) for t in network.tensors if t.name not in absent], "tensors"),
        ([(p, names.tensors[g]) for g, p in own.items()], "gradients"),
        ([(name, name) for name in extra], "tensors"),
    ]  # fmt: skip


def _unpacked(sources: Sequence[tuple[Rows, str]], lines: Sequence[str]) -> list[str]:
    """Local names for the arrays that lines mention."""
    mentioned = {word for line in lines for word in re.findall(r"\w+", re.sub(r"  # .*", "", line))}
    found: list[str] = []
    for rows, mapping in sources:
        found += _unpacked_names([row for row in rows if row[1] in mentioned], mapping)
    return found


def _constants(segment: Segment, names: Names) -> list[str]:
    """The network's own constants under their own names."""
    return [f"{names.tensors[t.name]} = {global_name(t.name)}" for t in segment.leaves(Role.HYPER)]


def _buffer_lines(network: Network, names: Names) -> list[str]:
    """The next values put into the buffers, all of them computed before."""
    return [
        f'data["{buffer}"][...] = {names.tensors[value]}' for buffer, value in network.system.updates.items()
    ]


def _unpacked_names(rows: list[tuple[str, str]], mapping: str) -> list[str]:
    """`x, y = data["x"], data["y"]`: at most four at once, and no longer than a line."""
    lines: list[str] = []
    group: list[tuple[str, str]] = []

    def line(of: list[tuple[str, str]]) -> str:
        left = ", ".join(identifier for _, identifier in of)
        return f"{left} = " + ", ".join(f'{mapping}["{name}"]' for name, _ in of)

    for row in rows:
        if group and (len(group) == 4 or len(line([*group, row])) > WIDTH - 4):
            lines.append(line(group))
            group = []
        group.append(row)
    return [*lines, line(group)] if group else lines


def equation_range(segment: Segment) -> str:
    """The numbers of a stage's equations in words: `equations (1) to (8)`."""
    numbers = segment.program.numbers
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"({r[0]})" if len(r) == 1 else f"({r[0]}) to ({r[-1]})" for r in runs]
    return f"equation{'s' if len(numbers) > 1 else ''} {', '.join(parts)}"
