"""What can be proven of a network: parameters without effect, formulas that overflow, factors of gradients.

Enters: a derivation. Leaves: `Lint`, findings with what shows each of them.
Must not know: ops, layers; how a page calls a tensor.
"""

from __future__ import annotations

from symbp.derive.derivation import Derivation
from symbp.errors import UsageError
from symbp.verify.lint.evidence import Evidence
from symbp.verify.lint.factors import factors
from symbp.verify.lint.gradients import redundant, unused, zeros
from symbp.verify.lint.report import Finding, Lint
from symbp.verify.lint.unstable import unstable

__all__ = ["Finding", "Lint", "lint"]


def lint(derivation: Derivation, *, seed: int = 0) -> Lint:
    """All that is found of a network by a derivation of its gradients, problems first.

    Raises UsageError: other derivatives than gradients.
    """
    if not derivation.is_gradient:
        raise UsageError("lint looks at gradients", help="derive them: bp.derive(net)")
    evidence = Evidence(derivation, seed)
    zero, without = zeros(evidence)
    found = [*unused(derivation), *zero, *redundant(evidence, without), *unstable(derivation)]
    found += factors(derivation)
    found.sort(key=lambda finding: finding.kind != "problem")
    return Lint(derivation.name, tuple(found))
