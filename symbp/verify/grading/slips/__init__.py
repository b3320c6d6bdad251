"""The likely slip in a wrong answer: the first repair that makes it provably right.

Enters: a judge, a wrong answer. Leaves: a `Slip`, or None. Must not know: how equality is shown.

Each kind of repair is a function that yields changed trees, with a name and a hint; they are tried in the
order of `KINDS`, the slips that are made most often first. What floats tell from the right value is never
proven; what they don't is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbp.verify.grading.answer import Answer
from symbp.verify.grading.judge import Judge
from symbp.verify.grading.slips.factors import (
    constants,
    needless_numbers,
    scaled,
    signs,
    squares,
    swapped_sizes,
    terms_scaled,
)
from symbp.verify.grading.slips.indices import missing_sums, permuted, shifted, wrong_axes
from symbp.verify.grading.slips.products import associated, kinds_of_products, orders, spread, transposes
from symbp.verify.grading.slips.slopes import functions, jacobians, missing_slopes
from symbp.verify.grading.slips.tensors import renamed, swapped, throughout_renamed
from symbp.verify.grading.slips.terms import missing_factors, missing_terms, needless
from symbp.verify.grading.slips.workshop import Repair, Workshop
from symbp.verify.grading.spelling import spelled
from symbp.verify.grading.verdict import Slip

KINDS: tuple[Callable[[Workshop], Iterator[Repair]], ...] = (
    signs,
    constants,
    swapped_sizes,
    needless_numbers,
    scaled,
    permuted,
    wrong_axes,
    transposes,
    orders,
    associated,
    spread,
    missing_sums,
    shifted,
    functions,
    squares,
    missing_factors,
    swapped,
    throughout_renamed,
    renamed,
    missing_slopes,
    kinds_of_products,
    jacobians,
    terms_scaled,
    missing_terms,
    needless,
)


def slip(judge: Judge, answer: Answer) -> Slip | None:
    """The first repair with which the answer is right. Raises TooMuch where the time is used up."""
    workshop = Workshop(judge, answer)
    for kind in KINDS:
        for repair in kind(workshop):
            judge.clock.check()
            if (
                judge.looks_right(answer, repair.tree)
                and judge.finding(answer, repair.tree).proof is not None
            ):
                right = spelled(repair.tree, code=answer.loose)
                return Slip(repair.name, repair.hint, f"{answer.left} = {right}")
    return None
