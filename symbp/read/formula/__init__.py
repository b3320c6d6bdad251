"""A formula as a network whose loss it is.

Enters: the text of a formula, with definitions before it if there are any (`symbp.read.formula.lines`), the
shapes of its names as far as they are said, the names to differentiate by.
Leaves: a `Network` and those names. Must not know: how a gradient is derived or printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbp.errors import DeclarationError, FormulaError, meant
from symbp.language.leaves import OF_MATRICES, input, labels, param
from symbp.language.network import Network
from symbp.language.start.distributions import constant
from symbp.language.tensor import Tensor
from symbp.read.formula.declared import Declared, Shapes, declared, plain_name
from symbp.read.formula.definitions import called, defined, lines_uses
from symbp.read.formula.extents import Open, Shape
from symbp.read.formula.latex import from_latex
from symbp.read.formula.lines import Lines, read_lines
from symbp.read.formula.meaning import Meaning
from symbp.read.formula.products import doubt
from symbp.read.formula.ranks import CONSTANTS, IDENTITIES, SCALARS, Uses, guesses
from symbp.read.formula.values import Scene, Value, tensor_of
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import Call, Name, Number, Power, Tree

SIZES = "NDKMPQRSTHLUV"  # for extents without a name, in the order in which they occur
MOST_NESTED = 12  # functions
TELL = "pass --shapes, as in X:N,D w:D y:N"


@dataclass(frozen=True)
class Formula:
    """A formula as a network, and the names by which it is differentiated."""

    text: str
    network: Network
    wrt: tuple[str, ...]


def read_formula(text: str, shapes: Shapes | None = None, wrt: str | Sequence[str] | None = None) -> Formula:
    """The formula as the loss of a network: names of `wrt` are its parameters, the others its inputs. Without
    `wrt` the only name is meant.

    `shapes` is text such as `X:N,D w:D`, or a mapping from names to extents. Without it ranks and sizes come
    from how names are used and spelled (`symbp.read.formula.ranks`). Raises FormulaError: no formula, shapes
    that don't fit or can't be told, not a scalar, a name that isn't there.
    """
    text = from_latex(text) if "\\" in text else text
    lines, known = read_lines(text), declared(shapes)
    for name in lines.shapes:
        if name in known:
            raise FormulaError(f"{name} has a shape in the formula and in --shapes", details=(text,))
    known = {**known, **lines.shapes}
    try:
        _check_nesting(text, lines)
        return _read(text, lines, known, wrt)
    except RecursionError:
        raise error_at(text, (0, len(text)), "the formula is nested too deeply") from None


def _check_nesting(text: str, lines: Lines) -> None:
    """Raises FormulaError: too many functions inside each other, counted through definitions."""
    within: dict[str, int] = {}
    for definition in lines.definitions:
        within[definition.name] = _nested(text, definition.body, within)
    _nested(text, lines.last, within)


def _nested(text: str, node: Tree, within: Mapping[str, int]) -> int:
    """How many functions stand inside each other: each level multiplies what their derivatives are made of.

    Raises FormulaError: too many."""
    if isinstance(node, Name):
        return within.get(node.name, 0)
    deepest = max((_nested(text, child, within) for child in node.children()), default=0)
    power = isinstance(node, Power) and not isinstance(node.exponent, Number)
    deepest += isinstance(node, Call) or power
    if deepest > MOST_NESTED:
        raise error_at(text, node.span, f"more than {MOST_NESTED} functions stand inside each other")
    return deepest


def _read(text: str, lines: Lines, known: Mapping[str, Declared], wrt: str | Sequence[str] | None) -> Formula:
    found = _names(text, lines, known)
    by = _wrt(found, known, wrt)
    scene, value = _understood(text, lines, found, known)
    _name_sizes(scene, found)
    _settle_doubts(scene)
    try:
        for name in found:
            scene.tensors[name] = _leaf(scene, name, known.get(name), name in by)
        loss = tensor_of(value.make())
        return Formula(text, Network("formula", loss=loss), by)
    except DeclarationError as error:
        raise FormulaError(error.what, details=(text, *error.details), help=error.help) from None


def _names(text: str, lines: Lines, known: Mapping[str, Declared]) -> dict[str, Uses]:
    """The tensors that are given. Raises FormulaError: a name that `shapes` doesn't know, or only it does."""
    sizes = _sizes(known)
    found = {
        name: use
        for name, use in lines_uses(text, lines, {*known, *sizes}).items()
        if name in known
        or not (name in sizes or ((name in CONSTANTS or name in IDENTITIES) and not use.indexed))
    }
    for name in known:
        if name not in found:
            raise FormulaError(
                f"the formula has no {name}, for which shapes are given", help=meant(name, found)
            )
    for name, use in found.items():
        if use.subscript is not None and name not in known:
            help = f"sum over it: sum_{name}(…); or give it a number"
            raise error_at(text, use.subscript.span, f"nothing says what {name} is", help=help)
        if known and name not in known and name not in SCALARS:
            help = meant(name, {*known, *sizes}) or f"give its axes in --shapes, as in {name}:N"
            raise error_at(text, use.places[0].span, f"nothing says what {name} is", help=help)
    return found


