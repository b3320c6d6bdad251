"""How many axes each name of a formula has: as declared, as it is indexed or used, or as it is spelled.

Enters: a syntax tree, declared names. Leaves: ranks to try, the likeliest first. Must not know: extents.

Capital letters are matrices, small letters vectors; Greek letters and a few customary names are scalars.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from symbp.read.grammar.syntax import Call, Name, Product, Read, Reduction, Transpose, Tree
from symbp.read.grammar.tokens import GREEK

SCALARS = frozenset(GREEK.values()) - {"Sigma", "Lambda", "Phi", "Psi", "Theta", "Omega"} | {"c", "eps", "t"}
CONSTANTS = ("π", "e", "∞")
IDENTITIES = ("I", "eye")
OF_MATRIX = ("trace", "tr", "det", "logdet", "inv", "inverse", "solve")
MOST_NAMES = 8  # beyond which no second guess is tried


@dataclass
class Uses:
    """How one name is used: with how many subscripts, as a matrix, or with axes of some number."""

    places: list[Name] = field(default_factory=list)
    indexed: set[int] = field(default_factory=set)
    matrix: bool = False
    axes: bool = False
    subscript: Name | None = None  # where it stands alone in a subscript, if it does


def uses(
    tree: Tree, bound: frozenset[str] = frozenset(), found: dict[str, Uses] | None = None
) -> dict[str, Uses]:
    """The names of tensors and sizes in the order in which they first stand, and how each is used; `bound`
    are indices. With what is `found` before, that and them."""
    found = {} if found is None else found
    _collect(tree, bound, found)
    return found


def _collect(node: Tree, bound: frozenset[str], found: dict[str, Uses]) -> None:
    if isinstance(node, Name) and node.name not in bound:
        found.setdefault(node.name, Uses()).places.append(node)
    if isinstance(node, Reduction):
        bound = bound | set(node.indices)
    for child in node.children():
        _collect(child, bound, found)
        if not isinstance(child, Name) or child.name in bound:
            continue
        use = found[child.name]
        if isinstance(node, Read) and child is node.tensor:
            use.indexed.add(len(node.subscripts))
        elif isinstance(node, Read):
            use.subscript = use.subscript or child
        elif isinstance(node, Call) and node.function in OF_MATRIX and child is node.arguments[0]:
            use.matrix = True
        elif (
            isinstance(node, Transpose)
            or (isinstance(node, Product) and node.op == "@")
            or (isinstance(node, Call) and node.function.startswith(("norm", "softmax", "logsumexp")))
        ):
            use.axes = True


def default_rank(name: str, use: Uses) -> int:
    """The rank that the spelling and the use suggest."""
    if use.indexed:
        return min(use.indexed)
    if use.matrix or name in ("Sigma", "Lambda", "Phi", "Psi", "Theta", "Omega"):
        return 2
    if name in SCALARS:
        return 1 if use.axes else 0
    return 2 if name[0].isupper() else 1


def certain(use: Uses) -> bool:
    """Whether the use alone says the rank."""
    return bool(use.indexed) or use.matrix


def guesses(found: Mapping[str, Uses], fixed: Mapping[str, int]) -> Iterator[list[dict[str, int]]]:
    """Ranks for all names, level by level: as suggested, then with one name otherwise, then with two."""
    suggested = {name: fixed.get(name, default_rank(name, use)) for name, use in found.items()}
    yield [suggested]
    free = [name for name, use in found.items() if name not in fixed and not certain(use)]
    if len(free) > MOST_NAMES:
        return
    for count in (1, 2):
        level = []
        for names in itertools.combinations(free, count):
            others = [[r for r in (0, 1, 2) if r != suggested[name]] for name in names]
            level += [
                {**suggested, **dict(zip(names, ranks, strict=True))} for ranks in itertools.product(*others)
            ]
        yield level
