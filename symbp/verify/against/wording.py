"""What names in a repair stand for that neither the author of the code nor the page knows.

Enters: a repair, a reference. Leaves: the repair, such names with their equations behind it.
Must not know: slips.
"""

from __future__ import annotations

import re
from dataclasses import replace

from symbp.ir.printer import equation_text
from symbp.ir.system import System
from symbp.verify.against.answer import Repair
from symbp.verify.against.reference import Reference

MOST = 2  # equations that a sentence can bear


def explained(reference: Reference, system: System, repair: Repair) -> Repair:
    """The repair with what its names stand for, where it doesn't say that itself."""
    symbols = reference.sheet.reading.symbols.text
    known = {*symbols.values(), *(name for name, word in symbols.items() if name == word)}
    equations = {**reference.forward.defining, **system.defining}
    found = []
    for name in dict.fromkeys(re.findall(r"(\w+)\[", repair.hint)):
        told = re.search(rf"\b{re.escape(name)}\[[^\]]*\] = ", repair.hint)
        if name in equations and name not in known and not told:
            found.append(equation_text(equations[name]))
    if not found:
        return repair
    return replace(repair, hint=f"{repair.hint}; where {', '.join(found[:MOST])}")
