"""Compiles beforehand what `symbp train` with the same options compiles when it starts; nothing is trained.

Enters: what `train` is asked with. Leaves: machine code in the cache, a table of seconds. Must not know: how
a target compiles.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from symbp.cli.arguments import Arguments
from symbp.cli.commands import train
from symbp.cli.fitting import buffers, planned
from symbp.cli.status import FINE
from symbp.errors import DataError

HELP = "build the machine code of a network's module beforehand, so that training starts at once"


def add_arguments(to: Arguments) -> None:
    train.add_module_arguments(to, "numba")
    to.json()


def run(args: argparse.Namespace) -> int:
    from symbp.cli.console import narrate

    plan = planned(args)
    module = train.module_of(plan, args)
    first = {name: array[: plan.batch_size] for name, array in plan.train.items()}
    seconds: dict[str, float] = {}

    def timed(name: str, call: Callable[[], object]) -> None:
        narrate(f"compiling {name}")
        started = time.perf_counter()
        call()
        seconds[name] = round(time.perf_counter() - started, 3)

    try:
        params, held = module.init_params(), buffers(plan, module)
        state = module.init_state(params, held)
        timed("train_step", lambda: module.train_step(state, **first))
        timed("loss_and_gradients", lambda: module.loss_and_gradients(params, held, **first))
        timed("evaluate", lambda: module.evaluate(params, held, **plan.held))
        timed("check_gradients", lambda: train.gradient_check(plan, args, module))
    except module.DataError as failure:
        raise DataError(str(failure), where=args.data or args.text) from None
    if args.json:
        print(json.dumps({"module": str(module.__file__), "seconds": seconds}, ensure_ascii=False))
    else:
        for name, spent in seconds.items():
            print(f"{name:<20}{spent:>8.3f} s")
        print(f"kept beside {module.__file__}")
    return FINE
