"""Brackets that are counted don't guard what stands beside them, so that must have a value everywhere."""

import sympy

from symbp.ir.expr import Access, Guard, Index
from symbp.read.display import Reduced
from symbp.read.textbook.brackets import _counted

i, q = Index("i"), Index("q")
BRACKET = Guard("=", i, q)


def summed(factor):
    return Reduced("sum", BRACKET * factor, (q,), (sympy.Integer(2),), ())


def test_what_has_a_value_everywhere_stands_beside_the_count():
    factor = sympy.exp(Access("a", i) + 2 * Access("b", i))
    found = _counted(summed(factor))
    assert not isinstance(found, Reduced)
    assert found == factor * (Guard("=", i, 0) + Guard("=", i, 1))


def test_what_may_have_none_stays_under_its_bracket():
    a = Access("a", i)
    for factor in (
        sympy.log(a),
        1 / a,
        sympy.sqrt(a),
        Access("a", i - 2),
        Access("a", i, outside=sympy.Integer(0)),
    ):
        assert isinstance(_counted(summed(factor)), Reduced), factor
