"""The loss and its gradients in plain NumPy, line by line, for a page that shows code beside equations.

Enters: a reading in the textbook's style. Leaves: lines with the numbers of equations. Must not know: pages.
"""

from __future__ import annotations

from symbp.codegen.definitions import DEFINED
from symbp.codegen.listing import Listed, listing
from symbp.codegen.passes import in_bodies, made_together, named_repeats
from symbp.codegen.statements import sheet
from symbp.read.reading import Reading
from symbp.targets.plain.functions import loss_and_gradients
from symbp.targets.plain.module import HELPERS, OF_TRAINING


def gradients_listing(reading: Reading) -> tuple[Listed, ...]:
    """The lines of the function `loss_and_gradients`, as the plain module has them."""
    page = sheet(reading.computable, (*HELPERS, *DEFINED, *OF_TRAINING))
    made = in_bodies(loss_and_gradients(page), made_together)
    return listing(in_bodies(made, lambda body: named_repeats(body, page.names.give)))
