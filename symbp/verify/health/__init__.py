"""Why a network doesn't learn: a short training, measured; causes, each proven by what mends it.

Enters: a derivation, an optimizer, data. Leaves: `Health`. Must not know: commands, pages, ops.
"""

from __future__ import annotations

from symbp.verify.health.judge import Health, examine
from symbp.verify.health.records import Course, RangeTest
from symbp.verify.health.setting import Setting, batch_size_name

__all__ = ["Course", "Health", "RangeTest", "Setting", "batch_size_name", "examine"]
