"""symbp: gradients of neural networks in closed form, code to keep, and proof that both are right.

    import symbp as bp

Everything a user writes is an attribute of this module and is imported when it is first used, so that
importing symbp costs next to nothing. A name is looked up in the modules of `_HOMES`, in order.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbp import data as data
    from symbp import errors as errors
    from symbp import gallery as gallery
    from symbp import interchange as interchange
    from symbp import nn as nn
    from symbp import optim as optim
    from symbp.api import Derivation as Derivation
    from symbp.api import assert_gradient as assert_gradient
    from symbp.api import check as check
    from symbp.api import check_extremes as check_extremes
    from symbp.api import check_function as check_function
    from symbp.api import compile as compile
    from symbp.api import derive as derive
    from symbp.api import diagnose as diagnose
    from symbp.api import from_onnx as from_onnx
    from symbp.api import from_torch as from_torch
    from symbp.api import generate as generate
    from symbp.api import grad_of as grad_of
    from symbp.api import hessian as hessian
    from symbp.api import hvp as hvp
    from symbp.api import jacobian as jacobian
    from symbp.api import plan as plan
    from symbp.api import to_onnx as to_onnx
    from symbp.language import *  # noqa: F403
    from symbp.ops import *  # noqa: F403

__version__ = "0.1.0"

_SUBPACKAGES = ("data", "errors", "gallery", "interchange", "nn", "optim")
_HOMES = ("symbp.api", "symbp.language", "symbp.ops")


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if not name.startswith("_"):
        for home in map(import_module, _HOMES):
            if name in home.__all__:
                return getattr(home, name)
    from symbp.errors import no_attribute

    raise no_attribute(__name__, name, __dir__)


def __dir__() -> list[str]:
    names = {name for home in map(import_module, _HOMES) for name in home.__all__}
    return sorted(names | set(_SUBPACKAGES))


class _Package(ModuleType):
    """`bp.derive` is the function, though `symbp.derive` is a package too: the import system binds a
    subpackage to its parent's attribute when it is first imported, and here that would hide the function."""

    @property
    def derive(self) -> Any:
        return import_module(f"{__name__}.api").derive

    @derive.setter
    def derive(self, package: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package
