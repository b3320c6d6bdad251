"""The NumPy target: the stages of a network as functions over named arrays.

Enters: the stages of a network. Leaves: functions as text. Must not know: ops, files, the command line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from symbp.emit.blocks import WIDTH, Function, wrapped
from symbp.emit.names import Names
from symbp.emit.numpy_lines import NumpyLines
from symbp.emit.segments import GIVEN, STANDALONE, Network, Segment
from symbp.emit.tables import global_name
from symbp.ir.expr import Access
from symbp.ir.system import Role, Tensor


def functions(network: Network, names: Names) -> tuple[list[Function], set[str]]:
    """The functions of all stages, and the helpers that they call."""
    tensors = {t.name: t for t in (*network.system.tensors, *network.tensors)}
    found, helpers = [], set()
    for segment in network.segments:
        function, called = _stage(network, segment, tensors, names)
        found.append(function)
        helpers |= called
    return found, helpers


def _stage(
    network: Network, segment: Segment, tensors: Mapping[str, Tensor], names: Names
) -> tuple[Function, set[str]]:
    gradients = network.derivation.gradients
    backward = segment.name == "backward"
    first_use = {gradients[p.name]: p.name for p in reversed(network.parameters)} if backward else {}
    filled = {t.name for t in segment.program.buffers}
    out = {g: p for g, p in first_use.items() if g in filled}
    lines = NumpyLines(tensors, names, frozenset(out))
    body: list[str] = []
    for kernel in segment.program.kernels:
        body += lines.kernel(kernel)
    head = _unpacked(network, segment, names, body)
    own = [(p.name, g) for p in network.parameters for g in out if out[g] == p.name]
    head += _unpacked_names([(p, names.tensors[g]) for p, g in own], "gradients")
    if backward:
        rest = [p.name for p in network.parameters if out.get(gradients[p.name]) != p.name]
        body += [f'gradients["{p}"][...] = {names.tensors[gradients[p]]}' for p in rest]
    kept = [t.name for t in segment.program.buffers if t.name not in segment.program.inlined]
    entries = [f'"{name}": {names.tensors[name]}' for name in kept]
    if segment.name == "buffers":
        body += _buffer_lines(network, segment, names)
    elif segment.name in STANDALONE:
        body += wrapped("return {", entries, "}")
    elif len(kept) == 1:
        body.append(f'tensors["{kept[0]}"] = {names.tensors[kept[0]]}')
    elif entries:
        body += wrapped("tensors.update({", entries, "})")
    arguments = ["params", "data"] + ([] if segment.name in STANDALONE else ["tensors"])
    arguments += ["gradients"] if backward else []
    title = (
        f"The {segment.title}: {equation_range(segment)}."
        if segment.program.kernels
        else f"No {segment.title}."
    )
    function = Function(
        f"_{segment.name}", tuple(arguments), title, (*head, *body), ('@np.errstate(all="ignore")',)
    )
    return function, lines.helpers


def _unpacked(network: Network, segment: Segment, names: Names, body: list[str]) -> list[str]:
    """Local names for what a stage reads, and for the open sizes that its lines mention."""
    lines = []
    data = segment.leaves(*GIVEN)
    sources = (
        (data, "data"), (segment.leaves(Role.PARAMETER), "params"), (segment.computed_before, "tensors")
    )  # fmt: skip
    for tensors, mapping in sources:
        lines += _unpack(tensors, mapping, names)
    lines += [f"{names.tensors[t.name]} = {global_name(t.name)}" for t in segment.leaves(Role.HYPER)]
    mentioned = "\n".join(body)
    readable = (*data, *segment.leaves(Role.PARAMETER), *segment.computed_before)
    for size in network.open_sizes:
        if _mentions(mentioned, size):
            lines.append(_size_line(network, size, readable, names))
    return lines


def _buffer_lines(network: Network, segment: Segment, names: Names) -> list[str]:
    """The next values put into the buffers, all of them computed before."""
    own = {t.name for t in segment.program.buffers}
    lines: list[str] = []
    for buffer, value in network.system.updates.items():
        text = names.tensors[value] if value in own else f'tensors["{value}"]'
        if isinstance(network.system.defining[value].body, Access):  # it may be another buffer itself
            lines.insert(0, f"{names.tensors[value]} = np.array({text})")
            text = names.tensors[value]
        read = any(t.name == buffer for t in segment.program.leaves)
        place = names.tensors[buffer] if read else f'data["{buffer}"]'
        lines.append(f"{place}[...] = {text}")
    return lines


def _unpack(tensors: tuple[Tensor, ...], mapping: str, names: Names) -> list[str]:
    return _unpacked_names([(t.name, names.tensors[t.name]) for t in tensors], mapping)


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
