"""Words that suspects are described with.

Enters: names, weights. Leaves: pieces of sentences, `{name}` standing for a tensor. Must not know: causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized

import sympy

from symbp.ir.system import Tensor
from symbp.verify.health.setting import Setting
from symbp.verify.health.weights import Weight


def listed(names: Iterable[str]) -> str:
    places = [f"{{{name}}}" for name in names]
    if len(places) > 4:
        return f"{', '.join(places[:3])} and {len(places) - 3} more"
    return ", ".join(places[:-1]) + (" and " if len(places) > 1 else "") + places[-1] if places else "it"


def verb(things: Sized, one: str, many: str) -> str:
    return one if len(things) == 1 else many


def times(factor: float) -> str:
    return f"{factor:.3g} times" if factor >= 0.1 else f"1/{1 / factor:.3g} of"


def per(norms: tuple[float, ...]) -> str:
    return f"{norms[0] / norms[-1]:.2g}" if norms[-1] else "infinitely many"


def lines(setting: Setting, found: list[Weight]) -> str:
    """The declarations of weights with starts that keep the variance."""
    lines = [f'{w.name} = bp.param("{w.name}", {shape(setting, w.name)}, init={w.init})' for w in found[:3]]
    more = f" (and {len(found) - 3} more alike)" if len(found) > 3 else ""
    deviations = ", ".join(f"{w.keeping:.3g}" for w in found[:3])
    return "; ".join(lines) + more + f" (deviation {deviations})"


def shape(setting: Setting, name: str) -> str:
    tensor: Tensor = setting.system.tensor(name)
    extents = ", ".join(sympy.sstr(extent) for extent in tensor.shape)
    return f"({extents}{',' if len(tensor.shape) == 1 else ''})"
