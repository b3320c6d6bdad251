"""What others make of a network's gradients, beside its derivation: code that somebody wrote, frameworks.

Enters: a network, the name of a file or the code itself, names of frameworks; or any function of arrays
and its gradient. Leaves: a report.
Must not know: how code is read, matched or compared, how a framework is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.api.files import run_file
from symbp.errors import UsageError, meant, meant_file

if TYPE_CHECKING:
    from symbp.api.checked import CheckReport
    from symbp.derive.derivation import Derivation
    from symbp.language import Network
    from symbp.verify.against import AgainstReport


def frameworks(against: object) -> list[str]:
    """The frameworks that are named, one or several; none, if anything else is meant."""
    from symbp.targets.frameworks import FRAMEWORKS

    names = [against] if isinstance(against, str) else against
    if not isinstance(names, (list, tuple)) or not all(name in FRAMEWORKS for name in names):
        return []
    return [*names]


def check_frameworks(
    net: Network, derivation: Derivation, names: list[str], *, sizes: Mapping[str, int], seed: int
) -> CheckReport:
    """The gradients that frameworks find on their own, beside the derivation."""
    from symbp.api.checked import CheckReport
    from symbp.verify.frameworks import framework_report

    report = framework_report(derivation, names, sizes=sizes, seed=seed, hyper=net.hyper)
    return CheckReport.of(report, derivation, net.hyper)


def check_code(
    net: Network,
    derivation: Derivation,
    code: object,
    *,
    names: Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
) -> AgainstReport:
    """A backward pass beside the derivation of a network. Raises UsageError: no such file or name in it,
    nothing that is a backward pass, one that fails."""
    from symbp.verify.against import check_against

    loaded, called = _loaded(str(code)) if isinstance(code, (str, Path)) else (code, "")
    return check_against(
        derivation, loaded, called=called, names=names, sizes=sizes, seed=seed, hyper=net.hyper
    )


def check_function(
    f: Callable[..., object],
    gradient: Callable[..., object],
    arguments: Mapping[str, object] | Sequence[object],
    *,
    entries: int = 24,
    directions: int = 3,
    seed: int = 0,
    wrt: Sequence[str] | str | None = None,
) -> AgainstReport:
    """A gradient that somebody wrote for any function of NumPy arrays, beside numeric derivatives: nothing is
    declared. `f(*arguments)`, or `f(**arguments)` of a mapping, gives one number; `gradient` takes the same
    and gives the gradients by all real arguments, or by those in `wrt`, by name (`x`, `dx`) or in their
    order. Arguments may be mappings and lists of arrays: each array counts by itself. Of an array with
    more elements than `entries`, so many are compared, and random `directions`, along which all take part.

    Raises UsageError: a function that gives no number, or fails.
    """
    from symbp.verify.against.functions import check_function as check_any

    return check_any(f, gradient, arguments, entries=entries, directions=directions, seed=seed, wrt=wrt)


def assert_gradient(
    f: Callable[..., object],
    gradient: Callable[..., object],
    arguments: Mapping[str, object] | Sequence[object],
    *,
    entries: int = 24,
    directions: int = 3,
    seed: int = 0,
    wrt: Sequence[str] | str | None = None,
) -> None:
    """`check_function` for tests: raises AssertionError with the report where anything is wrong, or where
    nothing could be compared."""
    report = check_function(
        f, gradient, arguments, entries=entries, directions=directions, seed=seed, wrt=wrt
    )
    if not report.ok or all(row.verdict == "not compared" for row in report.rows):
        raise AssertionError(f"\n{report}")


def _loaded(text: str) -> tuple[Any, str]:
    """(what a file holds, what a report calls it): a module or a name in it, or the text of equations."""
    if "\n" in text:
        return text, "the equations"
    file, colon, name = text.rpartition(":")
    path = Path(file if colon and file.endswith(".py") else text)
    if not path.is_file():
        from symbp.targets.frameworks import FRAMEWORKS

        help = meant_file(path) or meant(text, FRAMEWORKS) or "give a Python file, mine.py or mine.py:name"
        raise UsageError("there is no such file", where=str(path), help=help)
    if path.suffix != ".py":
        return path.read_text(encoding="utf-8"), path.name
    module = run_file(path)
    if path == Path(text):
        return module, path.name
    if not hasattr(module, name):
        raise UsageError(f"the file has no {name!r}", where=str(path), help=meant(name, vars(module)))
    return getattr(module, name), f"{path.name}:{name}"
