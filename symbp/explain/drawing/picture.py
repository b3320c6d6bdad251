"""A picture: boxes, factors and lines with their places and texts, before it is written in any format.

Enters: a graph and its labels. Leaves: a frozen picture. Must not know: SVG, colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbp.explain.drawing.frame import BACKWARD, FORWARD, Frame, Item, Sizes, frame
from symbp.explain.drawing.graph import Adjoint, Flow, Graph, Node
from symbp.explain.drawing.labels import FACTOR, Labels
from symbp.explain.drawing.layers import Layers, layers
from symbp.explain.drawing.routes import Line, lines
from symbp.explain.drawing.text import Run, Runs, plain, width

SMALL = 11.5
LINE = 17.0
BOX_HEIGHT, BARE_HEIGHT, PAD = 46.0, 32.0, 10.0
VALUE, VALUE_GAP = 15.0, 9.0  # the height of a row of values, the space between two columns
ROOM = "−0.0000"  # what a value has room for at least, if it isn't whole: it may change
WIDEST = 1080.0  # of a picture that runs to the right; a wider one runs down


Rows = tuple[tuple[str, ...], ...]
"""The elements of a vector or a matrix as a reader sees them, row by row."""

Values = Mapping[str, Rows]
"""The elements of those tensors that are to have them in the picture."""


@dataclass(frozen=True)
class Box:
    """A tensor or an adjoint: its symbol, what stands below it, the numbers of its equations; the `values` of
    its elements at a point, if the picture has any."""

    item: Node | Adjoint
    node: Node
    half: str
    title: Runs
    below: Runs
    x: float
    y: float
    width: float
    height: float
    values: Rows = ()

    @property
    def of(self) -> str:
        """The tensor that has the values."""
        return (self.item.tensor or "") if isinstance(self.item, Adjoint) else self.node.tensor

    @property
    def numbers(self) -> tuple[int, ...]:
        return self.item.numbers


@dataclass(frozen=True)
class Pill:
    """A factor of the backward pass, in lines; `item` is what saved values lead to."""

    item: str
    flow: Flow
    lines: tuple[Runs, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Delay:
    """The step that a loop leads to, in the middle of a line."""

    text: Runs
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Picture:
    """What is drawn, the lines first; `upright`, if it runs down."""

    upright: bool
    width: float
    height: float
    boxes: tuple[Box, ...]
    pills: tuple[Pill, ...]
    delays: tuple[Delay, ...]
    lines: tuple[Line, ...]
    halves: Mapping[str, tuple[float, float]]


def picture(graph: Graph, labels: Labels, values: Values | None = None) -> Picture:
    """The picture of a graph, from left to right if it isn't too wide, else from top to bottom; with the
    `values` of small tensors in their boxes."""
    placed = layers(graph)
    texts = _Texts(graph, labels, placed, values or {})
    found = frame(graph, placed, texts.sizes, upright=False)
    if found.size[0] > WIDEST:
        found = frame(graph, placed, texts.sizes, upright=True)
    return texts.picture(found)


class _Texts:
    """What stands where, and how much room it takes."""

    def __init__(self, graph: Graph, labels: Labels, placed: Layers, values: Values) -> None:
        self.graph, self.labels, self.layers = graph, labels, placed
        self.values: dict[Item, Rows] = {
            **{(FORWARD, node.name): values.get(node.tensor, ()) for node in graph.nodes},
            **{(BACKWARD, a.node): values.get(a.tensor or "", ()) for a in graph.adjoints},
        }
        self.titles: dict[Item, tuple[Runs, Runs]] = {}
        of: dict[Item, tuple[float, float]] = {}
        for node in graph.nodes:
            self.titles[FORWARD, node.name] = labels.node(node), self.below(node)
        for adjoint in graph.adjoints:
            title = labels.adjoint(adjoint, graph.by_name[adjoint.node].tensor)
            if adjoint.node == labels.loss:
                title = (*title, Run(" = 1"))
            self.titles[BACKWARD, adjoint.node] = title, self.below_adjoint(adjoint)
        for item, (title, below) in self.titles.items():
            told = self.values[item]
            size = max(width(title), width(below, SMALL), columns_width(told)) + 2 * PAD
            of[item] = size, (BOX_HEIGHT if below else BARE_HEIGHT) + values_height(told)
        self.factors: dict[str, tuple[Flow, tuple[Runs, ...]]] = {}
        loops = {ring.factor for ring in placed.rings}
        for line in placed.all_lines:
            if line.flow is None:
                continue
            spelled = labels.factor(line.flow)
            if plain(spelled[0]) == "1" and line.factor not in loops:
                continue  # passed on as it is
            self.factors[line.factor] = line.flow, spelled
            size = max(width(one, FACTOR) for one in spelled) + 16
            of[BACKWARD, line.factor] = size, LINE * len(spelled) + 6
        delays = [width(labels.delay(ring.edge.delay), SMALL) + 8 for ring in placed.rings]
        self.sizes = Sizes(of, (max(delays, default=0.0), LINE + 2))

    def below(self, node: Node) -> Runs:
        """The numbers of a node's equations, and its shape."""
        numbers, shape = numbered(node.numbers), self.labels.shape(node)
        if node.step:
            shape = (Run(node.step),)
        return (*numbers, *([Run("  ")] if numbers and shape else []), *shape)

    def below_adjoint(self, adjoint: Adjoint) -> Runs:
        """The numbers of its equations, and of a copy its step."""
        numbers, step = numbered(adjoint.numbers), self.graph.by_name[adjoint.node].step
        return (*numbers, *([Run("  ")] if numbers and step else []), *([Run(step)] if step else []))

    def picture(self, found: Frame) -> Picture:
        boxes = []
        for (half, name), (title, below) in self.titles.items():
            node = self.graph.by_name[name]
            item = node if half == FORWARD else next(a for a in self.graph.adjoints if a.node == name)
            place = self.rectangle(found, (half, name))
            boxes.append(Box(item, node, half, title, below, *place, self.values[half, name]))
        pills = [
            Pill(factor, flow, spelled, *self.rectangle(found, (BACKWARD, factor)))
            for factor, (flow, spelled) in self.factors.items()
        ]
        drawn, marks = lines(self.layers, found)
        delays = []
        for mark in marks:
            text = self.labels.delay(mark.delay)
            delays.append(Delay(text, *mark.at, width(text, SMALL) + 8))
        size = found.size
        return Picture(
            found.upright, *size, tuple(boxes), tuple(pills), tuple(delays), drawn, dict(found.halves)
        )

    def rectangle(self, found: Frame, item: Item) -> tuple[float, float, float, float]:
        """Left, top, width and height of a box."""
        wide, high = found.xy(found.du[item], found.dv[item])
        x, y = found.xy(found.u[item], found.v[item])
        return x - wide / 2, y - high / 2, wide, high


def column_width(rows: Rows) -> float:
    """How wide a column of values is; a value that isn't whole may become a longer one."""
    told = [value for row in rows for value in row]
    longest = [*told, ROOM] if any("." in value for value in told) else told
    return max((width((Run(value),), SMALL) for value in longest), default=0.0)


def columns_width(rows: Rows) -> float:
    """How wide the columns of a box are together."""
    count = max(map(len, rows), default=0)
    return count * column_width(rows) + max(count - 1, 0) * VALUE_GAP


def values_height(rows: Rows) -> float:
    """How high the rows of a box are together."""
    return len(rows) * VALUE + 2 if rows else 0.0


def numbered(numbers: tuple[int, ...]) -> Runs:
    """`(3) (4)`."""
    return (Run(" ".join(f"({n})" for n in numbers)),) if numbers else ()
