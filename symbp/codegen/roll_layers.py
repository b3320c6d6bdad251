"""Equal layers in a row of statements: what one layer after the other does is written once, for all of them.

Enters: the statements of a stage, equation by equation, and which of their names are arrays. Leaves:
`Layers`, runs of statements that are equal but for the numbers in the names of arrays, and these rise or
fall from each layer to the next by equal steps. Must not know: targets, what a layer computes.

Nothing is moved: the statements of all layers stood one behind the other, in this order. `unrolled` gives
them back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, groupby
from typing import Any

from symbp.codegen import infer, tree
from symbp.codegen.printer import text

FEWEST = 3  # layers; two only where they are long
LONG = 8  # lines of one of two layers

Item = tuple[tree.Statement, ...]
"""Statements that stay together: those of the same equations that follow each other."""


@dataclass(frozen=True)
class Family:
    """The arrays that take each other's place from layer to layer."""

    names: tuple[str, ...]

    @cached_property
    def varying(self) -> tuple[int, ...]:
        """Which of the numbers in the names differ from layer to layer."""
        first, second = (numbers_of(name) for name in self.names[:2])
        return tuple(k for k, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)

    @property
    def stem(self) -> str:
        """The name without the layer's numbers."""
        return self.with_number("")

    def with_number(self, text: str) -> str:
        """The name with a text in place of the layer's first number, and without its others."""
        parts, numbers = split_numbers(self.names[0])
        kept = ["" if k in self.varying else number for k, number in enumerate(numbers)]
        kept[self.varying[0]] = text
        whole = "".join(part + number for part, number in zip(parts, [*kept, ""], strict=True))
        while "__" in whole:
            whole = whole.replace("__", "_")
        return whole.rstrip("_")

    @property
    def number(self) -> int:
        """The first layer's number."""
        return numbers_of(self.names[0])[self.varying[0]]

    @property
    def steps(self) -> tuple[int, ...]:
        """How far on each of the second layer's numbers is that differs."""
        first, second = (numbers_of(name) for name in self.names[:2])
        return tuple(second[k] - first[k] for k in self.varying)

    @property
    def step(self) -> int:
        """How far on the second layer's number is."""
        return self.steps[0]

    def after(self, other: Family) -> bool:
        """Whether each layer's array is the other one's of the next layer."""
        return self.names[:-1] == other.names[1:]


@dataclass(frozen=True)
class Layers:
    """`count` layers of `period` items each from the item `first` on; `arrays` are what differs between them,
    with the name for any layer's; `body` the lines under these names."""

    first: int
    period: int
    count: int
    arrays: Mapping[Family, str]
    body: tuple[Item, ...]

    @property
    def stop(self) -> int:
        """The item behind the last one."""
        return self.first + self.period * self.count

    def unrolled(self) -> Iterator[Item]:
        """The items of all layers, as they stood one behind the other."""
        for k in range(self.count):
            names = {name: family.names[k] for family, name in self.arrays.items()}
            for item in self.body:
                yield tuple(renamed(statement, names) for statement in item)


@dataclass(frozen=True)
class _Shape:
    """An item without the numbers in its names, these names, and their numbers."""

    text: tuple[object, ...]
    names: tuple[str, ...]
    numbers: tuple[int, ...]


def layers_in(
    items: Sequence[Item], arrays: Mapping[str, object], free: Callable[[str], str]
) -> list[Layers]:
    """The equal layers of a sequence of items, from front to back. `arrays` gives the names whose numbers may
    differ, each with what must be equal where one takes another's place; `free` a name that nothing has."""
    search = _Search(items, arrays)
    found: list[Layers] = []
    pending = [(0, len(items))]
    while pending:
        low, high = pending.pop()
        best = search.best(low, high)
        if best is not None:
            first, period, count = best
            found.append(_layers(items, arrays, free, first, period, count))
            pending += [(low, first), (first + period * count, high)]
    return sorted(found, key=lambda layers: layers.first)


