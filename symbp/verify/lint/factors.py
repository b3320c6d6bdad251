"""By how much each layer can stretch the gradient that passes it: bounds in closed form, from the sweep.

Enters: a system with adjoints. Leaves: notes. Must not know: layers, ops.

The chain rule makes an adjoint of others by products and sums. Where all that stands beside another adjoint
is a parameter, a number, a bracket, a tensor that is proven to lie between −1 and 1, or a function of one
argument whose greatest value is found exactly, the norm of the one is bounded by a factor times the norm of
the other: ‖dx‖ ≤ ‖W‖·max|f′|·‖dz‖, with the spectral norm of W, as the matrix by which it acts. Brackets are
0 or 1. Each element of the other is read once, or once for each row of W. Everything else is left out:
nothing is said where nothing is proven.

A recurrence passes adjoints back through time. Each way from an adjoint to itself one step earlier has the
product of its factors as a bound: where it is below 1, what passes that way vanishes over many steps; above
1, it may explode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy

from symbp.derive.derivation import Derivation
from symbp.ir.expr import Access, Expr, Guard, Index, free_indices
from symbp.ir.groups import groups
from symbp.ir.printer import expression_text
from symbp.ir.signs import Signs
from symbp.ir.system import Equation, Role, System
from symbp.verify.lint.report import PLACED, Finding

ADJOINTS = (Role.ADJOINT, Role.GRADIENT)
MOST_LOOPS = 6  # ways around a recurrence that are listed


@dataclass(frozen=True)
class Factor:
    """A bound for one way from an adjoint to another: a number times norms of parameters; `slopes` are the
    functions whose greatest value is in the number, with that value."""

    number: Expr
    norms: tuple[str, ...]
    slopes: tuple[tuple[str, Expr], ...]
    source: str

    @property
    def text(self) -> str:
        """`2·‖W‖`, tensors in places for their symbols."""
        norms = [f"‖{{{name}}}‖" for name in self.norms]
        number = [] if self.number == 1 and norms else [expression_text(self.number)]
        return "·".join([*number, *norms])


def factors(derivation: Derivation) -> Iterator[Finding]:
    """A note for each hidden tensor whose gradient is bounded, and for each recurrence."""
    system = derivation.grounds[-1].after
    assert derivation.system.loss is not None
    bounds = _Bounds(system)
    for tensor in system.tensors:
        what = tensor.differential
        if what is None or what.part or tensor.role is Role.GRADIENT or tensor.name not in system.defining:
            continue
        terms = bounds.of(tensor.name)
        if terms and tensor.name not in bounds.fed:
            note = _note(system, tensor.name, _gathered(terms))
            if note is not None:
                yield note
    yield from _loops(system, bounds)


def _gathered(terms: Sequence[Factor]) -> list[Factor]:
    """The terms with equal ones added up."""
    found: dict[tuple[str, tuple[str, ...]], Factor] = {}
    for term in terms:
        key = term.source, term.norms
        if key in found:
            slopes = tuple(dict.fromkeys((*found[key].slopes, *term.slopes)))
            found[key] = replace(found[key], number=found[key].number + term.number, slopes=slopes)
        else:
            found[key] = term
    return list(found.values())


def _note(system: System, name: str, terms: Sequence[Factor]) -> Finding | None:
    """None where the gradient is passed on as it is."""
    if len(terms) == 1 and terms[0].text == "1" and not terms[0].slopes:
        return None
    loss, by = _said(system, name)
    parts = []
    for term in terms:
        of, other = _said(system, term.source)
        factor = "" if term.text == "1" else f"{term.text}·"
        parts.append(f"{factor}‖∂{{{of}}}/∂{{{other}}}‖")
    slopes = dict.fromkeys(slope for term in terms for slope in term.slopes)
    return Finding(
        "note",
        "factor of the gradient",
        (by,),
        f"‖∂{{{loss}}}/∂{{{by}}}‖ ≤ {' + '.join(parts)}",
        tuple(f"{text} is at most {expression_text(value)}." for text, value in slopes),
        "By the chain rule, with spectral norms; greatest values by exact calculus."
        if slopes
        else "By the chain rule, with spectral norms.",
    )


def _said(system: System, name: str) -> tuple[str, str]:
    """What an adjoint is the derivative of, and by what."""
    what = system.tensor(name).differential
    assert what is not None
    return what.of, what.by


class _Bounds:
    """The factors from one adjoint to the next, through the summands that have names of their own."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.signs = Signs(system, system.equations)
        self.known: dict[str, list[Factor] | None] = {}
        self.fed: set[str] = set()

    def of(self, name: str) -> list[Factor] | None:
        """One factor for each term of the equation of an adjoint that has another one; None if one isn't
        bounded. Those that have a term without another one, of the loss itself, are in `fed`."""
        if name not in self.known:
            self.known[name] = None
            self.known[name] = self._of(self.system.defining[name])
        return self.known[name]

    def _of(self, equation: Equation) -> list[Factor] | None:
        found: list[Factor] = []
        self.fed |= {equation.target} if self._is_fed(equation) else set()
        for term in sympy.Add.make_args(equation.body):
            inner = self._term(term, equation)
            if inner is None:
                return None
            found += inner
        return found

    def _is_fed(self, equation: Equation) -> bool:
        """Whether a term reads no adjoint, or a summand of which that is so."""
        reads = [
            [a for a in t.atoms(Access) if self._is_adjoint(a)] for t in sympy.Add.make_args(equation.body)
        ]
        parts = {a.name for own in reads for a in own if self._is_part(a.name)}
        return not all(reads) or any(self._is_fed(self.system.defining[name]) for name in parts)

    def _term(self, term: Expr, equation: Equation) -> list[Factor] | None:
        if not self._reads_adjoint(term):
            return []
        parts = sympy.Mul.make_args(term)
        reads = [f for f in parts if isinstance(f, Access) and self._is_adjoint(f)]
        if len(reads) != 1 or any(self._reads_adjoint(f) for f in parts if f not in reads):
            return None
        (read,) = reads
        if not _is_injective(read):
            return None
        fixed = {f.lhs for f in parts if isinstance(f, Guard) and f.op == "=" and f.rhs.is_number}
        fixed |= {f.rhs for f in parts if isinstance(f, Guard) and f.op == "=" and f.lhs.is_number}
        part = self._is_part(read.name)
        rest = [f for f in parts if f is not read and not isinstance(f, Guard)]
        weighed = self._weighed(rest, read, equation, fixed)
        if weighed is None:
            return None
        own = Factor(*weighed, read.name)
        if not part:
            return [own]
        inner = self.of(read.name)
        return None if inner is None else [_then(own, factor) for factor in inner]

    def _is_adjoint(self, access: Access) -> bool:
        return self.system.tensor(access.name).role in ADJOINTS

    def _reads_adjoint(self, e: Expr) -> bool:
        return any(self._is_adjoint(a) for a in e.atoms(Access))

    def _is_part(self, name: str) -> bool:
        what = self.system.tensor(name).differential
        return what is not None and what.part

    def _weighed(
        self, rest: Sequence[Expr], read: Access, equation: Equation, fixed: set[Expr]
    ) -> tuple[Expr, tuple[str, ...], tuple[tuple[str, Expr], ...]] | None:
        """The number, norms and slopes by which a term multiplies what it reads."""
        number: Expr = sympy.Integer(1)
        norms: list[str] = []
        slopes: list[tuple[str, Expr]] = []
        summed: set[Index] = set(equation.reduced)
        repeated = set(equation.indices) - free_indices(read) - fixed
        functions: list[Expr] = []
        for factor in rest:
            if factor.is_number:
                number *= abs(factor)
            elif isinstance(factor, Access) and self._is_weight(factor, read, equation):
                norms.append(factor.name)
                summed -= free_indices(factor)
                repeated -= free_indices(factor)
            elif factor.has(sympy.exp, sympy.tanh):
                functions.append(factor)
            elif self.signs.within_one(factor):
                continue
            else:
                return None
        if summed or repeated or len(norms) > 1:
            return None
        if functions:
            product = sympy.Mul(*functions)
            greatest = greatest_value(product)
            if greatest is None:
                return None
            number *= greatest
            slopes.append((PLACED.show(product, equation.all_indices), greatest))
        return number, tuple(norms), tuple(slopes)

    def _is_weight(self, access: Access, read: Access, equation: Equation) -> bool:
        """Whether a parameter acts as a matrix: over what is summed in the sum, and what is not."""
        if self.system.tensor(access.name).role is not Role.PARAMETER:
            return False
        plain = all(isinstance(s, Index) for s in access.subscripts)
        own = set(access.subscripts)
        return plain and set(equation.reduced) <= own and set(equation.reduced) <= free_indices(read)


