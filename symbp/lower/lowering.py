"""Lowers a system to a program: contractions where the form allows, everything else fused into nests.

Enters: a system and the names of the tensors wanted. Leaves: a `Program` that computes what these need and
nothing else. Must not know: targets, ops, or why an equation is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy

from symbp.errors import LoweringError
from symbp.ir.printer import equation_text
from symbp.ir.system import Equation, System, Tensor
from symbp.lower.contraction import Side, Split, match
from symbp.lower.nests import Draft, Group, can_join, draft, nest
from symbp.lower.program import Contraction, Cost, Kernel, MatrixKernel, Operand, Program, Statement, validate


def lower(system: System, wanted: Sequence[str], given: Iterable[str] = ()) -> Program:
    """The program for the tensors `wanted`; those in `given` are taken as computed already.

    Raises LoweringError, with the equations shown, where they depend on each other in a circle.
    """
    known = {*(leaf.name for leaf in system.leaves), *given}
    numbered = _needed(system, wanted, known)
    _check_order(numbered, known)
    draft_kernels: list[Contraction | MatrixKernel | list[Draft]] = []
    extra: dict[str, Tensor] = {}
    home: dict[str, int] = {}
    for number, equation in _scalars_first(numbered, known):
        for piece in _pieces(system, number, equation, extra):
            if not isinstance(piece, Statement):
                place = len(draft_kernels)
                draft_kernels.append(piece)
            else:
                place = _place(draft_kernels, draft(piece), home)
            home[piece.target] = place
    kernels: list[Kernel] = [nest(k) if isinstance(k, list) else k for k in draft_kernels]
    return _program(system, kernels, extra, known)


def _needed(system: System, wanted: Sequence[str], known: set[str]) -> list[tuple[int, Equation]]:
    """The equations that the wanted tensors need, with their numbers, in the system's order."""
    needed: set[str] = set()
    stack = [name for name in wanted if name not in known]
    for name in stack:
        system.tensor(name)
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += [read for read in system.defining[name].read_names if read not in known]
    return [(k + 1, e) for k, e in enumerate(system.equations) if e.target in needed]


def _check_order(numbered: Sequence[tuple[int, Equation]], known: set[str]) -> None:
    done = set(known)
    for number, equation in numbered:
        late = [name for name in equation.read_names if name not in done]
        if late:
            raise LoweringError(
                f"equation ({number}) reads {late[0]}, which is computed from it or after it",
                where=equation.origin,
                details=(
                    f"({number}) {equation_text(equation)}",
                    *(
                        f"({k}) {equation_text(e)}"
                        for k, e in numbered
                        if e.target == late[0] and k != number
                    ),
                ),
                help="recurrences can be evaluated and derived, but not lowered to code",
            )
        done.add(equation.target)


def _scalars_first(numbered: Sequence[tuple[int, Equation]], known: set[str]) -> list[tuple[int, Equation]]:
    """Scalars of leaves alone come before every loop, so that they part no loops that belong together."""
    early: dict[str, tuple[int, Equation]] = {}
    for number, equation in numbered:
        if not equation.all_indices and all(name in known or name in early for name in equation.read_names):
            early[equation.target] = (number, equation)
    return [*early.values(), *((k, e) for k, e in numbered if e.target not in early)]


def _pieces(
    system: System, number: int, equation: Equation, extra: dict[str, Tensor]
) -> Iterable[Contraction | MatrixKernel | Statement]:
    """The kernels of one equation: its operands where they need computing, the product, the scaling."""
    if equation.leaf is not None:
        yield from _matrix_pieces(system, number, equation, extra)
        return
    split = match(equation)
    if split is None:
        yield Statement(number, equation)
        return
    operands = []
    for side, name in ((split.left, "left"), (split.right, "right")):
        array = side.array
        if array is None:
            statement = _operand_statement(system, number, equation, side, name, extra)
            yield statement
            operands.append(Operand(statement.target, side.indices))
        else:
            operands.append(Operand(array.name, side.indices))
    yield _contraction(number, equation, split, operands)
    if split.scale != 1:
        yield Statement(
            number, equation.with_(body=split.scale, reduction=None, ranges=equation.shape), scaling=True
        )


