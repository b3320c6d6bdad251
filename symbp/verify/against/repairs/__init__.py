"""Why a tensor that a backward pass answers is wrong: the simplest repair, searched for by the calculus.

Enters: a derivation, what was answered for a tensor at points of several sizes. Leaves: a repair that makes
the answer right at every one of them, or None. Must not know: how code was run, read or matched.

Two families. What shows in the array itself (`whole`) is looked for there: a factor, other axes, a sum. What
doesn't is looked for in the equations that led to it: each is changed as people get them wrong (`terms`,
`slopes`, `sums`, `reads`), and a change counts if with it the backward pass answers what was answered.
"""

from symbp.verify.against.repairs.search import find_repair

__all__ = ["find_repair"]