def _then(one: Factor, other: Factor) -> Factor:
    return Factor(
        one.number * other.number,
        (*one.norms, *other.norms),
        (*one.slopes, *other.slopes),
        other.source,
    )


def _is_injective(read: Access) -> bool:
    """Whether no element is read at two places: each subscript is a number, or an index of its own, moved."""
    seen: set[Index] = set()
    for subscript in read.subscripts:
        index = subscript.as_coeff_Add()[1]
        if index == 0:
            continue
        if not isinstance(index, Index) or index in seen:
            return False
        seen.add(index)
    return True


# --- functions of one argument
@lru_cache(maxsize=256)
def greatest_value(e: Expr) -> Expr | None:
    """The greatest |e| over all real arguments, exactly, where `e` is a rational function of one exponential
    or one tanh; None where it is something else, or unbounded."""
    e = e.replace(lambda x: isinstance(x, Guard), lambda _: sympy.Integer(1))
    exponentials = sorted(e.atoms(sympy.exp), key=sympy.default_sort_key)
    tangents = sorted(e.atoms(sympy.tanh), key=sympy.default_sort_key)
    w = sympy.Dummy("w", real=True)
    if exponentials and not tangents:
        argument = exponentials[0].args[0]
        low, high, change = sympy.Integer(0), sympy.oo, {}
        for exponential in exponentials:
            ratio = sympy.cancel(exponential.args[0] / argument)
            if not ratio.is_Integer:
                return None
            change[exponential] = w**ratio
    elif len(tangents) == 1 and not exponentials:
        low, high, change = sympy.Integer(-1), sympy.Integer(1), {tangents[0]: w}
    else:
        return None
    rational = sympy.cancel(e.xreplace(change))
    if rational.free_symbols - {w} or not rational.is_rational_function(w):
        return None
    return _greatest_rational(rational, w, low, high)


