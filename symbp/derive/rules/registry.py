"""The rewrite rules, each in one entry: its name, where it is tried, what it does, its reason.

Enters: nothing. Leaves: `RULES`, and the same by phase (`rule.Phase` says what each takes and gives).
Must not know: costs, or what is accepted. Within a phase, rules are tried in the order in which they stand
here; of forms that cost the same, the first is taken. `tests/derive/test_rules.py` has a case for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.derive.declared.masks import bracket_masks
from symbp.derive.definitions import inline
from symbp.derive.rules import same, spellings, starts, sums
from symbp.derive.rules.exponentials import complement_form
from symbp.derive.rules.fold import fold
from symbp.derive.rules.inverse import written_out
from symbp.derive.rules.rule import Algebra, Forward, Phase, Polynomial, Rule, Spelling
from symbp.derive.rules.share import best_shared
from symbp.derive.rules.starts import BodyRule, SumRule
from symbp.derive.stabilise import logarithms, readers, shifts
from symbp.derive.stabilise.limits import Limit, Settling

# fmt: off
# --- the forward pass: nothing overflows, nothing is computed twice
MASK: Rule[Forward] = Rule("masked by −∞", Phase.FORWARD, bracket_masks,
    "The exponential of −∞ is 0: what is masked is excluded, neither computed nor differentiated.")
LOGARITHM: Rule[Forward] = Rule("logarithm of exponentials", Phase.FORWARD, logarithms.expand_logarithms,
    "The logarithm is taken term by term, so that nothing overflows or underflows first.")
SHIFT = Rule(shifts.RULE, Phase.SHIFT, shifts.shift_exponentials,
    "Every reader of {} is unchanged when the same constant is subtracted from all exponents; with their "
    "maximum nothing overflows. The shift counts as a constant: no value depends on it.")
EMPTY_SUM = Rule("empty sum counts as 1", Phase.SHIFT, shifts.counted_as_one,
    "Where all terms are excluded, quotients by the sum are to be 0, not 0/0, and its logarithm is −∞ by the "
    "maximum; a single term is never below 1 after the shift.")
TWO_PARTS: Rule[Forward] = Rule("logarithm in two parts", Phase.FORWARD, readers.in_two_parts,
    "The maximum is subtracted from what stands beside it first: near-equal values cancel without loss.")
LIMITS: tuple[Rule[Limit], ...] = (
    Rule("quotient of exponentials", Phase.LIMIT, Settling.quotient,
        "Far out it would be ∞/∞; 1/(1 + exp(-u)) and tanh(u) have the same value and don't overflow."),
    Rule("x log x at 0", Phase.LIMIT, Settling.entropy,
        "x·log(x) → 0 as x → 0; without the bracket it would be 0·(-∞)."),
    Rule("difference at -∞", Phase.LIMIT, Settling.difference,
        "An excluded element stays at -∞, whatever is subtracted: -∞ - (-∞) has no value."),
    Rule("root at 0", Phase.LIMIT, Settling.root,
        "At 0 every square has derivative 0, and its root gets 0 too, where the chain rule would give 0/0."),
)
SAME_DEFINITION: Rule[Forward] = Rule("same definition", Phase.FORWARD, same.merge_duplicates, "{} is {}.")

# --- one body, by itself
UNDER_BRACKET: Rule[Spelling] = Rule("substitute under the bracket", Phase.SPELLING, spellings.substituted,
    "Where [k = y] is 1, k may be replaced by y.")
SPELLINGS: tuple[Rule[Spelling], ...] = (
    Rule("logarithm of a reciprocal", Phase.SPELLING, spellings.reciprocals, "log(1/x) = -log(x)."),
    Rule("exponentials merged", Phase.SPELLING, spellings.merged, "exp(a)·exp(b) = exp(a + b)."),
    Rule("logistic function", Phase.SPELLING, spellings.logistic,
        "σ = 1/(1 + exp(-u)) gives exp(u) = σ/(1 - σ): nothing overflows."),
    Rule("hyperbolic tangent", Phase.SPELLING, spellings.hyperbolic,
        "sinh(u)/cosh(u) = (exp(u) - exp(-u))/(exp(u) + exp(-u)) = tanh(u)."),
    UNDER_BRACKET,
    Rule("terms under equal brackets", Phase.SPELLING, spellings.by_brackets,
        "Terms that hold under the same condition are one."),
)
COLLECT: Rule[Algebra] = Rule("collect", Phase.ALGEBRA, spellings.collected,
    "Terms with the same factor are collected.")
CANCEL: Rule[Polynomial] = Rule("cancel", Phase.POLYNOMIAL, spellings.cancelled,
    "Common factors of numerator and denominator cancel.")
ALGEBRA: tuple[Rule[Algebra], ...] = (
    Rule("expand", Phase.ALGEBRA, spellings.expanded, "The products are multiplied out, and terms cancel."),
    COLLECT,
    CANCEL.also(Phase.ALGEBRA, spellings.lowest),
    Rule("common factor", Phase.ALGEBRA, spellings.shared_factor,
        "A factor common to all terms is taken out."),
    COLLECT.also(Phase.ALGEBRA, spellings.collected_inside),
)
POLYNOMIALS: tuple[Rule[Polynomial], ...] = (
    CANCEL, Rule("factor", Phase.POLYNOMIAL, spellings.factored, "The polynomial factors."))
COMPLEMENT = Rule("complement of a logistic function", Phase.LAST, complement_form,
    "1 - 1/(1 + exp(-u)) = 1/(1 + exp(u)), without 1 - 1 far out.")

# --- one equation, by what others are known to be
SAVED = Rule("saved value", Phase.SEARCH, fold, "This value is already known as {}.")
BODIES: tuple[Rule[BodyRule], ...] = (
    Rule("definition inverted", Phase.BODY, starts.definition_inverted,
        "A saved value's definition is solved for what it scales, so that factors cancel."),
    Rule("repetition read once", Phase.BODY, starts.repetition_read_once,
        "It repeats what does not depend on all of its indices."),
    Rule("saved value under the bracket", Phase.BODY, starts.read_under_bracket,
        "Where the bracket holds, this is what the saved value was made of."),
    Rule("value of another step", Phase.BODY, starts.value_of_another_step,
        "The recurrence computes this at another step already."),
    UNDER_BRACKET.also(Phase.BODY, starts.index_under_bracket),
    SAVED.also(Phase.BODY, starts.folded_apart),
)
SUMS: tuple[Rule[SumRule], ...] = (
    Rule("index of a sum changed", Phase.SUM, starts.shorter_axis,
        "The other subscript runs over fewer elements."),
    Rule("order of sums exchanged", Phase.SUM, starts.other_order, "The other sum is a saved value already."),
)
WRITTEN_OUT = Rule("definition written out", Phase.SEARCH, written_out,
    "With its definition in place of a saved value, the sum is a known one.")
SUM_OF_SUMS = Rule("sum of sums", Phase.SEARCH, sums.partly_summed,
    "Part of the sum is a saved value already.")
SUM_VALUE = Rule("value of a sum", Phase.SEARCH, sums.sum_forms, "{}")
DELTA = Rule("delta eliminated", Phase.SEARCH, sums.sum_forms, "The bracket leaves one element of the sum.")
OUT_OF_SUM = Rule("common factor of a sum", Phase.SEARCH, sums.sum_forms,
    "What does not depend on the summed index leaves the sum.")

# --- equations together
SAME_VALUE = Rule("the same value", Phase.SEARCH, fold, "{}")
SUBSTITUTION = Rule("substitution", Phase.SEARCH, inline,
    "{} is used by {}; with its definition in place the terms combine.")
ALIAS = SUBSTITUTION.because("{} is nothing but its right-hand side, which takes its place.")
NUMBER_INSIDE = Rule("number inside the sum", Phase.SEARCH, sums.scaled_sum,
    "The number multiplies the terms, and one pass over the result is saved.")
SUMS_JOINED = Rule("sums joined", Phase.SEARCH, sums.joined,
    "Two sums over the same box have a common factor.")
SHARED = Rule("shared term", Phase.SEARCH, best_shared,
    "Several equations read this term; it is computed once.")
# fmt: on

Rules = tuple[Rule[Any], ...]
FORWARD: Rules = (MASK, LOGARITHM, SHIFT, EMPTY_SUM, TWO_PARTS, *LIMITS, SAME_DEFINITION)
ALONE: Rules = (*SPELLINGS, *ALGEBRA, *POLYNOMIALS, COMPLEMENT)
AMONG: Rules = (SAVED, *BODIES, *SUMS, WRITTEN_OUT, SUM_OF_SUMS, SUM_VALUE, DELTA, OUT_OF_SUM)
TOGETHER: Rules = (SAME_VALUE, SUBSTITUTION, ALIAS, NUMBER_INSIDE, SUMS_JOINED, SHARED)
RULES: Rules = (*FORWARD, *ALONE, *AMONG, *TOGETHER)
BY_NAME: Mapping[str, Rule[Any]] = {rule.name: rule for rule in reversed(RULES)}
