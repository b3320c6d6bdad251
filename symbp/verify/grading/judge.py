"""Whether two formulas have one value: shown, and not guessed from two numbers.

Enters: a sheet, an answer, trees. Leaves: how equality was proven, or where it fails.
Must not know: slips, or how a verdict is told.

As `symbp.verify.proofs` proves a step: modulo two random primes near 2⁶¹ at two choices of pairwise distinct
sizes, with leaves as residues, functions that aren't rational as unknowns, and conditions on real values
drawn freely. What differs as formulas agrees there with a probability below 1e-24 (for functions, the bound
is in `symbp.ir.evaluation.unknowns`; for conditions, in `symbp.derive.proof.free`). What needs more of a
function than that is compared in 50 digits at four points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symbp.errors import DerivationError, EvaluationError, FormulaError, OutsideDomain
from symbp.ir.evaluation.box import AS_THEY_ARE
from symbp.ir.evaluation.domains import FLOAT
from symbp.ir.points.fitting import elements, literal_sizes, sample_sizes
from symbp.ir.points.sampling import sample_run
from symbp.read.grammar.syntax import Name, Number, Read, Reduction, Subscripted, Tree
from symbp.verify.grading.answer import Answer
from symbp.verify.grading.evaluation import Meaning
from symbp.verify.grading.key import Sheet, SheetAtPoint
from symbp.verify.grading.names import Names
from symbp.verify.grading.reductions import extent
from symbp.verify.grading.values import Array, Clock, Misfit, Value
from symbp.verify.grading.verdict import Proof
from symbp.verify.proofs.evaluation import Refused, mismatch
from symbp.verify.proofs.points import MOST, Point, digit_points, exact_points, size_choices
from symbp.verify.proofs.report import DIGITS, EXACT, Mismatch

CLOSE = 1e-8  # of floats: what differs more isn't worth a proof
NO_INDEX = (":", "None", "newaxis")  # subscripts of slices
VARIANTS = 8  # of sizes
REFUSED = (Refused, EvaluationError, OutsideDomain, ArithmeticError)


@dataclass(frozen=True)
class Finding:
    """What was found of a tree: a proof, where it differs, which shapes don't fit, why nothing is known.
    `doubtful`, if it differs only where conditions on real values were drawn."""

    proof: Proof | None = None
    wrong: Mismatch | None = None
    misfit: Misfit | None = None
    why: str = ""
    doubtful: bool = False


@dataclass(frozen=True)
class Places:
    """A sheet at the points at which its answers are judged; what has been evaluated there is kept."""

    sheet: Sheet
    seed: int = 0

    @cached_property
    def choices(self) -> list[dict[str, int]]:
        """Choices of sizes; each size has another value in one of them, where that can be: /5 isn't /N."""
        system = self.sheet.system
        found, kept = size_choices(system), literal_sizes(system)
        for variant in range(VARIANTS):
            same = {n for n in found[0] if n not in kept and len({sizes[n] for sizes in found}) == 1}
            other = sample_sizes(system, variant)
            if any(other[n] != found[0][n] for n in same) and elements(system, other) <= MOST:
                found.append(other)
        return found

    @cached_property
    def exact(self) -> list[SheetAtPoint]:
        """Twice as many where leaves have few values, so that more of them are seen."""
        system, seeds = self.sheet.system, [self.seed]
        if any(leaf.integer or leaf.fact("binary") or leaf.fact("one hot") for leaf in system.leaves):
            seeds.append(self.seed + 1)
        points = [point for seed in seeds for point in exact_points(system, seed, self.choices)]
        return [SheetAtPoint(self.sheet, point) for point in points]

    @cached_property
    def digits(self) -> list[SheetAtPoint]:
        points = digit_points(self.sheet.system, self.seed, self.choices)
        return [SheetAtPoint(self.sheet, point) for point in points]

    @cached_property
    def screen(self) -> SheetAtPoint:
        """A point in floats, at which most of what is wrong is seen at once."""
        sizes = size_choices(self.sheet.system)[0]
        run = sample_run(self.sheet.system, self.seed, sizes=sizes)
        return SheetAtPoint(self.sheet, Point(run.sizes, run.values, FLOAT, AS_THEY_ARE, False))


