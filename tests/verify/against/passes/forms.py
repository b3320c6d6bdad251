"""One right version, given in another form: other arguments, other returns, another precision.

Enters: a net's module. Leaves: a hundred right backward passes, each under a name. Forms change how code is
called and what it gives away, never what it calculates.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from passes.planting import NETS, Code, answer, module


@dataclass(frozen=True)
class Right:
    """A right backward pass; `names` are what has to be told of it: {the network's name: the code's}."""

    net: str
    form: str
    code: Code
    names: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.net}, {self.form}"


def rights(net: str) -> Iterator[Right]:
    """The right ones of a net: as they were written, and in other forms."""
    versions = module(net).RIGHT
    for version, code in enumerate(versions):
        yield Right(net, f"version {version} as written", code)
    first, pair, loose, made = versions
    parameters = [tensor.name for tensor in module(net).net().system.parameters]
    yield Right(net, "in float32", single(first))
    yield Right(net, "all that it calculates", with_all(first))
    yield Right(net, "the class as one function of positions", by_position(made, pair[0], parameters))
    yield Right(net, "the function as a pair", as_pair(loose, parameters))
    if net in ("mlp", "batch_norm", "rnn", "embedding"):
        told = {f"d{name}": f"theta_{k}" for k, name in enumerate(parameters)}
        yield Right(net, "under names that are told", renamed(pair, told), told)


def every_right() -> list[Right]:
    return [right for net in NETS for right in rights(net)]


def single(code: Code) -> Code:
    """The same in single precision, whatever it is given."""

    def in_float32(params, **data):
        def cast(value):
            value = np.asarray(value)
            return value.astype(np.float32) if value.dtype.kind == "f" else value

        loss, gradients = code(
            {k: cast(v) for k, v in params.items()}, **{k: cast(v) for k, v in data.items()}
        )
        return np.float32(loss), {name: cast(value) for name, value in gradients.items()}

    return in_float32


def with_all(code: Code) -> Code:
    """The same text, which gives away everything that it has in its hands when it is done: adjoints, parts of
    adjoints, values of the last step of a loop."""
    text = textwrap.dedent(inspect.getsource(code))
    head, _, last = text.rpartition("    return ")
    everything = "{k: v for k, v in vars().items() if isinstance(v, np.ndarray) and k not in params}"
    known = dict(vars(inspect.getmodule(code)))
    body = f"{head}    loss, gradients = {last.strip()}\n    return loss, gradients, {everything}\n"
    exec(compile(body, f"all of {code.__name__}", "exec"), known)
    return known[code.__name__]


def by_position(made: type, forward: Code, parameters: list[str]) -> Code:
    """A class as a function of arrays, data first, that gives loss, dW1, db1, …"""
    data = [name for name in inspect.signature(forward).parameters if name != "params"]
    text = f"""
def step({", ".join([*data, *parameters])}):
    net = Made({{{", ".join(f"{p!r}: {p}" for p in parameters)}}})
    loss = net.forward({", ".join(data)})
    found = net.backward()
    return (loss, *(found[name] if name in found else found["d" + name] for name in {parameters!r}))
"""
    known: dict[str, Any] = {"Made": made}
    exec(compile(text, "a class as a function", "exec"), known)
    return known["step"]


def as_pair(code: Code, parameters: list[str]) -> Code:
    """A function as forward, which leaves what it was given, and backward, which starts afresh."""
    data = [name for name in inspect.signature(code).parameters if name not in (*parameters, "params")]

    def forward(params, *arrays):
        given = dict(zip(data, arrays, strict=True))
        return answer(code, params, given)[0], (params, given)

    known: dict[str, Any] = {"inner": forward}
    exec(f"def forward(params, {', '.join(data)}): return inner(params, {', '.join(data)})", known)
    return known["forward"], lambda cache: answer(code, *cache)[1]


def renamed(pair: Code, told: dict[str, str]) -> Code:
    """Gradients under names that nobody could guess."""
    forward, backward = pair

    def renaming(cache):
        found = {
            name if name.startswith("d") else f"d{name}": value for name, value in backward(cache).items()
        }
        return {told.get(name, name): value for name, value in found.items()}

    return forward, renaming
