"""What authors are told of a constant.

Enters: a monomial. Leaves: a sentence. Must not know: where it was found.
"""

from __future__ import annotations

from symbp.verify.against.repairs.constants.monomials import Monomial


def spelled(name: str, form: Monomial) -> str:
    """What to do about a factor."""
    turned = " and has the wrong sign" if form.number < 0 else ""
    size = Monomial(abs(form.number), form.powers)
    if all(power > 0 for _, power in size.powers) and size.number.denominator == 1:
        return f"{name} is {size} times too large{turned}: divide by {size}"
    less = size.over()
    if all(power > 0 for _, power in less.powers) and less.number.denominator == 1:
        return f"{name} is {less} times too small{turned}: multiply by {less}"
    return f"{name} is {size} times what it should be{turned}: multiply by {less}"
