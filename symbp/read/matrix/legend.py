"""What a reader must know of the signs of matrix notation that a page uses.

Enters: equations in matrix notation. Leaves: entries of a legend. Must not know: formats. No letters stand in
for matrices here: a page may have given them to sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from symbp.read.legend import Entry
from symbp.read.legend import Named as Symbol
from symbp.read.matrix.columns import Columns
from symbp.read.matrix.rewrite import nodes
from symbp.read.matrix.spell import is_written_as_product
from symbp.read.matrix.tree import (
    Correlation,
    Diagonal,
    DiagonalOf,
    Flattened,
    Hadamard,
    Kronecker,
    MatrixEquation,
    MaxPool,
    Named,
    Node,
    OfRows,
    OneHot,
    Ones,
    Power,
    Range,
    Rows,
    Rowwise,
    Strided,
    Total,
    Transpose,
    Triangle,
    Turned,
)

Holds = Callable[[Node], bool]


def _is(*kinds: type) -> Holds:
    return lambda node: isinstance(node, kinds)


def _is_mixed(node: Node) -> bool:
    return isinstance(node, Total) and len({term.rank > 0 for _, term in node.terms}) > 1


def _is_power(node: Node) -> bool:
    """Whether a power stands as such: a square of a tensor is written as a product."""
    return isinstance(node, Power) and node.rank > 0 and not is_written_as_product(node)


WORDS: Sequence[tuple[Holds, str]] = (
    (lambda n: isinstance(n, Named) and n.colons, "':' among subscripts: an axis that is left"),
    (
        _is(Ones),
        "𝟏: a vector of ones, as long as fits; a product with it is a sum, or repeats a vector; all vectors "
        "are columns",
    ),
    (_is_mixed, "a number beside matrices in a sum is added to each element"),
    (_is(Hadamard), "⊙, ⊘: product and quotient of elements at the same place"),
    (_is_power, "A^∘2: the square of each element, and so on"),
    (_is(OneHot), "onehot: a row for each label, 1 at the label and 0 elsewhere"),
    (_is(Rows), "a matrix with labels in brackets: the rows that these say"),
    (_is(Range), "range: the vector 0, 1, 2, … with that many elements"),
    (_is(Diagonal, DiagonalOf), "diag: the matrix with a vector on its diagonal; the diagonal of a matrix"),
    (_is(Triangle), "tril, triu: a matrix on and below (on and above) its diagonal; elsewhere 0, or as said"),
    (_is(Rowwise), "softmax: of each row"),
    (
        _is(Correlation),
        "⋆: cross-correlation: the second factor slides over the first as it is, wherever it fits",
    ),
    (
        lambda n: isinstance(n, Correlation) and any(n.pads),
        "pad: with that many zeros at each end of its axes",
    ),
    (_is(Strided), "stride: every second, every third … row and column, from the first on"),
    (_is(Turned), "rot180: turned by half a turn"),
    (
        _is(MaxPool),
        "maxpool: the largest element of each window, of that many elements an axis, side by side",
    ),
    (_is(Flattened), "flatten: the axes behind the first as one, in row-major order"),
    (
        _is(Kronecker),
        "⊗: Kronecker product; pairs of indices count in row-major order: vec puts row behind row",
    ),
)


IN_COLUMNS = {
    "onehot: a row for each label, 1 at the label and 0 elsewhere": "onehot: a column for each label, 1 at "
    "the label and 0 elsewhere",
    "softmax: of each row": "softmax: of each column",
    "flatten: the axes behind the first as one, in row-major order": "flatten: a column for each place along "
    "the first axis, the axes behind it as one, in row-major order",
}


def _of_rows(node: OfRows) -> str:
    """What a number for each row, or for each column, is called."""
    if node.op == "logsumexp":
        return node.op
    return f"{'col' if isinstance(node.inner, Transpose) else 'row'}{node.op}"


def columns_legend(
    equations: Iterable[MatrixEquation], turned: Columns, tensors: Collection[str]
) -> Iterator[Entry]:
    """Which of the tensors are shown transposed, in their order, and where they aren't."""
    used = [node for e in equations for side in (e.left, e.right) for node in nodes(side)]
    named = [n for n in used if isinstance(n, Named)]
    shown = _in_order(tensors, {n.name for n in named if turned.turns(n)})
    if shown:
        stand = " stand transposed" if len(shown) > 1 else " stands transposed"
        yield Entry("layout", ("examples are columns: ", *_listed(shown), f"{stand} where they are matrices"))
    images: dict[tuple[int, int], set[str]] = {}
    for node in named:
        for axes in turned.images.get(node.name, ()):
            images.setdefault(axes, set()).add(node.name)
    for (row, column), names in sorted(images.items()):
        where = f": not transposed over the axes {row + 1} and {column + 1}, which are those of an image"
        yield Entry("layout", (*_listed(_in_order(tensors, names)), where))


def _in_order(tensors: Iterable[str], names: Collection[str]) -> list[str]:
    return [name for name in tensors if name in names]


def _listed(names: Iterable[str]) -> list[Symbol | str]:
    pieces: list[Symbol | str] = []
    for name in names:
        pieces += [", ", Symbol(name)] if pieces else [Symbol(name)]
    return pieces


def matrix_legend(equations: Iterable[MatrixEquation], *, columns: bool = False) -> Iterator[Entry]:
    """An entry for each sign that the equations use."""
    used = [node for e in equations for side in (e.left, e.right) for node in nodes(side)]
    kept = next((n for n in used if isinstance(n, Named) and n.subscripts and n.rank), None)
    if kept is not None:
        rest = " with subscripts: its elements there, a vector or a matrix over the axes that are left"
        yield Entry("matrix", (Symbol(kept.name), rest))
    rows = dict.fromkeys(_of_rows(node) for node in used if isinstance(node, OfRows) and node.inner.rank == 2)
    for side, what in (("row", "a number for each row"), ("col", "a number for each column")):
        names = sorted(name for name in rows if name.startswith(side))
        if names:
            yield Entry("matrix", (f"{', '.join(names)}: {what}",))
    for holds, words in WORDS:
        if any(map(holds, used)):
            yield Entry("matrix", (IN_COLUMNS.get(words, words) if columns else words,))
