"""The chain rule for one tensor of a page: the sum over all that reads it.

Enters: the equations of a page. Leaves: what reads the tensor, local derivatives, and the sum that is its
derivative. Must not know: letters, symbols, formats, or how the result became short.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy

from symbp.ir.expr import Access, Expr, Index, free_indices
from symbp.ir.system import Equation, System, Tensor
from symbp.read.display import Reduced
from symbp.read.lecture.jacobian import jacobian
from symbp.read.lecture.local import NoLocalDerivative, Read, reads
from symbp.read.textbook.terms import zeros_outside

DEEPEST = 4  # readers without a derivative of their own on the page, one behind another


@dataclass(frozen=True)
class Contribution:
    """What one read of the tensor adds: `reader` reads it, `local` is the local derivative as an equation
    over the indices of both elements, `of` by `by`, where it is no sum itself; `term` is what it adds to the
    derivative, a sum over `summed`; `plainly` is the local derivative before the reader's own value was put
    in, where it was."""

    reader: str
    of: Access
    by: Access
    local: Equation | None
    term: Expr
    summed: tuple[Index, ...]
    plainly: Expr | None = None


@dataclass(frozen=True)
class Chain:
    """The derivative by a tensor as the chain rule has it; `between` are the derivatives by what stands
    between it and the loss and has none on the page."""

    by: str
    equation: Equation
    contributions: tuple[Contribution, ...]
    between: tuple[Chain, ...] = ()


def chain(system: System, loss: str, adjoints: Mapping[str, str], by: str, target: str) -> Chain:
    """The chain rule's sum for `by`, whose derivative is called `target`; `adjoints` are the derivatives that
    the page has, by tensor. Raises NoLocalDerivative."""
    return _Chains(system, loss, dict(adjoints)).of(by, target, DEEPEST)


class _Chains:
    def __init__(self, system: System, loss: str, adjoints: dict[str, str]) -> None:
        self.system, self.loss, self.adjoints = system, loss, adjoints

    def of(self, by: str, target: str, depth: int) -> Chain:
        tensor = self.system.tensor(by)
        plain = self.indices(tensor, target)
        found: list[Contribution] = []
        between: list[Chain] = []
        for equation in self.system.equations:
            if by not in equation.read_names or equation.target in self.adjoints.values():
                continue
            if not self.matters(equation.target):
                continue
            for read in reads(equation, by):
                if equation.target not in self.adjoints and equation.target != self.loss:
                    between.append(self.between(equation.target, depth))
                found.append(self.contribution(equation, read, plain))
        if not found:
            raise NoLocalDerivative
        body = sympy.Add(*[c.term for c in found])
        ranges = tuple(tensor.shape)
        return Chain(by, Equation(target, plain, body, ranges=ranges), tuple(found), tuple(between))

    def matters(self, name: str) -> bool:
        """Whether the loss rests on the tensor by way of differentiable values."""
        return name in self.system.ancestors(self.loss) and not self.system.tensor(name).integer

    def indices(self, tensor: Tensor, target: str) -> tuple[Index, ...]:
        """The indices of the derivative: those of its equation, or new ones."""
        known = self.system.defining.get(target) or self.system.defining.get(tensor.name)
        if known is not None and len(known.indices) == len(tensor.shape):
            return known.indices
        return tuple(Index(f"a{k}") for k in range(len(tensor.shape)))

    def between(self, name: str, depth: int) -> Chain:
        """The derivative by a tensor that has none on the page, which gets a name."""
        if not depth:
            raise NoLocalDerivative
        target = f"d{name}__between"
        found = self.of(name, target, depth - 1)
        self.adjoints[name] = target
        return found

    def contribution(self, equation: Equation, read: Read, plain: tuple[Index, ...]) -> Contribution:
        """One read's part of the sum: the derivative by the reader times the local derivative, over all
        indices that the element differentiated by doesn't determine."""
        found = jacobian(self.system, equation, read, plain)
        known = self.adjoints.get(equation.target)
        outer = sympy.Integer(1) if known is None else Access(known, *found.of.subscripts)
        product = sympy.Mul(outer, found.slope)
        product = zeros_outside(product, self.tensors) if product.is_Mul else product
        left = {index: found.extents[index] for index in found.left}
        term = Reduced("sum", product, left, left.values()) if left else product
        local = _local(found.of, found.by, found.slope, found.extents)
        return Contribution(equation.target, found.of, found.by, local, term, tuple(left), found.plainly)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Those of the page, and derivatives that only the lessons have, with the shapes of what they are
        by."""
        own = {
            name: replace(self.system.tensor(by), name=name)
            for by, name in self.adjoints.items()
            if name not in self.system.by_name
        }
        return self.system.by_name | own


def _local(of: Access, by: Access, slope: Expr, extents: Mapping[Index, Expr]) -> Equation | None:
    """The local derivative as an equation over the indices of both elements, if it has no others."""
    indices = tuple(sorted(free_indices(of) | free_indices(by), key=lambda i: i.name))
    if not free_indices(slope) <= set(indices) or not set(indices) <= set(extents):
        return None
    return Equation("__local", indices, slope, ranges=tuple(extents[i] for i in indices))
