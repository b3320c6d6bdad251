"""A network whose parameters start otherwise, by name or by what they are.

Enters: a network, ways to start. Leaves: the same network. Must not know: data, targets.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbp.errors import UsageError
from symbp.language.network import Network
from symbp.language.parts import matching
from symbp.language.start.by_equations import fans_of
from symbp.language.start.distributions import Initialiser


def restarted(net: Network, starts: Mapping[str, Initialiser]) -> Network:
    """The network with other starts: `starts` has ways of `bp.optim.initial` by names of parameters, patterns
    of them as of a shell, or kinds (`weight`, `offset`, `scale`, `table`); the last that fits counts.

    Raises UsageError: a name that no parameter has, what is no way to start a parameter, an orthogonal start
    of what is no matrix.
    """
    initial = dict(net.initial)
    for key, way in starts.items():
        if not callable(way):
            raise UsageError(
                f"{way!r} is not a way to start {key}", help="use one of bp.optim.initial: orthogonal(), …"
            )
        for name in matching(net.system, key):
            tensor = net.system.tensor(name)
            found = way(fans_of(net.system, name) or tensor.shape)
            if found.distribution == "orthogonal" and len(tensor.shape) < 2:
                raise UsageError(f"{name} is no matrix and cannot start orthogonal")
            initial[name] = found
    made = object.__new__(Network)
    for field, value in {**vars(net), "initial": initial}.items():
        object.__setattr__(made, field, value)
    return made


__all__ = ["restarted"]
