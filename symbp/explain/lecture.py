"""The lessons of a lecture as rows: sentences and formulas, which each format spells.

Enters: a document with lessons. Leaves: for each lesson its rows. Must not know: any format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import sympy

from symbp.explain.document import Document, sides
from symbp.explain.shapes import product_shapes
from symbp.ir.expr import Access, Expr, Guard, IntegerAccess
from symbp.ir.printer import Notation
from symbp.read.display import Along
from symbp.read.lecture import Lesson, Part
from symbp.read.lecture.short import Selected
from symbp.read.legend import Named, Piece, counted


@dataclass(frozen=True)
class Sentence:
    """Words, tensors and expressions."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Formula:
    """Both sides of an equation; `number` where it is one of the page, `depth` for what stands between."""

    left: str
    right: str
    number: int | None = None
    depth: int = 0


Row = Sentence | Formula
WHY = {
    "softmax": "By the quotient rule, since softmax divides exp by a sum of exp: the first term comes from "
    "above, the second from below.",
}  # of functions along an axis, what makes their derivative a difference
Steps = bool | Literal["computed"]  # a lecture, or every rewrite that led to the computed equations


def rows(document: Document, lesson: Lesson, notation: Notation) -> list[Row]:
    """The rows of a lesson, formulas spelled in a notation that knows the symbols of the lecture."""
    again = document.lecture.likewise(lesson)
    return [
        *_own_rows(document, lesson, notation),
        *([Sentence(_likewise(document, again))] if again else []),
    ]


def _likewise(document: Document, blocks: Sequence[Sequence[Lesson]]) -> tuple[Piece, ...]:
    """Which tensors have the same lessons, and the numbers of their equations."""
    pieces: list[Piece] = ["Likewise "]
    for k, block in enumerate(blocks):
        targets = {lesson.line.target for lesson in block}
        numbers = [line.number for line in document.reading.lines if line.target in targets]
        pieces += [
            "; " if k else "",
            *_listed([Named(lesson.by) for lesson in block]),
            f" {counted(numbers)}",
        ]
    return (*(p for p in pieces if p != ""), ".")


def _own_rows(document: Document, lesson: Lesson, notation: Notation) -> list[Row]:
    found: list[Row] = [Sentence(_read_by(document, lesson)), *_parts(document, lesson, notation, 0)]
    if lesson.sum is None:
        found.append(Sentence((_without_formula(document, lesson),)))
    elif lesson.is_result:
        found += [Sentence(summed) for summed in _summed(lesson)]
        return [*found, *_results(document, lesson, notation), *_shapes(document, lesson)]
    else:
        found += [Formula(*notation.equation(lesson.sum)), *(Sentence(s) for s in _summed(lesson))]
    found += _shortened(document, lesson, notation)
    why = () if lesson.is_selected else reasons(document, lesson)
    told = (*_shapes(document, lesson), *(Sentence((one,)) for one in why))
    return [*found, *_results(document, lesson, notation), *told]


def _shortened(document: Document, lesson: Lesson, notation: Notation) -> Iterator[Row]:
    """What makes the result short: brackets that leave one term, sums whose value is known."""
    if lesson.selected is not None:
        yield Sentence(_leaves(lesson.selected))
        if not lesson.is_selected:
            yield Formula(*notation.equation(lesson.selected.equation))
    numbers = document.reading.numbers
    for known in lesson.known:
        yield Formula(notation.show(known.left), notation.show(known.right))
        said: list[Piece] = [f"{'Both are one double sum, by' if known.shared else 'By'} the definition"]
        said.append("s of " if len(known.by) > 1 else " of ")
        for k, name in enumerate(known.by):
            said += [", " if k else "", Named(name), *([f" ({numbers[name]})"] if name in numbers else [])]
        yield Sentence((*(p for p in said if p != ""), "."))


def _leaves(selected: Selected) -> tuple[Piece, ...]:
    """Which brackets leave one term of a sum."""
    brackets, put = selected.brackets, [Named(name) for name in selected.put]
    pieces: list[Piece] = ["With ", *_listed(put), " put in, the "] if put else ["The "]
    pieces += ["brackets " if len(brackets) > 1 else "bracket ", *_listed(brackets)]
    pieces.append(" leave one term each" if len(brackets) > 1 else " leaves one term of its sum")
    if selected.cancels:
        pieces += [", and ", *_listed(selected.cancels), " cancels"]
    return (*pieces, ".")


def _shapes(document: Document, lesson: Lesson) -> list[Sentence]:
    """Why a factor is transposed, where the result is a product of two matrices."""
    results = [e for e in document.equations if e.line.target == lesson.line.target]
    said = [product_shapes(document, shown) for shown in results]
    return [Sentence(pieces) for pieces in said if pieces]


def _without_formula(document: Document, lesson: Lesson) -> str:
    """What to say where a reader has no local derivative in a formula."""
    equations = document.reading.derivation.system.defining
    if any(equations[reader].op == "max" for reader in lesson.readers):
        return "The derivative by a maximum goes to where the value came from."
    return "The local derivative is no formula of one element by another."


def _read_by(document: Document, lesson: Lesson) -> tuple[Piece, ...]:
    return (Named(lesson.by), " is read by ", *_readers(document, lesson), ".")


def _readers(document: Document, lesson: Lesson) -> Iterator[Piece]:
    """Those that read the tensor, with their numbers."""
    numbers = document.reading.numbers
    for k, reader in enumerate(lesson.readers):
        yield from (*([", "] if k else []), Named(reader), f" ({numbers[reader]})")


