"""Lists the ops: each with its definition, the gradient that is derived from it, and what is known of it.

Enters: names of ops or families. Leaves: text or JSON on stdout, op by op as each is derived.
Must not know: what any op is, or how a gradient is derived.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from symbp.cli.arguments import Arguments
from symbp.cli.status import FINE

if TYPE_CHECKING:
    from symbp.language import Network
    from symbp.ops import Op

HELP = "every op with its definition, its derived gradient and its facts"


def add_arguments(to: Arguments) -> None:
    to.add("names", nargs="*", metavar="NAME", help="ops or families (default: all)")
    to.add("--brief", action="store_true", help="only the definitions in words; nothing is derived")
    to.json()


def run(args: argparse.Namespace) -> int:
    import symbp as bp

    chosen = _chosen(args.names, bp.REGISTRY)
    if args.json:
        print(
            json.dumps([_record(op, derived=not args.brief) for op in chosen], indent=2, ensure_ascii=False)
        )
        return FINE
    family = ""
    for op in chosen:
        if op.family != family:
            family = op.family
            print(f"{family.upper()}\n")
        print(_brief(op) if args.brief else _page(op), flush=True)
        if not args.brief:
            print()
    return FINE


def _chosen(names: list[str], registry: dict[str, Op]) -> list[Op]:
    """The ops asked for, family by family in the order in which they are written."""
    from symbp.errors import UsageError, meant

    families = dict.fromkeys(op.family for op in registry.values())
    for name in names:
        if name not in registry and name not in families:
            help = meant(name, [*registry, *families]) or f"families: {', '.join(families)}"
            raise UsageError(f"no op and no family is called {name!r}", help=help)
    wanted = [op for op in registry.values() if not names or op.name in names or op.family in names]
    return sorted(wanted, key=lambda op: list(families).index(op.family))


def _brief(op: Op) -> str:
    return f"  {op.name:<24} {op.formula}"


def _page(op: Op) -> str:
    """The op in words, its equations, the gradient of Σ g·result, and what its author says of it."""
    lines = [op.name, f"  {op.formula}"]
    if op.kinks:
        lines.append(f"  at kinks: {op.kinks}")
    found = _derived(op)
    for title, rows in (
        ("given", found["given"]), ("definition", found["definition"]), ("gradient", found["gradient"]),
        ("rests on", found["facts"]),
    ):  # fmt: skip
        lines += [f"  {title}", *(f"    {row}" for row in rows)] if rows else []
    return "\n".join(lines)


def _record(op: Op, *, derived: bool) -> dict[str, Any]:
    about = {"name": op.name, "family": op.family, "formula": op.formula, "kinks": op.kinks}
    return about | (_derived(op) if derived else {})


def _derived(op: Op) -> dict[str, list[str]]:
    """Leaves, equations and the derived gradient of an op at its first example, as text."""
    import symbp as bp

    if sys.stderr.isatty():
        print(f"deriving {op.name} …", end="\r", file=sys.stderr, flush=True)
    network = op.network(op.examples[0])
    if not op.differentiable:
        equations = [str(e) for e in network.system.equations if e.target not in _weighing(network)]
        return {"given": [], "definition": equations, "gradient": [], "facts": ["nothing is differentiated"]}
    derivation = bp.derive(network)
    numbers = derivation.numbers
    forward = [e for e in derivation.forward if e.target not in _weighing(network)]
    backward = sorted(derivation.backward, key=lambda e: numbers[e.target])
    lemmas = [" = ".join(s.spelled()) for s in derivation.steps if s.rule == "value of a sum"]
    data = [t for t in derivation.system.leaves if t.facts]
    return {
        "given": [str(t) for t in derivation.system.leaves],
        "definition": [str(e) for e in forward],
        "gradient": [str(e) for e in backward],
        "facts": list(
            dict.fromkeys([*(f"{t.name}: {f}" for t in data for f in sorted(map(str, t.facts))), *lemmas])
        ),
    }


def _weighing(network: Network) -> tuple[str, ...]:
    """The sum of the result times the gradient that comes in, which is no part of an op with axes."""
    system = network.system
    losses = (system.loss, system.inference.get(system.loss)) if system.loss and system.outputs else ()
    return tuple(name for name in losses if name)
