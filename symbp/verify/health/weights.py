"""How large weights are, beside what keeps the variance from layer to layer.

Enters: a system, sizes, parameters. Leaves: frozen measures. Must not know: what is healthy.

A sum over `into` entries of variance 1 has the variance into·σ², and on the way back out·σ²: σ² = 2/(into +
out) is the compromise (Glorot and Bengio 2010, equation 12). A rectifier passes half, so before one σ² is
2/into (He et al. 2015, equation 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
import sympy

from symbp.ir.expr import Index
from symbp.ir.points.sampling import evaluate_size
from symbp.ir.system import Role, System
from symbp.ir.training import Initial
from symbp.verify.health.records import Array
from symbp.verify.health.sites import Site


@dataclass(frozen=True)
class Weight:
    """A parameter that is summed over: the fans, its root mean square at the start, the deviation that keeps
    the variance, and a line that declares it so. `is_constant` where all its entries are equal."""

    name: str
    into: int
    out: int
    size: float
    keeping: float
    init: str
    source: str
    is_constant: bool

    @property
    def times(self) -> float:
        """How many times as large it is as what keeps the variance."""
        return self.size / self.keeping

    @property
    def start(self) -> Initial:
        """The start that keeps the variance."""
        return Initial("normal", sympy.Float(self.keeping), reason=self.source)


def weights(
    system: System, sites: tuple[Site, ...], sizes: Mapping[str, int], params: Mapping[str, Array]
) -> tuple[Weight, ...]:
    """The weights of a network, each once, in their order."""
    needed = system.ancestors(system.loss or "")
    before = _before(sites)
    found: dict[str, Weight] = {}
    for equation in system.equations:
        role = system.tensor(equation.target).role
        if equation.op != "sum" or equation.target not in needed or role in (Role.ADJOINT, Role.GRADIENT):
            continue
        for access in equation.reads:
            if system.tensor(access.name).role is not Role.PARAMETER or access.name in found:
                continue
            own = {s for s in access.subscripts if isinstance(s, Index)}
            into, out = own & set(equation.reduced), own & set(equation.indices)
            if not into or len(equation.read_names) < 2:
                continue
            others = {i for a in equation.reads if a.name != access.name for i in a.free_symbols}
            counts = [
                prod(evaluate_size(equation.extents[i], sizes) for i in some) for some in (into, out - others)
            ]
            site = before.get(equation.target)
            found[access.name] = _weight(access.name, counts[0], counts[1], params[access.name], site)
    return tuple(found[t.name] for t in system.parameters if t.name in found)


def _weight(name: str, into: int, out: int, values: Array, site: Site | None) -> Weight:
    size = float(np.sqrt(np.mean(values**2)))
    is_constant = values.size > 1 and bool((values == values.reshape(-1)[0]).all())
    if site is not None and site.is_rectifier:
        keeping, init = sqrt(2 / into), "bp.optim.initial.he_normal"
        source = "He et al. 2015, equation 10"
    else:
        keeping, init = sqrt(2 / (into + out)), "bp.optim.initial.glorot_normal"
        source = "Glorot and Bengio 2010, equation 12"
    return Weight(name, into, out, size, keeping, init, source, is_constant)


def _before(sites: tuple[Site, ...]) -> dict[str, Site]:
    """The site that a sum goes into, by the sum's name: through plain sums with offsets."""
    found: dict[str, Site] = {}
    for site in sites:
        for read in (*site.argument.read_names, *site.rest.read_names):
            found.setdefault(read, site)
    return found
