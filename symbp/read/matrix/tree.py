"""Matrix expressions as a small tree: what an equation looks like without indices, but for subscripts.

Enters: names of tensors with the subscripts that stay, numbers and sizes. Leaves: a tree that `spell` prints
and that `value` evaluates. Must not know: equations (see `recognise`), or how anything is spelled.

Vectors are columns. A node's rank is 0 for a scalar, 1 for a vector and 2 for a matrix. In a sum, and in an
elementwise product, a scalar stands for itself at each element.
"""

from __future__ import annotations

from dataclasses import dataclass

from symbp.ir.expr import Expr, Guard, Index
from symbp.ir.matrices import MATRIX_LEAVES


@dataclass(frozen=True)
class Named:
    """A tensor by its name. `subscripts` has an expression for each axis at which one element is taken, None
    for each that is left: `h_{t-1}` of h[n,t,m] has (None, t - 1, None). `colons`: the axes that are left are
    shown, `U_{:,m}`, since a reader couldn't tell which they are. `outside` stands for what is beyond the
    range of an axis, 0 if it is None."""

    name: str
    rank: int
    subscripts: tuple[Expr | None, ...] = ()
    colons: bool = False
    outside: Node | None = None


@dataclass(frozen=True)
class Number:
    """A number, a size, an index that is a subscript, or an expression of these."""

    value: Expr
    rank: int = 0


@dataclass(frozen=True)
class Ones:
    """The vector of ones."""

    extent: Expr
    rank: int = 1


@dataclass(frozen=True)
class Range:
    """The vector (0, 1, …, extent − 1)."""

    extent: Expr
    rank: int = 1


@dataclass(frozen=True)
class Identity:
    """The identity matrix; `sized` where nothing beside it says how large it is."""

    extent: Expr
    sized: bool = False
    rank: int = 2


@dataclass(frozen=True)
class OneHot:
    """The matrix whose row n is 1 at the label of example n and 0 elsewhere; of one label a vector."""

    labels: Node
    classes: Expr

    @property
    def rank(self) -> int:
        return self.labels.rank + 1


@dataclass(frozen=True)
class Rows:
    """The matrix whose row n is the row of another that label n says."""

    matrix: Node
    labels: Node
    rank: int = 2


@dataclass(frozen=True)
class Transpose:
    """Rows become columns; of a vector, the row that multiplies from the left."""

    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class Product:
    """The matrix product; `rank` is stated, since a row times a column is a scalar."""

    factors: tuple[Node, ...]
    rank: int


@dataclass(frozen=True)
class Scale:
    """A matrix or vector (or nothing) times scalars, over scalars."""

    over: tuple[Node, ...]
    under: tuple[Node, ...]
    body: Node | None

    @property
    def rank(self) -> int:
        return self.body.rank if self.body else 0


@dataclass(frozen=True)
class Hadamard:
    """The elementwise product of some, divided elementwise by others; all of one shape, or scalars."""

    over: tuple[Node, ...]
    under: tuple[Node, ...]
    rank: int


@dataclass(frozen=True)
class Total:
    """A sum of terms of one shape, or scalars; the flag says that a term is subtracted."""

    terms: tuple[tuple[bool, Node], ...]

    @property
    def rank(self) -> int:
        return max(term.rank for _, term in self.terms)


@dataclass(frozen=True)
class Summed:
    """The sum over subscripts, each with how far it runs."""

    indices: tuple[tuple[Index, Expr], ...]
    body: Node

    @property
    def rank(self) -> int:
        return self.body.rank


@dataclass(frozen=True)
class Elementwise:
    """A scalar function of each element."""

    function: str
    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class Whole:
    """`left // right` or `left % right`, of each element."""

    op: str
    left: Node
    right: Node

    @property
    def rank(self) -> int:
        return max(self.left.rank, self.right.rank)


@dataclass(frozen=True)
class Power:
    """Each element to a constant power."""

    base: Node
    exponent: Expr

    @property
    def rank(self) -> int:
        return self.base.rank


