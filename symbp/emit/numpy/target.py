"""The NumPy target: the stages of a network as functions over named arrays.

Enters: the stages of a network. Leaves: functions as text. Must not know: ops, files, the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbp.emit.blocks import WIDTH, Function, equations_of, listed
from symbp.emit.names import Names
from symbp.emit.numpy.binding import Binding
from symbp.emit.numpy.filling import FillingLines, calls_for, known_forms
from symbp.emit.numpy.layers import AnyLayer, Kept, layered
from symbp.emit.numpy.scratch import Scratch
from symbp.emit.roll_layers import words_of
from symbp.emit.sections.tables import global_name
from symbp.emit.segments import GIVEN, LoweredNetwork, Segment, equation_range
from symbp.emit.workspace import own_gradients, successions
from symbp.ir.system import Role, Tensor


@dataclass(frozen=True)
class Stages:
    """The functions of all stages, the helpers that they call, the scratch that they share, which tensor
    takes another's place, the lines that make arrays, and those of each stage."""

    functions: list[Function]
    helpers: set[str]
    scratch: Scratch
    instead: dict[str, str]
    allocating: list[str]
    lines: dict[str, list[str]]


def functions(network: LoweredNetwork, names: Names) -> Stages:
    """The stages as functions over arrays by name."""
    tensors = tensors_of(network)
    found = Stages([], set(), Scratch(names.taken), successions(network), [], {})
    for segment in network.segments:
        calls = calls_for(network, segment, tensors, names, found.scratch, found.instead)
        lines = FillingLines(tensors, names, calls)
        body = [line for kernel in segment.program.kernels for line in lines.kernel(kernel)]
        stage = OneStage(network, segment, tensors, names, found.scratch)
        found.lines[segment.name] = [*body, *stage.last_lines()]
        own = stage.functions(body)
        found.functions.extend(own)
        for name in [n for n in found.instead if names.tensors[n] in calls.apart]:
            del found.instead[name]
        found.helpers.update(
            called(line for function in own for line in function.body) - {f.name for f in own}
        )
        found.allocating.extend(calls.allocating)
    return found


def tensors_of(network: LoweredNetwork) -> dict[str, Tensor]:
    """All that stages read or fill, by name."""
    read = [t for segment in network.segments for t in segment.program.leaves]
    return {t.name: t for t in (*network.system.tensors, *read, *network.tensors)}


def called(lines: Iterable[str]) -> set[str]:
    """The functions of the module that lines call."""
    return {name for line in lines for name in re.findall(r"(?<![\w.])_\w+(?=\()", line)}


