"""How a function gets its arrays: parameters out of dictionaries, open sizes off the shapes of arrays.

Enters: a page, the tensors that a body reads. Leaves: statements. Must not know: targets, what the body
computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from symbp.codegen import infer
from symbp.codegen.arrays import Frame
from symbp.codegen.arrays.bodies import length
from symbp.codegen.printer import INDENT, WIDTH
from symbp.codegen.tree import Assign, Attribute, Name, Statement, Subscript
from symbp.errors import GenerationError
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.system import Role, System, Tensor


class Page(Protocol):
    """Equations with identifiers of their tensors and sizes, and the frame that these stand in."""

    @property
    def system(self) -> System: ...
    @property
    def tensors(self) -> Mapping[str, str]: ...
    @property
    def sizes(self) -> Mapping[str, str]: ...
    @property
    def frame(self) -> Frame: ...


DATA = (Role.INPUT, Role.TARGET)
KEPT: Mapping[Role, str] = {Role.PARAMETER: "params", Role.BUFFER: "buffers"}


def used_names(body: Iterable[Statement]) -> set[str]:
    """The identifiers that statements mention."""
    return {node.id for statement in body for node in statement.walk() if isinstance(node, Name)}


def variable(page: Page, tensor: Tensor) -> Name:
    """The variable of a tensor."""
    node = page.frame.variables[tensor.name].node
    assert isinstance(node, Name)
    return node


def unpacked(page: Page, read: Sequence[Tensor]) -> list[Statement]:
    """Parameters and buffers out of their dictionaries, a few in each line."""
    found: list[Statement] = []
    for role, word in KEPT.items():
        table = infer.name(word, (), "object")
        left = [t for t in read if t.role is role]
        while left:
            count = len(left)
            while count > 1 and _width(page, left[:count], word) > WIDTH - len(INDENT):
                count -= 1
            few, left = left[:count], left[count:]
            targets = [variable(page, t) for t in few]
            values = [
                Subscript(v.shape, v.dtype, table, (infer.quoted(t.name),))
                for v, t in zip(targets, few, strict=True)
            ]
            if count == 1:
                found.append(Assign(targets[0], values[0]))
            else:
                found.append(Assign(infer.tuple_of(*targets), infer.tuple_of(*values)))
    return found


def _width(page: Page, few: Sequence[Tensor], word: str) -> int:
    """The columns that a line takes which unpacks some parameters."""
    return sum(len(page.tensors[t.name]) + len(t.name) + len(word) + 8 for t in few) - 1


def _needed(page: Page, used: Iterable[str]) -> tuple[list[str], dict[str, Expr]]:
    """The open sizes that words in use rest on, and the lengths among these that are formulas."""
    names = {identifier: name for name, identifier in page.sizes.items()}
    needed = {names[word] for word in used if word in names}
    formulas = {size.name: formula for size, formula in page.frame.formulas.items() if size.name in needed}
    for formula in formulas.values():
        needed |= {size.name for size in free_sizes(formula)}
    return [n for n in page.system.sizes if n in needed and n not in page.system.bound], formulas


def showing(
    page: Page, used: Iterable[str], read: Sequence[Tensor], leaves: Sequence[Tensor]
) -> list[Tensor]:
    """What is read, and those of the leaves that alone show a size: all zeros have the shape of something."""
    opened, _ = _needed(page, used)
    found = list(read)
    for name in opened:
        if not any(Size(name) in t.shape for t in found):
            found += [t for t in leaves if Size(name) in t.shape][:1]
    return [t for t in leaves if t in found]


def sizes_of(page: Page, used: Iterable[str], read: Sequence[Tensor]) -> list[Statement]:
    """Lines that read open sizes off the shapes of arrays, then those of lengths that are formulas."""
    opened, formulas = _needed(page, used)
    found: list[Statement] = []
    while opened:
        tensor = max(read, key=lambda t: _gives(t, opened), default=None)
        if tensor is None or not _gives(tensor, opened):
            raise GenerationError(
                f"the size {opened[0]} is the length of no axis of a parameter or an input",
                help=f"give it a value: sizes={{{opened[0]!r}: …}}",
            )
        found.append(_opened(page, tensor, opened))
        opened = [n for n in opened if Size(n) not in tensor.shape]
    pairs = [(page.frame.size(Size(n)), length(formula, page.frame)) for n, formula in formulas.items()]
    for k in range(0, len(pairs), 3):
        targets, values = zip(*pairs[k : k + 3], strict=True)
        one = len(targets) == 1
        found.append(
            Assign(
                targets[0] if one else infer.tuple_of(*targets), values[0] if one else infer.tuple_of(*values)
            )
        )
    return found


def _gives(tensor: Tensor, opened: Sequence[str]) -> int:
    return sum(Size(name) in tensor.shape for name in opened)


def _opened(page: Page, tensor: Tensor, opened: Sequence[str]) -> Statement:
    """`N, T = x.shape`, or `N = x.shape[0]`."""
    array = variable(page, tensor)
    shape = Attribute((), "object", array, "shape")
    places = {n: tensor.shape.index(Size(n)) for n in opened if Size(n) in tensor.shape}
    ordered = sorted(places, key=places.__getitem__)
    targets = [page.frame.size(Size(n)) for n in ordered]
    values = [Subscript((), "integer", shape, (infer.number(places[n]),)) for n in ordered]
    if len(places) == len(tensor.shape) > 1:
        return Assign(infer.tuple_of(*targets), shape)
    if len(targets) == 1:
        return Assign(targets[0], values[0])
    return Assign(infer.tuple_of(*targets), infer.tuple_of(*values))
