"""Backward passes that others wrote, beside a derivation: which tensor is wrong first, and what mends it.

Enters: a derivation, a backward pass in any form that can be read. Leaves: a report.
Must not know: a language in which networks are declared, or how arguments of a command are spelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError, meant
from symbp.verify.against.compare import FindRepair, compare
from symbp.verify.against.reading import read
from symbp.verify.against.reference import Reference
from symbp.verify.against.report import AgainstReport, TensorRow
from symbp.verify.against.spelled import Spelled

__all__ = ["AgainstReport", "TensorRow", "check_against"]


def check_against(
    derivation: Derivation,
    code: Any,
    *,
    called: str = "",
    names: Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
    find_repair: FindRepair | None = None,
) -> AgainstReport:
    """`code` (a function, a pair of them, a class, a module, equations) beside a derivation of gradients.
    `names` maps names of the network, or of its gradients, to those of the code: {"dW1": "grad_w1"}.

    Raises UsageError: what can't be read as a backward pass, asks for what isn't known, or fails.
    """
    reference = Reference(derivation)
    spelled = Spelled(reference, {theirs: ours for ours, theirs in (names or {}).items()})
    for ours in names or {}:
        _refuse_unknown(spelled, ours)
    backward = read(spelled, code, called)
    return compare(
        spelled, backward, sizes=sizes, seed=seed, hyper=hyper, find_repair=find_repair or _find_repair()
    )


def _refuse_unknown(spelled: Spelled, name: str) -> None:
    """Raises UsageError: a name that is none of the network's, nor of a gradient."""
    system = spelled.reference.forward
    if not (spelled.tensors(name) or spelled.derivatives(name) or name in system.sizes):
        known = [*system.by_name, *system.sizes]
        hint = meant(name, [*known, *(f"d{by}" for by in spelled.reference.derivation.gradients)])
        raise UsageError(
            f"the network has nothing that is called {name!r}",
            details=(f"its tensors and sizes: {', '.join(known)}",),
            help=hint or "the network's name stands before the code's: --map dW1=grad_w1",
        )


def _find_repair() -> FindRepair:
    """The search for repairs, imported when there is something to mend."""
    from symbp.verify.against.repairs import find_repair

    return find_repair
