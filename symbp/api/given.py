"""What a call takes: a network, told apart from what looks like one.

Enters: what a user passed. Leaves: nothing, or UsageError that says what to pass. Must not know: what the
call does.
"""

from __future__ import annotations

from symbp.api.derivation import Derivation
from symbp.errors import UsageError
from symbp.language.network import Network


def a_network(net: object, call: str) -> None:
    """Raises UsageError: something else than a network."""
    if isinstance(net, Network):
        return
    helps = {"check": "bp.check(net, derivation=d)"} if isinstance(net, Derivation) else {}
    raise UsageError(
        f"bp.{call} takes a network, and this is a {type(net).__name__}",
        help=helps.get(call, f'net = bp.Network("name", loss=…); bp.{call}(net)'),
    )


__all__ = ["a_network"]
