"""Writes pointwise intermediates into their only reader, so that equations read as people write them.

Enters: the nodes of a declaration. Leaves: the equations that remain, still over nodes.
Must not know: names, letters, roles, ops.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.ir.expr import Access, Expr, Index
from symbp.ir.system import Equation
from symbp.language.bodies import occurrences, rewrite, same_read, without_kinks
from symbp.language.node import Node, is_integer_view, node_of


def inlined(nodes: Sequence[Node], kept: set[int], asked: set[int]) -> dict[int, Equation]:
    """The equation of each node that keeps one, with the others written into it.

    A map disappears if its author didn't name it and it is a mere view (`x.T`), or if it is read once and
    writing it into its reader repeats no work: the reader's indices are the map's own, or the reader is
    itself a map and the work is plain arithmetic. Exponents and arguments of logarithms stay. A view of
    integers disappears in any case, unless it is asked for: p[n, t, tok[n, t + 1]].
    """
    readings = _readings(nodes)
    bodies: dict[int, Equation] = {}
    absorbed: dict[int, Equation] = {}
    for node in nodes:
        if node.equation is None:
            continue
        equation = _written_into(node.equation, absorbed)
        read = readings.get(node.serial, [])
        gone = node.serial not in kept and _disappears(node, equation, read)
        if node.serial not in asked and (gone or _is_view_of_integers(node, equation, read)):
            absorbed[node.serial] = equation
        else:
            bodies[node.serial] = equation
    return bodies


def _readings(nodes: Sequence[Node]) -> dict[int, list[tuple[Equation, Access]]]:
    """Every reading of each node: the equation that reads and the read, as often as the text has it."""
    found: dict[int, list[tuple[Equation, Access]]] = {}
    for node in nodes:
        if node.equation is None:
            continue
        count: dict[Access, int] = {}
        for expr in (node.equation.body, *node.equation.where):
            occurrences(expr, count)
        for access, times in count.items():
            found.setdefault(node_of(access).serial, []).extend([(node.equation, access)] * times)
    return found


def _disappears(node: Node, equation: Equation, readings: list[tuple[Equation, Access]]) -> bool:
    if node.alias or node.name or node.kept or equation.reduction is not None or node.integer:
        return False
    if any(access.outside is not None for _, access in readings):
        return False
    if isinstance(equation.body, Access) and equation.body.outside is None:
        return True
    return len(readings) == 1 and not _repeats(equation, *readings[0])


def _is_view_of_integers(node: Node, equation: Equation, readings: list[tuple[Equation, Access]]) -> bool:
    plain = all(access.outside is None for _, access in readings)
    return plain and node.integer and not node.kept and node.name is None and is_integer_view(equation)


def _repeats(equation: Equation, reader: Equation, access: Access) -> bool:
    """Whether writing the equation into its reader would compute the same element more than once."""
    subscripts = access.subscripts
    if not all(isinstance(s, Index) for s in subscripts) or len(set(subscripts)) < len(subscripts):
        return True
    if any(access in e.atoms(Access) for e in reader.body.atoms(sympy.exp, sympy.log)):
        return True  # stabilisation reads an exponent again: for the shift of a sum, for a logarithm
    if set(reader.all_indices) <= set(subscripts):
        return False
    return reader.reduction is not None or not _is_arithmetic(equation.body)


def _is_arithmetic(body: Expr) -> bool:
    if isinstance(body, Access) or body.is_number or body.is_Symbol:
        return True
    return (body.is_Add or body.is_Mul) and all(_is_arithmetic(arg) for arg in body.args)


def _written_into(equation: Equation, absorbed: dict[int, Equation]) -> Equation:
    if not absorbed:
        return equation

    def spell(access: Access, subscripts: tuple[Expr, ...], outside: Expr | None) -> Expr:
        inner = absorbed.get(node_of(access).serial)
        if inner is None:
            return same_read(access, subscripts, outside)
        return rewrite(inner.body, same_read, dict(zip(inner.indices, subscripts, strict=True)))

    return equation.with_(
        body=without_kinks(rewrite(equation.body, spell)),
        where=tuple(rewrite(g, spell) for g in equation.where),
    )
