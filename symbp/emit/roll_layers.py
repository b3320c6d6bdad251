"""Equal layers in a row of lines: what one layer after the other does is written once, for all of them.

Enters: the lines of a stage, equation by equation, and which of their words name arrays. Leaves: `Layers`,
runs of lines that are equal but for the numbers in the names of arrays, and these rise or fall from each
layer to the next by equal steps. Must not know: targets, what a layer computes.

Nothing is moved: the lines of all layers stood one behind the other, in this order. `unrolled` gives them
back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from symbp.emit.blocks import equations_of, listed

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
DIGITS = re.compile(r"(?<!\d)(?:0|[1-9]\d*)(?!\d)")
FEWEST = 3  # layers; two only where they are long
LONG = 8  # lines of one of two layers

Item = tuple[str, ...]
"""Lines that stay together, without comments."""


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
        parts, numbers = DIGITS.split(self.names[0]), DIGITS.findall(self.names[0])
        kept = ["" if k in self.varying else number for k, number in enumerate(numbers)]
        kept[self.varying[0]] = text
        whole = "".join(part + number for part, number in zip(parts, [*kept, ""], strict=True))
        return re.sub(r"__+", "_", whole).rstrip("_")

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
                yield tuple(renamed(line, names) for line in item)


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
        self.before = list(accumulate((len(item) for item in items), initial=0))  # lines before each item

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
    text: list[object] = []
    names: list[str] = []
    for line in item:
        end = 0
        for word in WORD.finditer(line):
            name = word.group()
            if name in arrays:
                text += [line[end : word.start()], DIGITS.sub("#", name), arrays[name]]
                names.append(name)
                end = word.end()
        text += [line[end:], None]
    return _Shape(tuple(text), tuple(names), tuple(n for name in names for n in numbers_of(name)))


def _layers(
    items: Sequence[Item],
    arrays: Mapping[str, object],
    free: Callable[[str], str],
    first: int,
    period: int,
    count: int,
) -> Layers:
    """The layers with their arrays, and the lines of any of them."""
    words = [
        [w for item in items[start : start + period] for w in WORD.findall("\n".join(item)) if w in arrays]
        for start in range(first, first + period * count, period)
    ]
    families = [Family(names) for names in zip(*words, strict=True)]
    names = _named([f for f in dict.fromkeys(families) if len(set(f.names)) > 1], free)
    slots = iter(families)

    def any_layer(word: re.Match[str]) -> str:
        if word.group() not in arrays:
            return word.group()
        family = next(slots)
        return names.get(family, word.group())

    body = tuple(tuple(WORD.sub(any_layer, line) for line in item) for item in items[first : first + period])
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


@dataclass(frozen=True)
class LineGroup:
    """Lines that stay together: those of the same equations that follow each other, and what is indented."""

    lines: Item

    @property
    def code(self) -> Item:
        """The lines without comments."""
        return tuple(line.partition("  # ")[0] for line in self.lines)


def statements_of(lines: Sequence[str]) -> list[LineGroup]:
    """The lines of a stage, equation by equation."""
    found: list[list[str]] = []
    for line in lines:
        inside = line.startswith((" ", "else", "elif"))
        comment = line.partition("  # ")[2]
        if found and (inside or (comment and comment == found[-1][-1].partition("  # ")[2])):
            found[-1].append(line)
        else:
            found.append([line])
    return [LineGroup(tuple(lines)) for lines in found]


def notes_of(statements: Sequence[LineGroup], layers: Layers) -> Iterator[str]:
    """The comment of each line of the body: the equations that it computes in each layer."""
    for i in range(layers.first, layers.first + layers.period):
        of_layers = [statements[i + k * layers.period].lines for k in range(layers.count)]
        for lines in zip(*of_layers, strict=True):
            numbers = sorted({number for line in lines for number in equations_of(line)})
            yield f"  # {listed(numbers)}" if numbers else ""


def words_of(lines: Sequence[str]) -> frozenset[str]:
    """The words of some lines of code."""
    return frozenset(word for line in lines for word in WORD.findall(line.partition("  # ")[0]))


def numbers_of(name: str) -> tuple[int, ...]:
    """The numbers in a name."""
    return tuple(map(int, DIGITS.findall(name)))


def renamed(line: str, names: Mapping[str, str]) -> str:
    """A line with other names for some of its words."""
    return WORD.sub(lambda word: names.get(word.group(), word.group()), line)


def common_numbers(keys: Sequence[Family], count: int) -> range:
    """The numbers of the layers: those that most keys have."""
    common = Counter((key.number, key.step) for key in keys).most_common()
    steps = {abs(key.step) for key in keys}
    first, step = common[0][0] if len(steps) == 1 else (0, 1)
    return range(first, first + step * count, step)


def numbered(key: Family, numbers: range, counter: str) -> str:
    """The key for a layer's number: `f"W{layer}"`."""
    parts = DIGITS.split(key.names[0])
    first, second = (numbers_of(text) for text in key.names[:2])
    inside = []
    for a, b in zip(first, second, strict=True):
        weight = (b - a) // numbers.step
        inside.append(str(a) if a == b else f"{{{affine(weight, a - weight * numbers.start, counter)}}}")
    return "f" + "".join(part + number for part, number in zip(parts, [*inside, ""], strict=True))


def affine(weight: int, offset: int, counter: str) -> str:
    """`layer`, `layer - 1`, `2 * layer + 3`."""
    if weight < 0:
        return f"{offset} - {counter}" if weight == -1 else f"{offset} - {-weight} * {counter}"
    text = counter if weight == 1 else f"{weight} * {counter}"
    return text if offset == 0 else f"{text} {'+' if offset > 0 else '-'} {abs(offset)}"


def range_text(numbers: range) -> str:
    """`range(2, 9)`, `range(8, 0, -2)`, `range(3)`."""
    if numbers.step != 1:
        return f"range({numbers.start}, {numbers.stop}, {numbers.step})"
    return f"range({numbers.start}, {numbers.stop})" if numbers.start else f"range({numbers.stop})"