class _Search:
    """Where equal layers stand in a sequence of items."""

    def __init__(self, items: Sequence[Item], arrays: Mapping[str, object]) -> None:
        self.shapes = [_shape(item, arrays) for item in items]
        known: dict[tuple[object, ...], int] = {}
        self.keys = [known.setdefault(shape.text, len(known)) for shape in self.shapes]
        lengths = (sum(map(lines_of, item)) for item in items)
        self.before = list(accumulate(lengths, initial=0))  # lines before each item

    def best(self, low: int, high: int) -> tuple[int, int, int] | None:
        """The first item, the items of a layer, and the layers that save the most lines; of equals those that
        have the most arrays with numbers of their own, then those that begin first."""
        best, most = None, (0, 0)
        for period in range(1, (high - low) // 2 + 1):
            for first, count in self.counts(low, high, period):
                lines = self.before[first + period] - self.before[first]
                saved = (count - 1) * lines
                if saved < max(most[0], 1) or not (lines > 1 if count >= FEWEST else lines >= LONG):
                    continue
                worth = (saved, -self.foreign(first, period))
                if best is None or worth > most:
                    best, most = (first, period, count), worth
        return best

    def counts(self, low: int, high: int, period: int) -> Iterator[tuple[int, int]]:
        """How many equal layers of a length begin at each item where at least two do."""
        equal = steady = 0  # items from here on that are the same one layer on, with numbers in equal steps
        lengths = [0] * (high - low)
        for i in range(high - period - 1, low - 1, -1):
            same = self.keys[i] == self.keys[i + period]
            equal = equal + 1 if same else 0
            steady = steady + 1 if same and i - period >= low and self.steps(i, period) else 0
            lengths[i - low] = steady
            if equal >= period:
                yield i, 2 + lengths[i + period - low] // period

    def steps(self, i: int, period: int) -> bool:
        """Whether the numbers of an item are as far from the next layer's as those of the layer before."""
        before, here, after = (self.shapes[i + k * period] for k in (-1, 0, 1))
        if self.keys[i - period] != self.keys[i]:
            return False
        return all(
            c - b == b - a for a, b, c in zip(before.numbers, here.numbers, after.numbers, strict=True)
        )

    def foreign(self, first: int, period: int) -> int:
        """How many of a layer's arrays have another layer's number in their name."""
        pairs = {
            pair
            for i in range(first, first + period)
            for pair in zip(self.shapes[i].names, self.shapes[i + period].names, strict=True)
        }
        families = [Family(pair) for pair in sorted(pairs) if pair[0] != pair[1]]
        numbers = [family.number for family in families]
        width = max((abs(family.step) for family in families), default=0)
        own = [sum(least <= number < least + width for number in numbers) for least in numbers]
        return len(numbers) - max(own, default=0)


def _shape(item: Item, arrays: Mapping[str, object]) -> _Shape:
    names = [n.id for s in item for n in s.walk() if isinstance(n, tree.Name) and n.id in arrays]
    masked = {name: f"{without_numbers(name)} {arrays[name]}" for name in names}
    said = tree.signature(tuple(renamed(s, masked) for s in item))
    return _Shape(said, tuple(names), tuple(n for name in names for n in numbers_of(name)))


def _layers(
    items: Sequence[Item],
    arrays: Mapping[str, object],
    free: Callable[[str], str],
    first: int,
    period: int,
    count: int,
) -> Layers:
    """The layers with their arrays, and the statements of any of them."""
    words = [
        [
            n.id
            for item in items[start : start + period]
            for s in item
            for n in s.walk()
            if isinstance(n, tree.Name) and n.id in arrays
        ]
        for start in range(first, first + period * count, period)
    ]
    families = [Family(names) for names in zip(*words, strict=True)]
    names = _named([f for f in dict.fromkeys(families) if len(set(f.names)) > 1], free)
    slots = iter(families)

    def any_layer(node: Any) -> Any:
        if isinstance(node, tree.Name):
            return replace(node, id=names.get(next(slots), node.id)) if node.id in arrays else node
        return node.rebuilt(any_layer)

    body = tuple(tuple(map(any_layer, item)) for item in items[first : first + period])
    return Layers(first, period, count, names, body)


def _named(families: Sequence[Family], free: Callable[[str], str]) -> dict[Family, str]:
    """A name for any layer's array: without the layer's numbers; `h_below` for what the layer before has as
    `h`; where a layer has several of one kind, with the number that each has in the layer."""
    lower: dict[Family, Family] = {}
    for family in families:
        for other in families:
            above, below = (family, other) if family.number > other.number else (other, family)
            if below is family and (above.after(below) or below.after(above)) and above.stem == below.stem:
                lower[below] = above
    own = [family for family in families if family not in lower]
    least = min((family.number for family in own), default=0)
    stems = [family.stem for family in own]
    counted = {family: family.with_number(f"_{family.number - least + 1}") for family in own}
    several = {counted[family] for family in own if stems.count(family.stem) > 1}
    wanted = {
        family: counted[family] if stems.count(family.stem) > 1 or family.stem in several else family.stem
        for family in own
    }
    wanted |= {family: f"{family.stem}_below" for family in lower}
    found: dict[Family, str] = {}
    for family in [*own, *lower]:
        name = wanted[family]
        name = name if free(name) == name else f"{name}_here"
        while name in found.values() or free(name) != name:
            name += "_"
        found[family] = name
    return {family: found[family] for family in families}


def statements_of(statements: Sequence[tree.Statement]) -> list[Item]:
    """The statements of a stage, equation by equation."""
    found: list[list[tree.Statement]] = []
    for s in statements:
        own = () if isinstance(s, tree.For) else equations_of(s)
        if found and own and own == _last(found[-1][-1]):
            found[-1].append(s)
        else:
            found.append([s])
    return [tuple(group) for group in found]


def equations_of(s: tree.Statement) -> tuple[int, ...]:
    """The numbers of the equations that a statement itself computes."""
    return tuple(getattr(s, "equations", ()))


def all_equations(statements: Sequence[tree.Statement]) -> list[int]:
    """Those of statements and of what is within them."""
    nodes = (n for s in statements for n in s.walk() if isinstance(n, tree.Statement))
    return sorted({number for node in nodes for number in equations_of(node)})


def _last(s: tree.Statement) -> tuple[int, ...]:
    """The numbers behind the last line of a statement."""
    if isinstance(s, tree.For):
        return _last(s.body[-1])
    return _last((s.otherwise or s.body)[-1]) if isinstance(s, tree.If) else equations_of(s)


def lines_of(s: tree.Statement) -> int:
    """How many lines a statement has."""
    body = getattr(s, "body", ())
    otherwise = getattr(s, "otherwise", ())
    return 1 + sum(map(lines_of, body)) + bool(otherwise) + sum(map(lines_of, otherwise))


def numbered_layers(items: Sequence[Item], layers: Layers) -> Iterator[tree.Statement]:
    """The statements of any layer, each with the equations that it computes in all of them."""
    for k, item in enumerate(layers.body):
        of_layers = items[layers.first + k : layers.stop : layers.period]
        for s, *others in zip(item, *of_layers, strict=True):
            yield together(s, others)


def together(s: tree.Statement, others: Sequence[tree.Statement]) -> tree.Statement:
    """A statement with the numbers of all equations that others of its form compute."""
    found: dict[str, Any] = {}
    if hasattr(s, "equations"):
        found["equations"] = tuple(sorted({n for other in others for n in equations_of(other)}))
    for part in ("body", "otherwise"):
        if hasattr(s, part):
            inner = zip(getattr(s, part), *(getattr(other, part) for other in others), strict=True)
            found[part] = tuple(together(one, same) for one, *same in inner)
    return replace(s, **found)


def split_numbers(name: str) -> tuple[list[str], list[str]]:
    """What stands around the numbers in a name, and these; what begins with 0 is none but for 0 itself."""
    parts, numbers = [""], list[str]()
    for digits, letters in groupby(name, str.isdecimal):
        word = "".join(letters)
        if digits and (word == "0" or word[0] != "0"):
            numbers.append(word)
            parts.append("")
        else:
            parts[-1] += word
    return parts, numbers


def numbers_of(name: str) -> tuple[int, ...]:
    """The numbers in a name."""
    return tuple(map(int, split_numbers(name)[1]))


def without_numbers(name: str) -> str:
    """A name with marks in the place of its numbers."""
    return "#".join(split_numbers(name)[0])


def renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Code with other names for some variables."""
    if isinstance(node, tree.Name):
        return replace(node, id=names.get(node.id, node.id))
    return node.rebuilt(lambda child: renamed(child, names))


def common_numbers(keys: Sequence[Family], count: int) -> range:
    """The numbers of the layers: those that most keys have."""
    common = Counter((key.number, key.step) for key in keys).most_common()
    steps = {abs(key.step) for key in keys}
    first, step = common[0][0] if len(steps) == 1 else (0, 1)
    return range(first, first + step * count, step)


def numbered(key: Family, numbers: range, counter: str) -> str:
    """The key for a layer's number: `f"W{layer}"`."""
    parts, _ = split_numbers(key.names[0])
    first, second = (numbers_of(text) for text in key.names[:2])
    inside = []
    for a, b in zip(first, second, strict=True):
        weight = (b - a) // numbers.step
        place = affine(weight, a - weight * numbers.start, counter)
        inside.append(str(a) if a == b else f"{{{text(place)}}}")
    return "f" + "".join(part + number for part, number in zip(parts, [*inside, ""], strict=True))


def affine(weight: int, offset: int, counter: str) -> tree.Expression:
    """`layer`, `layer - 1`, `2 * layer + 3`."""
    layer: tree.Expression = infer.integer(counter)
    if abs(weight) != 1:
        layer = infer.binary("*", infer.number(abs(weight)), layer)
    if weight < 0:
        return infer.binary("-", infer.python_number(str(offset)), layer)
    if offset == 0:
        return layer
    return infer.binary("+" if offset > 0 else "-", layer, infer.number(abs(offset)))


def range_of(numbers: range) -> tree.Expression:
    """`range(2, 9)`, `range(8, 0, -2)`, `range(3)`."""
    ends = [numbers.start, numbers.stop] if numbers.start or numbers.step != 1 else [numbers.stop]
    ends += [numbers.step] if numbers.step != 1 else []
    given = (infer.python_number(str(end)) for end in ends)
    return infer.called("range", *given)
