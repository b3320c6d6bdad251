"""How a page is read: what subscripts and sums say, what a derivative is, how the backward pass goes on.

Enters: a document. Leaves: paragraphs of markup, about the page's own equations. Must not know: how an
equation or a derivative was found.

It is for a reader who knows derivatives of functions of several variables, and neither index notation nor
matrices of derivatives.
"""

from __future__ import annotations

import itertools

from markupsafe import Markup

from symbp.explain.document import Document
from symbp.explain.mathml import MathML, operator
from symbp.explain.page.equations import Links, inline, notation_of
from symbp.ir.expr import Access, Index
from symbp.read.display import Reduced
from symbp.read.reading import Line


def guide(document: Document, links: Links) -> tuple[Markup, ...]:
    """The paragraphs; none of what the page doesn't have."""
    notation = notation_of(document.reading.symbols)
    found: list[Markup] = []
    for shown in document.equations:
        read = _element(shown.line)
        if read is not None:
            found += _subscripts(shown.line, read, notation, links)
            if shown.matrix is not None:
                found.append(Markup(MATRICES))
            break
    if document.derivation.is_gradient and (tensor := _differentiated(document)) is not None:
        adjoint, by = tensor
        symbol = inline(notation.tensor(by))
        found.append(Markup(DERIVATIVE).format(inline(notation.tensor(adjoint)), symbol))
        found.append(Markup(CHAIN).format(symbol))
    return tuple(found)


MATRICES = (
    "Below the equation stands the same in matrix notation, without letters. A product of matrices is such a "
    "sum: along the rows of the first and down the columns of the second. A matrix that has them the other "
    "way round stands transposed."
)
NUMBER = "{} is one number: {}. An equation holds for every value of the letters on its left: {} for each {}."
SUM = "{} adds up what follows it, for all values of {}: the result has no such letter any more."
DERIVATIVE = (
    "{0} has the shape of {1}. It says of each number of {1} how fast the loss changes with it, while "
    "whatever is computed from it follows, and all else stays."
)
CHAIN = (
    "The backward pass is the chain rule, from the loss back to the parameters. A number of {0} acts on the "
    "loss through the tensors that read {0}. For each number of these: the loss's derivative by it, times "
    "its own derivative by the number of {0}; all that is added up. Where a derivative is 0, the term is "
    "gone, and what is left is the equation. “why?” below it shows the steps."
)


def _element(line: Line) -> Access | None:
    """Of an equation with a sum, an element that it runs over, of a tensor of more axes than one."""
    summed = _summed(line)
    if not summed or not line.equation.indices or line.fixed:
        return None
    plain = [
        a
        for a in line.equation.body.atoms(Access)
        if len(a.subscripts) > 1
        and all(isinstance(s, Index) for s in a.subscripts)
        and summed & {*a.subscripts}
    ]
    first = line.equation.indices[0]
    return min(plain, key=lambda a: (first not in a.subscripts, str(a)), default=None)


def _summed(line: Line) -> set[Index]:
    """The indices of the sums in an equation."""
    own = line.equation.reduced if line.equation.op == "sum" else ()
    sums = [part.indices for part in line.equation.body.atoms(Reduced) if part.op == "sum"]
    return {*own, *itertools.chain(*sums)}


def _subscripts(line: Line, read: Access, notation: MathML, links: Links) -> list[Markup]:
    """What a subscript, an equation and a sum say."""
    letters = [inline(notation.symbol(i)) for i in read.subscripts]
    element = inline(notation.access(read.name, [notation.show(i) for i in read.subscripts], None))
    tensor = inline(notation.tensor(read.name))
    if len(letters) == 2:
        where = Markup("what stands in row {} and column {} of {}").format(*letters, tensor)
    else:
        where = Markup("that of {} at the places {} along its axes").format(
            tensor, Markup(", ").join(letters)
        )
    own = [inline(notation.symbol(i)) for i in line.equation.indices]
    each = Markup(" and each ").join(own)
    number = links.linked(f"({line.number})")
    summed = [notation.symbol(i) for i in read.subscripts if i in _summed(line)]
    sign = inline(f"<msub>{operator('Σ')}<mrow>{''.join(summed)}</mrow></msub>")
    over = Markup(", ").join(map(inline, summed))
    return [Markup(NUMBER).format(element, where, number, each), Markup(SUM).format(sign, over)]


def _differentiated(document: Document) -> tuple[str, str] | None:
    """A derivative of the page and what it is by, with axes if there is one."""
    system, quotients = document.reading.derivation.system, document.quotients
    found = [
        (line.target, quotients[line.target].by[0][0])
        for line in document.reading.lines
        if line.target in quotients and len(quotients[line.target].by) == 1
    ]
    return next((pair for pair in found if system.tensor(pair[0]).shape), next(iter(found), None))
