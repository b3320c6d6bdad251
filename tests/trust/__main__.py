"""Long runs and their figures.

    python tests/trust run shared --count 2000 --first 0     random nets: shared, random
    python tests/trust show shared 17                        a net's program in symbp and in PyTorch
    python tests/trust planted                               pairs that look alike
    python tests/trust slow [NAME ...] --cap 400 --profile   process time and memory of deriving
    python tests/trust architectures [NAME ...]              the same, and gradients beside PyTorch's

Figures are printed as failures come; the last line is the sum. The exit status is 1 if a net failed.
"""

from __future__ import annotations

import argparse
import sys

from runs import GENERATORS, run_many


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python tests/trust", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="many random nets")
    run.add_argument("generator", choices=GENERATORS)
    run.add_argument("--count", type=int, default=300)
    run.add_argument("--first", type=int, default=0, help="the first seed")
    run.add_argument("--compiled", type=int, default=20, help="compile one net of so many (0: none)")
    run.add_argument("--stop", type=float, default=180.0, help="seconds of process time for one net")
    run.add_argument("--quiet", action="store_true", help="only the sum")
    show = commands.add_parser("show", help="a net's program")
    show.add_argument("generator", choices=GENERATORS)
    show.add_argument("seed", type=int)
    commands.add_parser("planted", help="pairs that look alike")
    for name in ("slow", "architectures"):
        timed = commands.add_parser(name)
        timed.add_argument("names", nargs="*")
        timed.add_argument("--cap", type=int, default=400)
        timed.add_argument("--profile", action="store_true")
    derive = commands.add_parser("derive", help="one net of `slow` or `architectures`, in this process")
    derive.add_argument("name")
    derive.add_argument("--profile", action="store_true")
    return _do(parser.parse_args(arguments))


def _do(given: argparse.Namespace) -> int:
    if given.command == "run":
        return run_many(
            given.generator,
            range(given.first, given.first + given.count),
            compiled=given.compiled,
            stop=given.stop,
            quiet=given.quiet,
        )
    if given.command == "show":
        program = GENERATORS[given.generator](given.seed)
        print(program.text, program.torch_text, sep="\n\n# PyTorch\n")
        return 0
    if given.command == "planted":
        from planted_pairs import report

        return report()
    if given.command == "derive":
        from slow import derive_here

        print(derive_here(given.name, profile=given.profile))
        return 0
    return _timed(given)


def _timed(given: argparse.Namespace) -> int:
    from architectures import ARCHITECTURES
    from slow import figures
    from slow_nets import SLOW

    failed = False
    for name in given.names or (SLOW if given.command == "slow" else ARCHITECTURES):
        line = figures(name, given.cap, profile=given.profile)
        failed |= " derived " not in line.splitlines()[0]
        print(line, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