def _matrix_pieces(
    system: System, number: int, equation: Equation, extra: dict[str, Tensor]
) -> Iterable[MatrixKernel | Statement]:
    """The kernel of a leaf of linear algebra, after its matrix where that needs computing."""
    assert equation.op is not None
    batch = equation.indices[: len(equation.indices) - len(equation.result)]
    side = Side(equation.body, (*batch, *equation.reduced))
    name = side.array.name if side.array is not None and side.array.subscripts == side.indices else ""
    if not name:
        statement = _operand_statement(system, number, equation, side, "matrix", extra)
        yield statement
        name = statement.target
    n = equation.extents[equation.reduced[0]]
    count = sympy.Mul(*[equation.extents[i] for i in batch])
    work = {"inverse": 2, "cholesky": sympy.Rational(1, 3)}.get(equation.op, sympy.Rational(2, 3))
    cost = Cost(sympy.expand(count * work * n**3), sympy.expand(2 * count * n**2))
    operand = Operand(name, side.indices)
    yield MatrixKernel(number, equation.target, equation.op, batch, operand, dict(equation.extents), cost)


def _operand_statement(
    system: System, number: int, equation: Equation, side: Side, name: str, extra: dict[str, Tensor]
) -> Statement:
    target = f"{equation.target}_{name}"
    while target in system.by_name or target in extra:
        target += "_"
    shape = tuple(equation.extents[i] for i in side.indices)
    extra[target] = Tensor(target, shape)
    return Statement(number, Equation(target, side.indices, side.body, ranges=shape), inline=True)


def _contraction(number: int, equation: Equation, split: Split, operands: Sequence[Operand]) -> Contraction:
    extents = equation.extents
    volume = sympy.Mul(*[extents[i] for i in split.batch + split.rows + split.summed + split.columns])
    moved = sum(
        (sympy.Mul(*[extents[i] for i in indices])
         for indices in (operands[0].indices, operands[1].indices, equation.indices)),
        sympy.Integer(0),
    )  # fmt: skip
    return Contraction(
        number, equation.target, split.batch, split.rows, split.summed, split.columns,
        operands[0], operands[1], dict(extents), Cost(sympy.expand(2 * volume), sympy.expand(moved)),
    )  # fmt: skip


def _place(kernels: list[Contraction | MatrixKernel | list[Draft]], one: Draft, home: dict[str, int]) -> int:
    """Puts a statement into the first nest with which it may share its outer loop, else into a new one."""
    reads = [*one.equation.read_names, *([one.statement.target] if one.statement.scaling else [])]
    first = max((home[name] for name in reads if name in home), default=0)
    for k in range(first, len(kernels)):
        drafts = kernels[k]
        if isinstance(drafts, list) and one.remaining and _shares_loop(drafts, one):
            drafts.append(one)
            return k
    kernels.append([one])
    return len(kernels) - 1


def _shares_loop(drafts: list[Draft], one: Draft) -> bool:
    """Whether all of a nest's statements and this one run in a single outer loop."""
    if not all(d.remaining for d in drafts):
        return False
    seed = drafts[0]
    group = Group([seed], [seed.remaining[0]], seed.equation.extents[seed.remaining[0]])
    for other in [*drafts[1:], one]:
        index = can_join(group, other)
        if index is None:
            return False
        group.members.append(other)
        group.positions.append(index)
    return True


def _program(system: System, kernels: list[Kernel], extra: dict[str, Tensor], known: set[str]) -> Program:
    filled = list(dict.fromkeys(name for kernel in kernels for name in kernel.targets))
    read = {name for kernel in kernels for name in kernel.reads}
    leaves = tuple(t for t in system.tensors if t.name in known and t.name in read)
    buffers = tuple(extra.get(name) or system.tensor(name) for name in filled)
    program = Program(leaves, buffers, tuple(kernels))
    validate(program)
    return program