def _sizes(known: Mapping[str, Declared]) -> frozenset[str]:
    return frozenset(
        e for entry in known.values() for e in (*entry.extents, entry.below) if isinstance(e, str)
    )


def _wrt(
    found: Iterable[str], known: Mapping[str, Declared], wrt: str | Sequence[str] | None
) -> tuple[str, ...]:
    names = [name for name in found if name not in known or known[name].below is None]
    if wrt is None:
        if len(names) != 1:
            said = f"it has {', '.join(names)}" if names else "it has no name"
            raise FormulaError(f"say by what to differentiate: {said}", help="--wrt NAME")
        return tuple(names)
    given = [plain_name(n) for n in (wrt.split(",") if isinstance(wrt, str) else wrt)]
    for name in given:
        if name not in names:
            help = meant(name, names) or f"its names: {', '.join(names)}"
            raise FormulaError(f"the formula has no {name!r} to differentiate by", help=help)
    return tuple(dict.fromkeys(given))


def _understood(
    text: str, lines: Lines, found: Mapping[str, Uses], known: Mapping[str, Declared]
) -> tuple[Scene, Value]:
    """The formula by the likeliest ranks of its names under which it is a scalar, if only one guess is."""
    fixed = {name: len(entry.extents) for name, entry in known.items()}
    first: FormulaError | None = None
    for level in guesses(found, fixed):
        fine: list[tuple[Scene, Value]] = []
        for ranks in level:
            scene = Scene(text, _shapes(ranks, known), _sizes(known))
            try:
                fine.append((scene, _scalar(scene, lines)))
            except FormulaError as error:
                first = first or error
        if len(fine) == 1:
            return fine[0]
        if fine:
            break
        if first is not None and known:
            raise first
    assert first is not None
    raise FormulaError(first.what, details=first.details, help=first.help or TELL) from None


def _shapes(ranks: Mapping[str, int], known: Mapping[str, Declared]) -> dict[str, Shape]:
    return {
        name: known[name].extents if name in known else tuple(Open() for _ in range(rank))
        for name, rank in ranks.items()
    }


def _scalar(scene: Scene, lines: Lines) -> Value:
    meaning = Meaning(scene)
    for one in lines.definitions:
        scene.defined[one.name] = defined(meaning, one)
    value = meaning.value(lines.last, {})
    if value.rank:
        raise scene.error(
            lines.last,
            f"a gradient is that of a scalar, and the formula has the shape {scene.shown(value)}",
            "take its sum(…), mean(…) or norm2(…)^2; or pass --shapes if names are read wrongly",
        )
    return value if lines.named is None else called(scene, lines.last, lines.named.name, value)


def _name_sizes(scene: Scene, found: Iterable[str]) -> None:
    """Gives the extents that are still open their names."""
    taken = {*found, *scene.sizes, *scene.defined}
    free = iter([size for size in SIZES if size not in taken] + [f"N{k}" for k in range(1, 100)])
    for name in found:
        for extent in map(scene.extents.find, scene.shapes[name]):
            if isinstance(extent, Open) and extent not in scene.named:
                scene.named[extent] = next(free)


def _settle_doubts(scene: Scene) -> None:
    """Raises FormulaError where `*` was read as a product of matrices that turned out to be alike."""
    for node, left, right in scene.doubts:
        if scene.extents.alike(left.shape, right.shape):
            raise doubt(scene, node)


def _leaf(scene: Scene, name: str, entry: Declared | None, parameter: bool) -> Tensor:
    shape = tuple(map(scene.size, scene.shapes[name]))
    facts = entry.facts if entry else ()
    if entry and entry.below is not None:
        return labels(name, shape, scene.size(entry.below))
    if not parameter:
        return input(name, shape, facts=facts)
    unmet = [fact for fact in facts if fact not in (*OF_MATRICES, "positive", "nonnegative")]
    return param(name, shape, init=constant(1.0) if unmet else None, facts=facts)
