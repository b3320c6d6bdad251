"""Backward passes that people wrote by hand, right ones and such with one mistake each.

A net has a module: its declaration `net()`, right versions of its backward pass, `RIGHT`, and mistakes in
some of them, `FAULTS`: a table for each, a mistake a line: the kind of slip, the first wrong tensor under the
name in the code, what is replaced by what (`=>` may begin a line). A slash stands between two kinds that
describe the same numbers, and between wrong tensors of which none depends on another. `NAMES` says which
tensor a name is that the network has otherwise; those of a `CYCLE` depend on each other through time.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

NETS = (
    "mlp",
    "batch_norm",
    "layer_norm",
    "conv",
    "max_pool",
    "rnn",
    "lstm",
    "gru",
    "attention",
    "vae",
    "embedding",
    "ctc",
)
Array = np.ndarray[Any, Any]
Code = Any
"""A function, a pair of `forward` and `backward`, or a class that has both."""


@dataclass(frozen=True)
class Fault:
    """One mistake: in which version of which net, of what kind, what it makes wrong first, and the edit."""

    net: str
    version: int
    slips: tuple[str, ...]
    first: tuple[str, ...]
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.net}[{self.version}] {'/'.join(self.slips)}: {self.old} => {self.new}"

    @property
    def told(self) -> dict[str, str]:
        """What has to be said of names: {the network's: the code's}."""
        return {ours: theirs for theirs, ours in getattr(module(self.net), "NAMES", {}).items()}

    def begins_at(self, name: str) -> bool:
        """Whether a tensor, as the code calls it, is the first wrong one."""
        return name.removeprefix("d") in [first.removeprefix("d") for first in self.first]

    def code(self) -> Code:
        """The right version with this mistake in it."""
        right = module(self.net).RIGHT[self.version]
        if isinstance(right, tuple):
            forward, backward = right
            return forward, edited(backward, self.old, self.new)
        return edited(right, self.old, self.new)


def module(net: str) -> Any:
    """The module of a net."""
    return importlib.import_module(f"passes.{net}")


def faults(net: str) -> Iterator[Fault]:
    """Those of a net, as its tables have them."""
    for version, table in module(net).FAULTS.items():
        for line in re.sub(r"\n +=>", " =>", table).splitlines():
            if not line.strip():
                continue
            slips, first, edit = line.split(" | ", 2)
            old, new = f"{edit} ".split(" => ", 1)
            yield Fault(net, version, _names(slips), _names(first), old.strip(), new.strip())


def every_fault() -> list[Fault]:
    return [fault for net in NETS for fault in faults(net)]


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split("/"))


def edited(code: Any, old: str, new: str) -> Any:
    """A function or class with one place of its text replaced, in the module's own names."""
    text = textwrap.dedent(inspect.getsource(code))
    if text.count(old) != 1:
        raise ValueError(f"{code.__name__} has {old!r} {text.count(old)} times")
    known = dict(vars(inspect.getmodule(code)))
    exec(compile(text.replace(old, new), f"{code.__name__} with a mistake", "exec"), known)
    return known[code.__name__]


# --- asking, as somebody who knows how each version is called
def answer(
    code: Code, params: Mapping[str, Array], data: Mapping[str, Array]
) -> tuple[float, dict[str, Array]]:
    """The loss, and every derivative under its name in the code, in the order of calculation."""
    if isinstance(code, tuple):
        forward, backward = code
        loss, cache = forward(dict(params), **data)
        return float(loss), dict(backward(cache))
    if inspect.isclass(code):
        made = code(dict(params))
        loss = made.forward(**data)
        return float(loss), dict(made.backward())
    if next(iter(inspect.signature(code).parameters)) == "params":
        loss, gradients = code(dict(params), **data)
    else:
        loss, gradients = code(**data, **params)
    if isinstance(gradients, tuple):
        gradients = dict(zip(params, gradients, strict=True))
    return float(loss), dict(gradients)


def network_name(net: str, name: str, params: Mapping[str, Array]) -> str:
    """The network's name of what the code calls so: `dW1` for both `W1` and `dW1`."""
    name = getattr(module(net), "NAMES", {}).get(name, name)
    return f"d{name}" if name in params else name
