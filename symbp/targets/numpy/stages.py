"""The NumPy target: the stages of a network as functions over named arrays.

Enters: the stages of a network. Leaves: functions. Must not know: ops, files, the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbp.codegen import infer, tree
from symbp.codegen.function import WIDTH, Function, names_in
from symbp.codegen.printer import listed, one_line
from symbp.codegen.roll_layers import all_equations
from symbp.ir.system import Role, Tensor
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.scratch import Scratch
from symbp.targets.compiled.sections.tables import global_name
from symbp.targets.compiled.segments import GIVEN, LoweredNetwork, Segment, equation_range
from symbp.targets.compiled.workspace import own_gradients, successions
from symbp.targets.numpy.binding import Binding
from symbp.targets.numpy.filling import FillingLines, calls_for, known_forms
from symbp.targets.numpy.layers import AnyLayer, Kept, layered


@dataclass(frozen=True)
class Stages:
    """The functions of all stages, the helpers that they call, the scratch that they share, which tensor
    takes another's place, the lines that make arrays, and the code of each stage."""

    functions: list[Function]
    helpers: set[str]
    scratch: Scratch
    instead: dict[str, str]
    allocating: list[str]
    code: dict[str, list[tree.Statement]]


def functions(network: LoweredNetwork, names: Names) -> Stages:
    """The stages as functions over arrays by name."""
    tensors = tensors_of(network)
    found = Stages([], set(), Scratch(names.taken), successions(network), [], {})
    for segment in network.segments:
        calls = calls_for(network, segment, tensors, names, found.scratch, found.instead)
        lines = FillingLines(tensors, names, calls)
        code = [s for kernel in segment.program.kernels for s in lines.kernel(kernel)]
        stage = OneStage(network, segment, tensors, names, found.scratch)
        found.code[segment.name] = [*code, *stage.last_lines()]
        own = stage.functions(code)
        found.functions.extend(own)
        for name in [n for n in found.instead if names.tensors[n] in calls.apart]:
            del found.instead[name]
        found.helpers.update({n for f in own for n in f.calls} - {f.name for f in own})
        found.allocating.extend(calls.allocating)
    return found