def _greatest_rational(f: Expr, w: Expr, low: Expr, high: Expr) -> Expr | None:
    """The greatest |f| in an open interval: at its ends and where the derivative is 0."""
    _, below = sympy.fraction(f)
    if below.has(w) and any(low < root < high for root in sympy.real_roots(sympy.Poly(below, w))):
        return None
    top, _ = sympy.fraction(sympy.cancel(sympy.diff(f, w)))
    places = [r for r in sympy.real_roots(sympy.Poly(top, w)) if low < r < high] if top.has(w) else []
    values = [f.subs(w, place) for place in places]
    values += [sympy.limit(f, w, low, "+"), sympy.limit(f, w, high, "-")]
    if any(value.is_infinite for value in values):
        return None
    return sympy.nsimplify(max((abs(sympy.simplify(v)) for v in values), key=lambda v: float(v)))


# --- recurrences
def loops(derivation: Derivation) -> tuple[tuple[Factor, ...], ...]:
    """For each recurrence whose factors are all bounded, the factor of each way back to the step before."""
    system = derivation.grounds[-1].after
    return tuple(tuple(factor for _, factor in ways) for ways in _bounded(system, _Bounds(system)))


def _loops(system: System, bounds: _Bounds) -> Iterator[Finding]:
    """A note for each recurrence of adjoints of which all factors are bounded."""
    for ways in _bounded(system, bounds):
        yield _loop_note(system, ways)


def _bounded(system: System, bounds: _Bounds) -> Iterator[list[Way]]:
    """The ways through each recurrence of adjoints of which all factors are bounded."""
    for group in groups(system):
        if group.loop is None:
            continue
        whole = [n for n in group.targets if _is_adjoint(system, n) and not bounds._is_part(n)]
        edges: dict[str, list[Factor]] = {}
        for name in whole:
            terms = bounds.of(name)
            if terms is None:
                break
            edges[name] = [term for term in terms if term.source in whole]
        else:
            ways = list(_ways(edges))
            if ways and len(ways) <= MOST_LOOPS:
                yield ways


def _is_adjoint(system: System, name: str) -> bool:
    return system.tensor(name).role in ADJOINTS


Way = tuple[tuple[str, ...], Factor]


def _ways(edges: Mapping[str, Sequence[Factor]]) -> Iterator[Way]:
    """Each way from an adjoint back to itself that passes no other twice, from the least name on."""
    for start in sorted(edges):
        stack: list[tuple[tuple[str, ...], Factor | None]] = [((start,), None)]
        while stack:
            path, so_far = stack.pop()
            for edge in edges[path[-1]]:
                factor = edge if so_far is None else _then(so_far, edge)
                if edge.source == start:
                    yield path, factor
                elif edge.source not in path and edge.source > start:
                    stack.append(((*path, edge.source), factor))


def _loop_note(system: System, ways: Sequence[Way]) -> Finding:
    lines, about = [], dict[str, None]()
    for path, factor in ways:
        through = [_said(system, name)[1] for name in path]
        about |= dict.fromkeys(through)
        shown = " → ".join(f"{{{name}}}" for name in (*through, through[0]))
        lines.append(f"{shown}: at most {factor.text} a step")
    slopes = dict.fromkeys(slope for _, factor in ways for slope in factor.slopes)
    lines += [f"{text} is at most {expression_text(value)}." for text, value in slopes]
    first = next(iter(about))
    return Finding(
        "note",
        "factor of a recurrence",
        tuple(about),
        f"Each step of the recurrence multiplies the gradient that passes {{{first}}} by no more than this, "
        "for each way back; over many steps it vanishes where that is below 1, and may explode above.",
        tuple(lines),
        "By the chain rule, with spectral norms; greatest values by exact calculus.",
    )