@dataclass(frozen=True)
class Diagonal:
    """The matrix with a vector on its diagonal; inverted, with its reciprocals."""

    vector: Node
    inverted: bool = False
    rank: int = 2


@dataclass(frozen=True)
class DiagonalOf:
    """The vector on a matrix's diagonal."""

    matrix: Node
    rank: int = 1


@dataclass(frozen=True)
class Triangle:
    """A matrix on and below its diagonal (on and above it, if `upper`); elsewhere 0, or `fill`, whatever the
    matrix has there."""

    inner: Node
    upper: bool = False
    fill: Expr | None = None
    rank: int = 2


@dataclass(frozen=True)
class Trace:
    """The sum of a matrix's diagonal."""

    matrix: Node
    rank: int = 0


@dataclass(frozen=True)
class SquaredNorm:
    """The sum of the squares of all elements."""

    inner: Node
    rank: int = 0


@dataclass(frozen=True)
class Bracket:
    """1 where a relation between elements holds, 0 elsewhere."""

    op: str
    lhs: Node
    rhs: Node

    @property
    def rank(self) -> int:
        return max(self.lhs.rank, self.rhs.rank)


@dataclass(frozen=True)
class OfRows:
    """A number for each row of a matrix, or of a vector: `max`, `argmax` (where it stands first), `sum`,
    `mean`, `logsumexp`."""

    op: str
    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank - 1


@dataclass(frozen=True)
class Rowwise:
    """`softmax` or `log_softmax` of each row of a matrix, or of a vector."""

    op: str
    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class OfMatrix:
    """A leaf of linear algebra of a whole matrix, by its name in `MATRIX_LEAVES`."""

    op: str
    matrix: Node

    @property
    def rank(self) -> int:
        return len(MATRIX_LEAVES[self.op].result)


@dataclass(frozen=True)
class Correlation:
    """The cross-correlation of an image with a kernel where the kernel fits: element (w, a) is
    Σ_l,m image[l + w, m + a]·kernel[l, m]; of vectors likewise. First the image gets `pads` zeros on both
    sides of each axis; a negative number of them takes elements away."""

    image: Node
    kernel: Node
    pads: tuple[Expr, ...]

    @property
    def rank(self) -> int:
        return self.image.rank


@dataclass(frozen=True)
class Strided:
    """Every second, every third … row and column, or element of a vector, from the first on."""

    inner: Node
    steps: tuple[Expr, ...]

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class Turned:
    """A matrix turned by half a turn, rows and columns from the last to the first; a vector reversed."""

    inner: Node

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class MaxPool:
    """The largest element of each window; windows lie side by side and have `window` elements an axis."""

    inner: Node
    window: tuple[Expr, ...]

    @property
    def rank(self) -> int:
        return self.inner.rank


@dataclass(frozen=True)
class Flattened:
    """A tensor as a matrix: its first axis, and all others as one, in row-major order."""

    name: str
    rank: int = 2


@dataclass(frozen=True)
class Kronecker:
    """The Kronecker product: row (i, j) and column (k, l) hold left[i, k]·right[j, l]; both pairs of indices
    in row-major order, so that it multiplies a vec that puts row behind row."""

    left: Node
    right: Node
    rank: int = 2


Node = (
    Named | Number | Ones | Range | Identity | OneHot | Rows | Transpose | Product | Scale | Hadamard | Total
    | Summed | Elementwise | Whole | Power | Diagonal | DiagonalOf | Triangle | Trace | SquaredNorm | Bracket
    | OfRows | Rowwise | OfMatrix | Correlation | Strided | Turned | MaxPool | Flattened | Kronecker
)  # fmt: skip


@dataclass(frozen=True)
class MatrixEquation:
    """`left = right` for all values of the subscripts on the left for which the `condition` holds."""

    left: Named | Flattened
    right: Node
    condition: Guard | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the tensor is defined without subscripts."""
        return isinstance(self.left, Named) and not self.left.subscripts