def tensors_of(network: LoweredNetwork) -> dict[str, Tensor]:
    """All that stages read or fill, by name."""
    read = [t for segment in network.segments for t in segment.program.leaves]
    return {t.name: t for t in (*network.system.tensors, *read, *network.tensors)}


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

    def functions(self, kernels: Sequence[tree.Statement]) -> list[Function]:
        """The function of the stage, behind those of its equal layers."""
        body, head, found = list[tree.Statement](), list[tree.Assign](), list[Function]()
        for part in layered([*kernels, *self.last_lines()], self.kept, self.names.free):
            if isinstance(part, tree.Statement):
                body.append(part)
                continue
            function, reads = self._layer(part, len(found))
            found.append(function)
            layers = local(self.names.free("layers" if len(found) == 1 else f"layers{len(found)}"))
            counter = local(part.counter)
            one = infer.called(function.name, *map(local, function.arguments))
            head.append(tree.Assign(layers, tree.Comprehension((), "object", one, counter, part.range)))
            given = [local("data")] if reads else []
            body.append(tree.For(counter, layers, (tree.Effect(infer.called(part.counter, *given)),)))
        title = (
            f"The {self.segment.title}: {equation_range(self.segment)}."
            if self.segment.program.kernels
            else f"No {self.segment.title}."
        )
        arguments = (*self.arguments, *self.network.stage_sizes)
        code = self._bound(body, self.kept, {}, head, whole=True)
        return [*found, Function(f"_{self.segment.name}", arguments, title, code)]

    def _layer(self, layer: AnyLayer, count: int) -> tuple[Function, bool]:
        """The function of any of some equal layers, and whether that reads data."""
        numbers = listed(all_equations(layer.body))
        doc = f"One of some equal layers of the {self.segment.title}, in all equations {numbers}."
        name = f"_{self.segment.name}_layer{count + 1 if count else ''}"
        sizes = [size for size in self.network.stage_sizes if size in names_in(layer.body)]
        arguments = (*self.arguments, layer.counter, *sizes)
        code = self._bound(layer.body, [*layer.arrays, *self.kept], layer.like, [], whole=False)
        reads = any(isinstance(s, tree.Define) and s.arguments for s in code)
        return Function(name, arguments, doc, code), reads

    def _bound(
        self,
        code: Sequence[tree.Statement],
        kept: Sequence[Kept],
        like: Mapping[str, str],
        made: Sequence[tree.Assign],
        *,
        whole: bool,
    ) -> tuple[tree.Statement, ...]:
        """The body of a function that binds what stays, and returns the function that runs the code, on data
        if it reads any or is a `whole` stage; `like` gives names whose form is that of other arrays, `made`
        are statements at its end."""
        forms = known_forms(self.network, self.tensors, self.names, self.scratch)
        forms.known.update({name: forms.known[other] for name, other in like.items()})
        fixed = frozenset({array.name for array in kept} | self.sizes | self.hyper.keys())
        binding = Binding(forms, fixed, self.names.free, set(self.scratch.shapes))
        body = binding.bind(code)
        words = names_in([*binding.head, *body])
        constants = [tree.Assign(local(own), local(word)) for own, word in self.hyper.items() if own in words]
        head = [*unpacked([a for a in kept if a.name in words]), *constants, *binding.head, *made]
        given = [(t.name, self.names.tensors[t.name]) for t in self.segment.leaves(*GIVEN)]
        data = [Kept(own, "data", f'"{name}"') for name, own in given if own in names_in(body)]
        inner = (*unpacked(data), *body)
        arguments = (local("data"),) if whole or "data" in names_in(inner) else ()
        run = tree.Define("run", arguments, (), inner or (tree.Pass(),))
        return (*head, tree.Blank(), run, tree.Blank(), tree.Return(local("run")))

    def last_lines(self) -> list[tree.Assign]:
        """The gradients that are no tensor of their own, and buffers' next values."""
        if self.segment.name == "buffers":
            return _buffer_lines(self.network, self.names)
        if not self.backward:
            return []
        gradients, own = self.network.derivation.gradients, self.own.values()
        rest = [p.name for p in self.network.parameters if p.name not in own]
        return [_stored("gradients", p, self.names.tensors[gradients[p]]) for p in rest]

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


def _buffer_lines(network: LoweredNetwork, names: Names) -> list[tree.Assign]:
    """The next values put into the buffers, all of them computed before."""
    return [_stored("data", buffer, names.tensors[value]) for buffer, value in network.system.updates.items()]


def _stored(mapping: str, key: str, name: str) -> tree.Assign:
    """`data["mean"][...] = mean_next`."""
    return tree.Assign(infer.sliced(Kept(name, mapping, f'"{key}"').node, [tree.Rest()], ()), local(name))


def local(name: str) -> tree.Name:
    return infer.word(name)


def unpacked(arrays: Sequence[Kept]) -> list[tree.Assign]:
    """`x, y = data["x"], data["y"]`: at most four at once, of one mapping and kind, no longer than a line."""
    lines: list[tree.Assign] = []
    group: list[Kept] = []

    def line(of: Sequence[Kept]) -> tree.Assign:
        return beside([(local(a.name), a.node) for a in of])

    for array in arrays:
        apart = group and (array.mapping, array.kind is None) != (group[0].mapping, group[0].kind is None)
        if apart or (group and (len(group) == 4 or len(one_line(line([*group, array]))) > WIDTH - 4)):
            lines.append(line(group))
            group = []
        group.append(array)
    return [*lines, line(group)] if group else lines


def beside(pairs: Sequence[tuple[tree.Name, tree.Expression]]) -> tree.Assign:
    """`a, b = 1, 2`."""
    if len(pairs) == 1:
        return tree.Assign(*pairs[0])
    names, values = zip(*pairs, strict=True)
    return tree.Assign(infer.tuple_of(*names), infer.tuple_of(*values))