class OneStage:
    """One stage as functions of the arrays that stay in their places: what these return runs the stage, or
    one of its layers, on given data."""

    def __init__(
        self,
        network: LoweredNetwork,
        segment: Segment,
        tensors: Mapping[str, Tensor],
        names: Names,
        scratch: Scratch,
    ) -> None:
        self.network, self.segment, self.tensors = network, segment, tensors
        self.names, self.scratch = names, scratch
        self.backward = segment.name == "backward"
        self.own = own_gradients(network) if self.backward else {}
        self.kept = self._kept()
        self.hyper = {names.tensors[t.name]: global_name(t.name) for t in segment.leaves(Role.HYPER)}
        self.sizes = {*network.sizes, *network.stage_sizes}
        self.arguments = ("params", "tensors", *(["gradients"] if self.backward else []))

    def functions(self, kernels: Sequence[str]) -> list[Function]:
        """The function of the stage, behind those of its equal layers."""
        body, head, found = list[str](), list[str](), list[Function]()
        for part in layered([*kernels, *self.last_lines()], self.kept, self.names.free):
            if isinstance(part, str):
                body.append(part)
                continue
            function = self._layer(part, len(found))
            found.append(function)
            layers = self.names.free("layers" if len(found) == 1 else f"layers{len(found)}")
            each = f"{function.name}({', '.join(function.arguments)})"
            head.append(f"{layers} = [{each} for {part.counter} in {part.range}]")
            given = "data" if "def run(data):" in function.body else ""
            body += [f"for {part.counter} in {layers}:", f"    {part.counter}({given})"]
        title = (
            f"The {self.segment.title}: {equation_range(self.segment)}."
            if self.segment.program.kernels
            else f"No {self.segment.title}."
        )
        arguments = (*self.arguments, *self.network.stage_sizes)
        stage = self._bound(f"_{self.segment.name}", arguments, title, body, self.kept, {}, head)
        return [*found, stage]

    def _layer(self, layer: AnyLayer, count: int) -> Function:
        numbers = sorted({n for line in layer.lines for n in equations_of(line)})
        doc = f"One of some equal layers of the {self.segment.title}, in all equations {listed(numbers)}."
        name = f"_{self.segment.name}_layer{count + 1 if count else ''}"
        sizes = [size for size in self.network.stage_sizes if size in words_of(layer.lines)]
        arguments = (*self.arguments, layer.counter, *sizes)
        kept = [*layer.arrays, *self.kept]
        return self._bound(name, arguments, doc, layer.lines, kept, layer.like, [])

    def _bound(
        self,
        name: str,
        arguments: tuple[str, ...],
        doc: str,
        lines: Sequence[str],
        kept: Sequence[Kept],
        like: Mapping[str, str],
        made: Sequence[str],
    ) -> Function:
        """A function that binds what stays, and returns the function that runs the lines; `like` gives names
        whose form is that of other arrays, `made` are lines at its end."""
        forms = known_forms(self.network, self.tensors, self.names, self.scratch)
        forms.known.update({name: forms.known[other] for name, other in like.items()})
        fixed = frozenset({array.name for array in kept} | self.sizes | self.hyper.keys())
        binding = Binding(forms, fixed, self.names.free, set(self.scratch.shapes))
        body = binding.lines(lines)
        words = words_of([*binding.head, *body])
        constants = [f"{own} = {text}" for own, text in self.hyper.items() if own in words]
        head = [*unpacked([a for a in kept if a.name in words]), *constants, *binding.head, *made]
        given = [(t.name, self.names.tensors[t.name]) for t in self.segment.leaves(*GIVEN)]
        data = [Kept(own, "data", f'"{name}"') for name, own in given if own in words_of(body)]
        inner = [*unpacked(data), *body] or ["pass"]
        whole = name == f"_{self.segment.name}" or "data" in words_of(inner)
        run = [f"def run({'data' if whole else ''}):", *(f"    {line}" for line in inner), "", "return run"]
        return Function(name, arguments, doc, (*head, "", *run))

    def last_lines(self) -> list[str]:
        """The gradients that are no tensor of their own, and buffers' next values."""
        if self.segment.name == "buffers":
            return _buffer_lines(self.network, self.names)
        if not self.backward:
            return []
        gradients, own = self.network.derivation.gradients, self.own.values()
        rest = [p.name for p in self.network.parameters if p.name not in own]
        return [f'gradients["{p}"][...] = {self.names.tensors[gradients[p]]}' for p in rest]

    def _kept(self) -> list[Kept]:
        """The arrays that stay in their places."""
        names = self.names.tensors
        absent = {*self.own, *self.segment.program.inlined}
        parameters = [t.name for t in self.segment.leaves(Role.PARAMETER)]
        filled = [t.name for t in self.network.tensors if t.name not in absent]
        extra = (*self.scratch.shapes, *self.scratch.constants)
        return [
            *(Kept(names[n], "params", f'"{n}"', self._kind(n)) for n in parameters),
            *(Kept(names[n], "tensors", f'"{n}"', self._kind(n)) for n in filled),
            *(Kept(names[g], "gradients", f'"{p}"', self._kind(g)) for g, p in self.own.items()),
            *(Kept(n, "tensors", f'"{n}"') for n in extra),  # scratch, which equal layers share
        ]

    def _kind(self, name: str) -> object:
        """What must be equal where one array takes another's place."""
        tensor = self.tensors[name]
        return tensor.shape, tensor.integer


def _buffer_lines(network: LoweredNetwork, names: Names) -> list[str]:
    """The next values put into the buffers, all of them computed before."""
    return [
        f'data["{buffer}"][...] = {names.tensors[value]}' for buffer, value in network.system.updates.items()
    ]


def unpacked(arrays: Sequence[Kept]) -> list[str]:
    """`x, y = data["x"], data["y"]`: at most four at once, of one mapping and kind, no longer than a line."""
    lines: list[str] = []
    group: list[Kept] = []

    def line(of: Sequence[Kept]) -> str:
        return f"{', '.join(a.name for a in of)} = {', '.join(a.text for a in of)}"

    for array in arrays:
        apart = group and (array.mapping, array.kind is None) != (group[0].mapping, group[0].kind is None)
        if apart or (group and (len(group) == 4 or len(line([*group, array])) > WIDTH - 4)):
            lines.append(line(group))
            group = []
        group.append(array)
    return [*lines, line(group)] if group else lines
