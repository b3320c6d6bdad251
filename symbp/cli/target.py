"""Finds the network that a command is about: a gallery name, a Python file, or a name in a Python file.

Enters: the text NET. Leaves: the network and the settings that its file suggests for training.
Must not know: what a command does with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from symbp.errors import UsageError, choose
from symbp.ir.training import UpdateRule
from symbp.optim.names import OPTIMIZERS

if TYPE_CHECKING:
    from symbp.language import Network
    from symbp.optim.schedules import Schedule

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A network, and how its file suggests training it: EPOCHS, BATCH, optimizer and data, where it has them;
    `data()` gives arrays by name."""

    network: Network
    epochs: int | None = None
    batch_size: int | None = None
    optimizer: UpdateRule | None = None
    data: Callable[[], Mapping[str, Any]] | None = None
    trained: bool = True  # small nets of the gallery are there for their numbers


def load_target(text: str) -> Target:
    """The target that NET names. Raises UsageError: no such gallery network or file, a file that fails or
    declares no network, several networks and no name."""
    from symbp.api.files import run_file

    path, name = _split(text)
    if path is None:
        from symbp import gallery

        shown = gallery.find(text).load()
        return Target(
            shown.net, shown.epochs, shown.batch_size, shown.optimizer, shown.data, shown.data is not None
        )
    module = run_file(path)
    return Target(
        _network(module, text, name),
        _setting(module, "EPOCHS", int),
        _setting(module, "BATCH", int),
        _setting(module, "optimizer", UpdateRule),
        own if callable(own := getattr(module, "data", None)) else None,
    )


def _setting(module: ModuleType, name: str, kind: type[T]) -> T | None:
    """A suggestion of the user's file; other things that happen to have its name don't count."""
    found = getattr(module, name, None)
    return found if isinstance(found, kind) else None


def optimizer(target: Target, name: str | None, rate: float | None, **more: Any) -> UpdateRule:
    """The optimizer that the options name, else the file's own, else Adam; with the given learning rate, and
    what `more` sets (schedule, clip_norm, …; None leaves it). The file's own keeps its other settings."""
    import symbp as bp

    suggested = target.optimizer
    given = {key: value for key, value in {"lr": rate, **more}.items() if value is not None}
    if name is None and not given and suggested is not None:
        return suggested
    known = {label.lower(): label for label in OPTIMIZERS}
    chosen = name or (suggested.name.lower() if suggested is not None else "adam")
    if chosen not in known:
        raise UsageError(
            f"options cannot change the optimizer {chosen!r}",
            help="name one by --optimizer as well, or edit the file",
        )
    own = suggested.settings if name is None and suggested is not None else {}
    return getattr(bp.optim, known[chosen])(**{**own, **given})  # type: ignore[no-any-return]


def update(target: Target, args: argparse.Namespace, steps: int | None) -> UpdateRule:
    """The optimizer that the options of the update make, its schedule over so many steps."""
    if steps is not None and args.accumulate:
        steps = -(-steps // args.accumulate)
    rule = optimizer(
        target,
        args.optimizer,
        args.lr,
        schedule=_schedule(args.schedule, args.warmup, steps),
        clip_norm=args.clip_norm,
        clip_value=args.clip_value,
        weight_decay=args.weight_decay,
        max_norm=args.max_norm,
        groups=_groups(target, args),
        accumulate=args.accumulate,
    )
    if args.no_decay and "weight_decay" not in rule.hyper:
        raise UsageError(
            f"{rule.name} has no weight decay that offsets and scales could do without",
            help="give it one: --weight-decay 0.01",
        )
    return rule


def _groups(target: Target, args: argparse.Namespace) -> dict[str, Any] | None:
    """The groups that the options make, beside those of the file's own optimizer where it stays."""
    suggested = target.optimizer if args.optimizer is None else None
    found = dict(suggested.settings.get("groups", {})) if suggested is not None else {}
    if args.no_decay:
        found["offset, scale"] = {"weight_decay": 0}
    if args.sparse:
        found["table"] = "sparse"
    return {**found, **dict.fromkeys(args.freeze, "frozen")} or None


def _schedule(name: str | None, warmup: int | None, steps: int | None) -> Schedule | None:
    """The schedule of that name; a warm-up alone rises to a constant rate."""
    if name is None and warmup is None:
        return None
    from symbp.optim.schedules import over

    return over(name or "constant", steps, warmup or 0)


def _split(text: str) -> tuple[Path | None, str | None]:
    """(file, name in the file); no file for a gallery name."""
    file, colon, name = text.rpartition(":")
    if colon and file.endswith(".py"):
        return Path(file), name
    return (Path(text), None) if text.endswith(".py") or Path(text).is_file() else (None, None)


def _network(module: ModuleType, text: str, name: str | None) -> Network:
    from symbp.language import Network

    declared: dict[str, Network] = {}
    for label, candidate in vars(module).items():
        if isinstance(candidate, Network) and candidate not in declared.values():
            declared[label] = candidate
    if name is not None:
        found = getattr(module, name, None)
        if isinstance(found, Network):
            return found
        raise UsageError(
            f"the file has no network named {name!r}", where=text, help=choose(name, declared, "its networks")
        )
    if len(declared) == 1:
        return next(iter(declared.values()))
    if not declared:
        raise UsageError(
            "the file declares no network", where=text, help="assign one to a variable: net = bp.Network(…)"
        )
    raise UsageError(
        f"the file declares {len(declared)} networks", where=text,
        help=f"choose one: {' or '.join(f'{text}:{label}' for label in declared)}",
    )  # fmt: skip
