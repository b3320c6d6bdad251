"""All rows of published gradients by name, and a table of what ours cost beside them.

`python tests/calculus/published.py [part of a name]` prints the table; with a part of a name it also prints
both backward systems.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import cache

import rows_activations
import rows_linear_algebra
import rows_losses
import rows_models
import rows_norms
import rows_second
import rows_sequences
import rows_softmax
import rows_transformer
import rows_windows
from measure import Cost, measure, nominal_sizes
from rows import Published, all_of, build

from symbp.derive import Derivation, derive

ROWS = all_of(
    rows_softmax.ROWS,
    rows_activations.ROWS,
    rows_norms.ROWS,
    rows_sequences.ROWS,
    rows_windows.ROWS,
    rows_transformer.ROWS,
    rows_losses.ROWS,
    rows_models.ROWS,
    rows_second.ROWS,
    rows_linear_algebra.ROWS,
)


@dataclass(frozen=True)
class Compared:
    """A row with our derivation of it."""

    published: Published
    derivation: Derivation
    ours: Cost
    theirs: Cost


def gradient_name(row: Published, leaf: str) -> str:
    """The published tensor of a gradient; `dz_` where a first sweep may have taken `dz`."""
    defined = {equation.target for equation in row.backward}
    return f"d{leaf}_" if f"d{leaf}_" in defined else f"d{leaf}"


@cache
def compared(name: str) -> Compared:
    """Derives one row."""
    row = build(ROWS[name])
    derivation = derive(row.forward, name=name, wrt=row.wrt)
    sizes = nominal_sizes({*row.joint.sizes, *derivation.system.sizes}, row.sizes)
    requested = [gradient_name(row, leaf) for leaf in row.wrt]
    ours = measure(derivation.backward, list(derivation.gradients.values()), sizes)
    return Compared(row, derivation, ours, measure(row.backward, requested, sizes))


def main(part: str = "") -> None:
    """Prints the table of the rows with that part in their names."""
    print(f"{'row':44} {'operations: ours':>16} {'published':>10} {'stored: ours':>12} {'published':>10}  s")
    for name in ROWS:
        if part and part not in name:
            continue
        started = time.perf_counter()
        try:
            row = compared(name)
        except Exception as error:
            print(f"{name:44} {type(error).__name__}: {error}")
            continue
        ours, theirs = row.ours, row.theirs
        worse = ours.operations > theirs.operations or ours.intermediate > theirs.intermediate
        print(
            f"{name:44} {ours.operations:16} {theirs.operations:10} {ours.intermediate:12} "
            f"{theirs.intermediate:10}  {time.perf_counter() - started:.2f}{'  worse' if worse else ''}",
            flush=True,
        )
        if part:
            print(*[f"    ours {e}" for e in row.derivation.backward], sep="\n")
            print(*[f"    published {e}" for e in row.published.backward], sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