def _first_by(document: Document, inner: Lesson) -> tuple[Piece, ...]:
    """That a derivative comes first which has no equation on the page."""
    return ("First by ", Named(inner.by), ", which is read by ", *_readers(document, inner), ":")


def _parts(document: Document, lesson: Lesson, notation: Notation, depth: int) -> Iterator[Row]:
    """The local derivatives, and before them what stands between the readers and the loss."""
    for inner in lesson.between:
        yield Sentence(_first_by(document, inner))
        yield from _parts(document, inner, notation, depth + 1)
        if inner.sum is not None:
            yield Formula(*notation.equation(inner.sum), depth=depth + 1)
        if inner.selected is not None:
            yield Sentence(_leaves(inner.selected))
            yield Formula(*notation.equation(inner.selected.equation), depth=depth + 1)
    slopes: dict[str, list[Part]] = {}
    for part in lesson.parts:
        if part.slope is not None:
            left = notation.slope(notation.show(part.of), notation.show(part.by))
            slopes.setdefault(left, []).append(part)
    order = lesson.line.equation.indices
    for left, parts in slopes.items():
        slope = sympy.Add(*[p.slope for p in parts])
        where = [Sentence(said) for said in _only_where(lesson, slope, parts[0])]
        if _is_trivial(lesson, slope, len(slopes)):
            yield from where
            continue
        right = notation.show(slope, order)
        why = _why(document, parts[0]) if isinstance(slope, sympy.Mul) else ""
        if why:  # [k = k']·p - p·p'
            right = notation.equal(notation.show(sympy.expand(slope), order), right)
        if len(parts) == 1 and parts[0].plainly is not None:  # 1 - tanh(a)² = 1 - h²
            right = notation.equal(notation.show(parts[0].plainly, order), right)
        yield Formula(left, right, depth=depth)
        if why:
            yield Sentence((why,))
        yield from where


def _why(document: Document, part: Part) -> str:
    """What is said of the derivative of a function along an axis; nothing of others."""
    bodies = (line.equation.body for line in document.reading.lines if line.target == part.reader)
    return next((WHY[b.function] for b in bodies if isinstance(b, Along) and b.function in WHY), "")


def _only_where(lesson: Lesson, slope: Expr, part: Part) -> Iterator[tuple[Piece, ...]]:
    """What a bracket of subscripts says: that an element is read by some only; where there is no such
    element, its derivative counts as 0, and the sum needs no bracket."""
    guards = [
        factor
        for factor in sympy.Mul.make_args(slope)
        if isinstance(factor, Guard) and all(isinstance(a, IntegerAccess) for a in factor.atoms(Access))
    ]
    if not guards:
        return
    ends = " are 1." if len(guards) > 1 else " is 1."
    yield (Named(part.reader), " reads ", Named(part.by.name), " only where ", *_listed(guards), ends)
    if lesson.sum is not None and not {*guards} & lesson.sum.body.atoms(Guard):
        yield ("Elsewhere the derivative by ", Named(part.reader), " counts as 0: the sum needs no bracket.")


def _is_trivial(lesson: Lesson, slope: Expr, count: int) -> bool:
    """Whether the local derivative is the whole sum: of the loss by what it reads."""
    return count == 1 and lesson.sum is not None and slope == lesson.sum.body


def _summed(lesson: Lesson) -> list[tuple[Piece, ...]]:
    """Which indices are summed over, and why."""
    found: list[tuple[Piece, ...]] = []
    for part in lesson.parts:
        if part.summed:
            over = _listed(part.summed)
            stays = lesson.sum.indices if lesson.sum is not None else ()
            over_what = ("Summed over ", *over, ", which ", Named(part.reader), " has and ")
            said: tuple[Piece, ...] = (*over_what, Named(lesson.by), " hasn't")
            said += ("; ", *_listed(stays), " stay" if len(stays) > 1 else " stays") if stays else ()
            if (*said, ".") not in found:
                found.append((*said, "."))
    return found


def _results(document: Document, lesson: Lesson, notation: Notation) -> Iterator[Row]:
    shown_here = [e for e in document.equations if e.line.target == lesson.line.target]
    if len(shown_here) > 1 and lesson.sum is not None and any(e.line.fixed for e in shown_here):
        letters = dict.fromkeys(letter for e in shown_here for letter in e.line.fixed)
        yield Sentence(("For each value of ", *_listed(list(letters)), " one bracket is 1:"))
    for shown in document.equations:
        if shown.line.target == lesson.line.target:
            yield Formula(*sides(shown.line, notation), number=shown.number)


def reasons(document: Document, lesson: Lesson) -> list[str]:
    """What made the result short, a sentence each: those that mention nothing that the page hasn't."""
    words = {name for name, shown in document.reading.symbols.text.items() if name == shown}
    found: dict[str, str] = {}
    told = {"chain rule", "sum of the contributions", *(known.rule for known in lesson.known)}
    told |= {"substitution"} if lesson.between else set()  # what stands between was put in before one's eyes
    for step in document.steps:
        if step.target == lesson.line.target and step.rule not in told:
            named = {w for w in _names(step.because()) if "_" in w or any(c.isdigit() for c in w)}
            if named <= words and step.rule not in found:
                found[step.rule] = step.because()
    return list(found.values())


def _names(sentence: str) -> set[str]:
    return {word.strip(".,;:()") for word in sentence.split()}


def _listed(pieces: Sequence[Piece | Guard]) -> list[Piece]:
    return [part for k, piece in enumerate(pieces) for part in ((", ", piece) if k else (piece,))]