@dataclass(frozen=True)
class Judge:
    """Who judges one answer, and the trees that it may have been meant to be, until the clock says stop."""

    places: Places
    names: Names
    clock: Clock
    meanings: dict[int, Meaning] = field(default_factory=dict)

    @property
    def sheet(self) -> Sheet:
        return self.places.sheet

    @property
    def screen(self) -> SheetAtPoint:
        return self.places.screen

    def meaning(self, place: SheetAtPoint, answer: Answer) -> Meaning:
        if id(place) not in self.meanings:
            self.meanings[id(place)] = Meaning(answer.right, self.names, place, self.clock, answer.loose)
        return self.meanings[id(place)]

    # --- arrays
    def expected(self, place: SheetAtPoint, answer: Answer) -> Array:
        """The right values of what stands on the left."""
        array = place.tensor(answer.target)
        if answer.subscripts is None:
            return array
        return np.asarray(array[tuple(self.slices(place, answer, array.ndim))])

    def slices(self, place: SheetAtPoint, answer: Answer, rank: int) -> list[int | slice]:
        """A number for each axis that the left side fixes."""
        meaning, found = self.meaning(place, answer), list[int | slice]()
        for subscript in self.on_axes(place, answer, rank):
            if subscript is None or isinstance(subscript, Name):
                found.append(slice(None))
                continue
            value = meaning.value(subscript, {})
            if not value.integer or value.rank or value.index:
                raise meaning.error(subscript, "on the left a subscript is an index or a number")
            found.append(int(value.array))
        return found

    def on_axes(self, place: SheetAtPoint, answer: Answer, rank: int) -> list[Tree | None]:
        """The subscripts of the left side, one for each axis or None."""
        given = answer.subscripts or ()
        plain: list[Tree | None] = [None if isinstance(s, Name) and s.name == ":" else s for s in given]
        if len(plain) == rank or None in plain:
            return [*plain, *[None] * (rank - len(plain))]
        found = list[Tree | None]()
        for _ in range(rank):
            spare = rank - len(found) - len(plain)
            fits = plain and self.fits(plain[0], answer.target, len(found), spare)
            found.append(plain.pop(0) if fits else None)
        if plain:
            shape = place.tensor(answer.target).shape
            raise Misfit("the subscripts on the left fit none of its axes", (0, 1), (shape,))
        return found

    def fits(self, subscript: Tree | None, target: str, axis: int, spare: int) -> bool:
        """Whether a subscript may stand at an axis: an index where it is as long on the page, a number where
        the axis is one long that is a number, too."""
        extent = self.sheet.shape(target)[axis]
        if isinstance(subscript, Name) and subscript.name in self.names.ranges:
            return extent in self.names.ranges[subscript.name]
        return spare == 0 or (isinstance(subscript, Number) and bool(extent.is_Integer))

    def scope(self, place: SheetAtPoint, answer: Answer, tree: Tree, shape: Sequence[int]) -> dict[str, int]:
        """How far the free indices run: those of the left side as its axes do."""
        left = self.left_indices(place, answer, tree, len(shape))
        found = {name: int(shape[axis]) for axis, name in left.items()}
        meaning = self.meaning(place, answer)
        for name in sorted(free_indices(tree, self.names) - set(found)):
            found[name] = extent(meaning, name, tree)
        return found

    def left_indices(self, place: SheetAtPoint, answer: Answer, tree: Tree, rank: int) -> dict[int, str]:
        """The index at each axis of the left side; where it has none written, those of the page."""
        if answer.subscripts is not None:
            axes = self.on_axes(place, answer, rank)
            return {k: s.name for k, s in enumerate(axes) if isinstance(s, Name)}
        free = free_indices(tree, self.names)
        if not free:
            return {}
        for line in self.sheet.reading.lines:
            if line.target == answer.target and not line.fixed:
                letters = [i.name for i in line.equation.indices]
                return {k: name for k, name in enumerate(letters) if name in free}
        return {}

    def found(self, place: SheetAtPoint, answer: Answer, tree: Tree) -> Array:
        """The values of a tree, laid out as what stands on the left. Raises Misfit where they can't be."""
        whole = place.tensor(answer.target).shape
        scope = self.scope(place, answer, tree, whole)
        meaning = self.meaning(place, answer)
        value = meaning.real(tree, scope)
        left = self.left_indices(place, answer, tree, len(whole))
        fixed = self.slices(place, answer, len(whole)) if answer.subscripts is not None else []
        kept = [k for k in range(len(whole)) if k >= len(fixed) or isinstance(fixed[k], slice)]
        return _laid(value, [(left.get(k), int(whole[k])) for k in kept], tree)

    # --- equality
    def differs(self, place: SheetAtPoint, answer: Answer, tree: Tree) -> Mismatch | None:
        """Where a tree has another value at a place. Raises Misfit; Refused where the place can't tell."""
        try:
            right, found = self.expected(place, answer), self.found(place, answer, tree)
        except REFUSED as error:
            raise Refused(str(error).splitlines()[0]) from None
        if not place.point.exact and any(value != value for value in right.flat):
            raise Refused("what is asked for has no value there")
        if place.point.domain is FLOAT:
            right = right.astype(np.float64)
            with np.errstate(all="ignore"):
                close = np.abs(found - right) <= CLOSE * (np.max(np.abs(right), initial=0.0) + 1e-3)
            if np.all(close):
                return None
            at = tuple(int(k) for k in np.argwhere(~np.atleast_1d(close))[0])[: right.ndim]
            return Mismatch(answer.left, _element(at), str(right[at]), str(found[at]), place.point.sizes)
        return mismatch(answer.left, right, found, place.point)

    def looks_right(self, answer: Answer, tree: Tree) -> bool:
        """Whether floats don't tell a tree from what is right."""
        try:
            with np.errstate(all="ignore"):
                return self.differs(self.screen, answer, tree) is None
        except (Misfit, Refused, FormulaError):
            return False

    def finding(self, answer: Answer, tree: Tree) -> Finding:
        """What can be shown of a tree."""
        try:
            return self._finding(answer, tree)
        except Misfit as misfit:
            return Finding(misfit=misfit)

    def _finding(self, answer: Answer, tree: Tree) -> Finding:
        try:
            exact = self.places.exact
            if exact and not any(self.differs(place, answer, tree) for place in exact):
                self.trust(answer, exact)
                return Finding(Proof(EXACT, _sizes(exact)))
        except Refused:
            pass
        told, drawn, why = list[SheetAtPoint](), list[Mismatch](), "no point can tell"
        for place in self.places.digits:
            try:
                wrong = self.differs(place, answer, tree)
            except Refused as refusal:
                why = str(refusal)
                continue
            if wrong is not None and place.point.conditions is AS_THEY_ARE:
                return Finding(wrong=wrong)
            drawn += [wrong] if wrong is not None else []
            told.append(place)
        if drawn:  # under conditions that were drawn, which real values may never show
            return Finding(wrong=drawn[0], doubtful=True)
        if not told:
            return Finding(why=why)
        self.trust(answer, told)
        return Finding(Proof(DIGITS, _sizes(told)))

    def trust(self, answer: Answer, places: Iterable[SheetAtPoint]) -> None:
        """Makes sure that what an answer is compared with is the derivative that it is said to be."""
        if answer.by is None:
            return
        failed: DerivationError | None = None
        for place in [*places, *self.places.digits]:
            try:
                place.trust(answer.by)
                return
            except REFUSED:
                continue
            except DerivationError as error:  # modulo a prime functions are unknowns: look in digits, too
                failed = error
        if failed is not None:
            raise failed


