"""The NumPy target: the stages of a network as functions over named arrays.

Enters: the stages of a network. Leaves: functions as text. Must not know: ops, files, the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbp.emit.blocks import WIDTH, Function
from symbp.emit.names import Names
from symbp.emit.numpy_filling import FillingLines, calls_for
from symbp.emit.scratch import Scratch
from symbp.emit.segments import GIVEN, Network, Segment
from symbp.emit.tables import global_name
from symbp.emit.workspace import own_gradients, successions
from symbp.ir.system import Role, Tensor


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
        function = _stage(network, segment, FillingLines(tensors, names, calls), names)
        found.functions.append(function)
        for name in [n for n in found.instead if names.tensors[n] in calls.apart]:
            del found.instead[name]
        found.helpers.update(called(function.body))
        found.allocating.extend(calls.allocating)
    return found


def called(lines: Iterable[str]) -> set[str]:
    """The functions of the module that lines call."""
    return {name for line in lines for name in re.findall(r"(?<![\w.])_\w+(?=\()", line)}


def _stage(network: Network, segment: Segment, lines: FillingLines, names: Names) -> Function:
    backward = segment.name == "backward"
    gradients = network.derivation.gradients
    own = own_gradients(network) if backward else {}
    body: list[str] = []
    for kernel in segment.program.kernels:
        body += lines.kernel(kernel)
    if backward:
        rest = [p.name for p in network.parameters if p.name not in own.values()]
        body += [f'gradients["{p}"][...] = {names.tensors[gradients[p]]}' for p in rest]
    if segment.name == "buffers":
        body += _buffer_lines(network, names)
    head = _unpacked(network, segment, names, lines.calls.scratch, own, body)
    arguments = ("params", "data", "tensors", *(["gradients"] if backward else []))
    title = (
        f"The {segment.title}: {equation_range(segment)}."
        if segment.program.kernels
        else f"No {segment.title}."
    )
    return Function(f"_{segment.name}", arguments, title, (*head, *body) or ("pass",))


def _unpacked(
    network: Network,
    segment: Segment,
    names: Names,
    scratch: Scratch,
    own: Mapping[str, str],
    body: Sequence[str],
) -> list[str]:
    """Local names for the arrays that the lines of a stage mention, and for the open sizes."""
    mentioned = "\n".join(re.sub(r"  # .*", "", line) for line in body)
    data, parameters = segment.leaves(*GIVEN), segment.leaves(Role.PARAMETER)
    extra = (*scratch.shapes, *scratch.constants)
    absent = {*own, *segment.program.inlined}
    sources = (
        ([(t.name, names.tensors[t.name]) for t in data], "data"),
        ([(t.name, names.tensors[t.name]) for t in parameters], "params"),
        ([(t.name, names.tensors[t.name]) for t in network.tensors if t.name not in absent], "tensors"),
        ([(p, names.tensors[g]) for g, p in own.items()], "gradients"),
        ([(name, name) for name in extra], "tensors"),
    )  # fmt: skip
    lines = []
    for rows, mapping in sources:
        lines += _unpacked_names([row for row in rows if _mentions(mentioned, row[1])], mapping)
    lines += [f"{names.tensors[t.name]} = {global_name(t.name)}" for t in segment.leaves(Role.HYPER)]
    read = [t for t in (*data, *parameters) if _mentions(mentioned, names.tensors[t.name])]
    readable = (*read, *(t for t in network.tensors if _mentions(mentioned, names.tensors[t.name])))
    for size in network.open_sizes:
        if _mentions(mentioned, size):
            lines.append(_size_line(network, size, readable, names))
    return lines


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


def _size_line(network: Network, size: str, readable: tuple[Tensor, ...], names: Names) -> str:
    found = network.witness(size, readable)
    if found is not None:
        text = names.tensors[found[0].name]
    else:
        given = [t for t in network.data if t.name in network.forward_data]
        found = network.witness(size, (*network.parameters, *given, *network.data))
        if found is None:
            raise ValueError(f"size {size} is neither bound nor the extent of an input or a parameter")
        mapping = "params" if found[0].role == Role.PARAMETER else "data"
        text = f'{mapping}["{found[0].name}"]'
    return f"{size} = len({text})" if found[1] == 0 else f"{size} = {text}.shape[{found[1]}]"


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


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
