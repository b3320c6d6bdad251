"""The loss and its gradients in plain NumPy, line by line, for a page that shows code beside equations.

Enters: a reading in the textbook's style. Leaves: lines with the numbers of equations. Must not know: pages.
"""

from __future__ import annotations

from symbp.codegen.listing import Listed, listing
from symbp.read.reading import Reading
from symbp.targets.plain.functions import loss_and_gradients
from symbp.targets.plain.lines import sheet
from symbp.targets.plain.module import HELPERS, OF_TRAINING


def gradients_listing(reading: Reading) -> tuple[Listed, ...]:
    """The lines of the function `loss_and_gradients`, as the plain module has them."""
    return listing(loss_and_gradients(sheet(reading.computable, (*HELPERS, *OF_TRAINING))))
