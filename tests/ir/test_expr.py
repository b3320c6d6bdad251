"""Scalar bodies: what is constant in a partial derivative, and steps."""

import pickle
from fractions import Fraction

import sympy

from symbp.ir.evaluation.domains import EXACT, FLOAT, HIGH
from symbp.ir.expr import (
    Access,
    Floor,
    FloorQuotient,
    Guard,
    Index,
    IntegerAccess,
    Round,
    Size,
    free_indices,
    parts_of,
)
from symbp.ir.partial import partial

n, k = Index("n"), Index("k")
z, m = Access("z", n, k), Access("m", n, k)


def test_minus_infinity_is_a_constant_of_a_partial_derivative():
    padded = Access("x", n - 1, outside=-sympy.oo)
    assert partial(padded, padded) == 1
    opened, closed = Guard(">", m, 0), Guard("<=", m, 0)
    body = (z * opened - sympy.oo * closed) / Size("N") + 3 * padded
    assert partial(body, z) == opened / Size("N")
    assert partial(body, padded) == 3


def test_steps_have_the_derivative_0():
    for step in (Floor(z), Round(z * m), FloorQuotient(m, z)):
        assert sympy.diff(step.xreplace({z: sympy.Symbol("v", real=True)}), sympy.Symbol("v", real=True)) == 0


def test_steps_of_numbers():
    assert Floor(sympy.Rational(-7, 2)) == -4
    assert FloorQuotient(sympy.Rational(7, 2), sympy.Rational(-1, 2)) == -7
    assert [Round(sympy.Rational(k, 2)) for k in (-3, -1, 1, 3, 5)] == [-2, 0, 0, 2, 2]


def test_every_domain_steps_alike():
    for a, b in ((7.5, 2.5), (-7.25, 2.0), (49.0 * 117, 49.0), (0.3, -0.1)):
        quotient = Fraction(a) / Fraction(b)
        for domain in (EXACT, FLOAT, HIGH):
            x, y = (domain.lift(Fraction(value)) for value in (a, b))
            assert domain.apply(FloorQuotient, [x, y]) == quotient.numerator // quotient.denominator
            assert domain.apply(Floor, [x]) == Fraction(a).numerator // Fraction(a).denominator
            assert domain.apply(Round, [x]) == round(Fraction(a))


def test_a_relation_that_sympy_cannot_decide_stays():
    relu = sympy.Function("relu")  # as pages name it
    assert isinstance(Guard("<", relu(0), 1), Guard)
    assert Guard("<", sympy.sqrt(2), 1) == 0
    assert Guard("<=", sympy.pi, sympy.oo) == 1


def test_equal_reads_brackets_and_indices_are_one_object() -> None:
    """Comparing them costs nothing; what is known of one is known of all."""
    i = Index("i")
    assert Index("i") is i
    assert Access("x", i, 1, outside=0) is Access("x", sympy.Integer(1) * i, sympy.Integer(1), outside=0)
    assert Guard("<", 0, Access("x", i)) is Guard("<", 0, Access("x", i))
    assert pickle.loads(pickle.dumps(Access("x", i))) is Access("x", i)
    assert IntegerAccess("x", i) != Access("x", i)


def test_parts_are_what_atoms_finds() -> None:
    i, y = Index("i"), IntegerAccess("y", Index("i"))
    e = Access("x", y) * Guard("=", i, y) + sympy.exp(Access("x", i)) ** 2
    for kind in (Access, IntegerAccess, Guard, Index, sympy.Pow, sympy.exp):
        assert parts_of(e, kind) == e.atoms(kind)


class _Summed(sympy.Expr):
    """A node that binds an index, as sums of a page do."""

    @property
    def free_symbols(self):
        return self.args[0].free_symbols - {self.args[1]}


def test_an_index_that_a_node_binds_is_not_free():
    i, j = Index("i"), Index("j")
    summed = _Summed(Access("x", i, j), j)
    assert free_indices(2 * summed) == {i}
    assert free_indices(summed + Access("y", j)) == {i, j}
