"""Proofs that each step of a derivation holds, with none of the code that made it.

Enters: a derivation. Leaves: `Proofs`, a verdict for each step and for the whole.
Must not know: rules of rewriting, ops, layers.
"""

from __future__ import annotations

from symbp.verify.proofs.prove import prove
from symbp.verify.proofs.report import Mismatch, Proofs, Verdict

__all__ = ["Mismatch", "Proofs", "Verdict", "prove"]
