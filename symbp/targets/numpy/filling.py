"""The lines of a NumPy stage as calls that fill arrays which are there, statement by statement.

Enters: kernels, names, the scratch of a module. Leaves: statements.
Must not know: the order of stages, where memory lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbp.codegen.tree import Statement
from symbp.ir.system import Role, Tensor
from symbp.lower.program import Contraction, EquationKernel, Kernel, MatrixKernel, Scan
from symbp.targets.compiled.form import NUMBER, Form, Kind
from symbp.targets.compiled.names import Names
from symbp.targets.compiled.scratch import Scratch
from symbp.targets.compiled.sections.runtime_files import takes_out
from symbp.targets.compiled.segments import LoweredNetwork, Segment
from symbp.targets.numpy.inference.calls import Calls
from symbp.targets.numpy.inference.shape_inference import Forms
from symbp.targets.numpy.kernels.lines import NumpyLines


class FillingLines(NumpyLines):
    """The lines of one stage; every tensor is an array that is there."""

    def __init__(self, tensors: Mapping[str, Tensor], names: Names, calls: Calls) -> None:
        super().__init__(tensors, names, frozenset(tensors))
        self.calls = calls
        self.inside = False
        self.awaited: set[int] = set()  # equations of which a later statement reads local names

    def kernel(self, kernel: Kernel) -> Iterator[Statement]:
        if isinstance(kernel, (Contraction, MatrixKernel)):
            lines = list(super().kernel(kernel))
            yield from self.calls.statement(lines)
            if isinstance(kernel, Contraction) and kernel.inline:
                self.awaited |= {kernel.number} if self.calls.local else set()
            else:
                self.ended(kernel.number)
        else:
            yield from super().kernel(kernel)

    def scan(self, kernel: Scan) -> Iterator[Statement]:
        self.calls.forms.known[self.names.free(kernel.index.name)] = NUMBER
        yield from super().scan(kernel)

    def statement(self, statement: EquationKernel) -> Iterator[Statement]:
        if self.inside:  # one of several lines of a statement
            yield from super().statement(statement)
            return
        self.inside = True
        lines = list(super().statement(statement))
        self.inside = False
        yield from self.calls.statement(lines)
        self.ended(statement.number)

    def ended(self, number: int) -> None:
        self.awaited.discard(number)
        self.calls.end(keep=bool(self.awaited))


def calls_for(
    network: LoweredNetwork,
    segment: Segment,
    tensors: Mapping[str, Tensor],
    names: Names,
    scratch: Scratch,
    instead: Mapping[str, str],
) -> Calls:
    """What rewrites the lines of a stage; `instead` says which tensor takes another's place."""
    calls = Calls(known_forms(network, tensors, names), scratch, segment.name)
    calls.shared = {names.tensors[new]: names.tensors[old] for new, old in instead.items()}
    return calls


def known_forms(
    network: LoweredNetwork, tensors: Mapping[str, Tensor], names: Names, scratch: Scratch | None = None
) -> Forms:
    """The forms of tensors, and of scratch."""
    known: dict[str, Form] = {}
    for name, tensor in tensors.items():
        kind: Kind = "integer" if tensor.integer else "number" if tensor.role is Role.HYPER else "real"
        known[names.tensors[name]] = Form(tensor.shape, kind, view=True, whole=True)
    for name in (*scratch.shapes, *scratch.constants) if scratch else ():
        known[name] = scratch.form(name) if scratch else NUMBER
    return Forms(known, frozenset((*network.system.sizes, *network.stage_sizes)), takes_out)
