"""A tree of an answer as text that says the same.

Enters: a tree. Leaves: text. Must not know: what names stand for.
"""

from __future__ import annotations

from fractions import Fraction

from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    Einsum,
    Keyword,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Read,
    Reduction,
    Relation,
    Subscripted,
    Total,
    Transpose,
    Tree,
)

SUM, TIMES, RAISED, ATOM = 1, 2, 3, 4


def spelled(tree: Tree, *, code: bool = False) -> str:
    """The tree as text; as `code`, with `.T` and `**`."""
    return _spelled(tree, code)[0]


def _spelled(tree: Tree, code: bool) -> tuple[str, int]:
    """The text, and how firmly it holds together."""
    match tree:
        case Number(value=value):
            return _number(value)
        case Name(name=name):
            return name, ATOM
        case Ones():
            return "𝟏", ATOM
        case Total(terms=terms):
            return _total(terms, code), SUM
        case Product(op=op, left=left, right=right):
            if code:
                op = {"⊙": "*", "⊘": "/", "·": "@"}.get(op, op)
            sign = f" {op} " if op in ("@", "⊙", "⊘", "*") else "·" if op == "@" else op
            return f"{_at(left, TIMES, code)}{sign}{_at(right, RAISED, code)}", TIMES
        case Power(base=base, exponent=exponent):
            return f"{_at(base, ATOM, code)}{'**' if code else '^'}{_at(exponent, ATOM, code)}", RAISED
        case Transpose(operand=operand):
            return f"{_at(operand, ATOM, code)}{'.T' if code else 'ᵀ'}", ATOM
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(spelled(a, code=code) for a in arguments)})", ATOM
        case Einsum(letters=letters, operands=operands):
            return f'einsum("{letters}", {", ".join(spelled(o, code=code) for o in operands)})', ATOM
        case Keyword(name=name, value=value):
            return f"{name}={spelled(value, code=code)}", ATOM
        case Read(tensor=tensor, subscripts=subscripts):
            return f"{_at(tensor, ATOM, code)}[{', '.join(spelled(s, code=code) for s in subscripts)}]", ATOM
        case Subscripted(tensor=tensor, subscripts=optional):
            inner = ",".join(":" if s is None else spelled(s, code=code) for s in optional)
            return f"{_at(tensor, ATOM, code)}_{{{inner}}}", ATOM
        case Bracket(relation=relation):
            opening, closing = "()" if code else "[]"
            return f"{opening}{_relation(relation, code)}{closing}", ATOM
        case Reduction():
            return _reduction(tree, code), ATOM if tree.op != "sum" else TIMES
        case Relation():
            return _relation(tree, code), SUM
        case _:
            return "…", ATOM


def _at(tree: Tree, least: int, code: bool) -> str:
    """The text, in parentheses where it would fall apart."""
    text, firm = _spelled(tree, code)
    return text if firm >= least else f"({text})"


def _number(value: Fraction) -> tuple[str, int]:
    if value.denominator == 1:
        return str(value), ATOM if value >= 0 else SUM
    decimal = f"{float(value):g}"
    return (decimal, ATOM) if Fraction(decimal) == value else (f"{value}", TIMES)


def _total(terms: tuple[tuple[bool, Tree], ...], code: bool) -> str:
    found = ""
    for place, (minus, term) in enumerate(terms):
        sign = (" - " if minus else " + ") if place else ("-" if minus else "")
        found += sign + _at(term, TIMES, code)
    return found


def _relation(relation: Relation, code: bool) -> str:
    left, right = (spelled(side, code=code) for side in (relation.left, relation.right))
    return f"{left} {relation.op} {right}"


def _reduction(tree: Reduction, code: bool) -> str:
    where = f" where {', '.join(_relation(c, code) for c in tree.conditions)}" if tree.conditions else ""
    if tree.op == "sum":
        return f"Σ_{','.join(tree.indices)} {_at(tree.body, TIMES, code)}{where}"
    return f"{tree.op}_{','.join(tree.indices)}({spelled(tree.body, code=code)}{where})"
