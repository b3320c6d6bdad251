"""The command line of a module of derivatives.

Enters: arguments. Leaves: arrays in a file, their shapes on stdout; status 0 fine, 2 usage.
Must not know: the target that computes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.derivatives.derivatives import derivatives
from symbp.runtime.common.training.whole import _read_whole, _write_whole
from symbp.runtime.network import DERIVATIVE_INPUTS, DERIVATIVES, NAME, PARAMETERS, Array


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"Derivatives of the network {NAME}.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listed = f"compute {'; '.join(DERIVATIVES)}"
    verb = verbs.add_parser("derivatives", help=listed, description=listed)
    read = ", ".join(DERIVATIVE_INPUTS) or "nothing"
    verb.add_argument("--data", type=Path, metavar="FILE.npz", help=f"arrays named {read}")
    names = ", ".join(PARAMETERS) or "none"
    verb.add_argument(
        "--params", type=Path, metavar="FILE.npz", help=f"parameters ({names}), if --data holds none"
    )
    verb.add_argument(
        "-o", "--out", type=Path, default=Path("derivatives.npz"), help="where the arrays go, by their keys"
    )
    verb.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser


def _found(path: Path | None, prefix: str = "") -> dict[str, Array]:
    """The arrays of a file whose names begin with the prefix, without it."""
    found = {} if path is None else _read_whole(path)
    return {n.removeprefix(prefix): array for n, array in found.items() if n.startswith(prefix)}


def main(arguments: list[str] | None = None) -> int:
    """Computes the derivatives; returns the exit status."""
    options = _arguments().parse_args(arguments)
    try:
        given = _found(options.data)
        known = {**given, **_found(options.params), **_found(options.params, "params.")}
        params = {name: known[name] for name in PARAMETERS if name in known}
        found: dict[str, Any] = derivatives(
            params, **{name: given[name] for name in DERIVATIVE_INPUTS if name in given}
        )
        _write_whole(options.out, found)
    except (DataError, OSError, MemoryError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    shapes = {key: list(array.shape) for key, array in found.items()}
    if options.json:
        print(json.dumps(shapes))
    else:
        for key, shape in shapes.items():
            print(f"{key}: {tuple(shape)}")
    return 0