def _laid(value: Value, axes: Sequence[tuple[str | None, int]], tree: Tree) -> Array:
    """The value with these axes: named ones, and for the others its plain ones in their order."""
    named = [name for name, _ in axes if name is not None]
    unknown = [name for name in value.index if name not in named]
    if unknown:
        what = f"the index {unknown[0]} is left over: it is neither summed over nor on the left"
        raise Misfit(what, tree.span)
    plain = [length for name, length in axes if name is None]
    shape = tuple(length for _, length in axes)
    wanted = f"where {len(plain)} are needed" if value.rank != len(plain) else "where others are needed"
    if value.rank != len(plain) and value.rank:
        raise Misfit(f"the right side has {value.rank} axes {wanted}", tree.span, (value.shape, shape))
    if not value.rank and plain:
        raise Misfit("the right side is one number", tree.span, (value.shape, shape))
    for length, given, fits in zip(plain, value.shape, value.fits, strict=True):
        if length != given and not fits:
            raise Misfit("the right side has another shape", tree.span, (value.shape, shape))
    array = value.named(named)
    places = iter(range(len(named), array.ndim))
    order = [named.index(name) if name is not None else next(places) for name, _ in axes]
    return np.broadcast_to(np.transpose(array, order), shape)


def free_indices(tree: Tree, names: Names) -> set[str]:
    """The indices of an answer that no reduction binds."""
    bound = tree.indices if isinstance(tree, Reduction) else ()
    found: set[str] = set()
    if isinstance(tree, (Read, Subscripted)):
        for subscript in tree.subscripts:
            for inner in subscript.walk() if subscript is not None else ():
                if isinstance(inner, Name) and inner.name not in (*NO_INDEX, *names.tensors):
                    found |= {inner.name} if inner.name not in names.sizes else set()
    if isinstance(tree, Name) and tree.name in names.letters and tree.name not in names.tensors:
        found |= {tree.name} if tree.name not in names.sizes else set()
    for child in tree.children():
        found |= free_indices(child, names)
    if isinstance(tree, Reduction) and tree.op in ("softmax", "log_softmax"):
        return found
    return found - set(bound)


def _element(at: Sequence[int]) -> str:
    return f"[{','.join(map(str, at))}]" if at else ""


def _sizes(places: Iterable[SheetAtPoint]) -> tuple[Any, ...]:
    return tuple({tuple(p.point.sizes.items()): p.point.sizes for p in places}.values())
