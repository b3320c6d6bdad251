"""Optimizers as equations, schedules of the learning rate, and how parameters start.

Each optimizer is imported when it is first used: `symbp.optim.names` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symbp.errors import no_attribute
from symbp.optim.names import OPTIMIZERS

if TYPE_CHECKING:
    from symbp.optim import initial as initial
    from symbp.optim import schedules as schedules
    from symbp.optim.adam import LAMB as LAMB
    from symbp.optim.adam import Adam as Adam
    from symbp.optim.adam import Adamax as Adamax
    from symbp.optim.adam import AdamW as AdamW
    from symbp.optim.adam import AMSGrad as AMSGrad
    from symbp.optim.adam import NAdam as NAdam
    from symbp.optim.adam import RAdam as RAdam
    from symbp.optim.adam import SparseAdam as SparseAdam
    from symbp.optim.descent import SGD as SGD
    from symbp.optim.descent import Lion as Lion
    from symbp.optim.descent import Momentum as Momentum
    from symbp.optim.descent import Nesterov as Nesterov
    from symbp.optim.matrices import Adafactor as Adafactor
    from symbp.optim.matrices import Muon as Muon
    from symbp.optim.quasi_newton import LBFGS as LBFGS
    from symbp.optim.scaled import Adadelta as Adadelta
    from symbp.optim.scaled import Adagrad as Adagrad
    from symbp.optim.scaled import RMSprop as RMSprop

_SUBMODULES = ("initial", "schedules")


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name in OPTIMIZERS:
        return getattr(import_module(f"{__name__}.{OPTIMIZERS[name]}"), name)
    raise no_attribute(__name__, name, __dir__)


def __dir__() -> list[str]:
    return sorted([*OPTIMIZERS, *_SUBMODULES])
