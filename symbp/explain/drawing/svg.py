"""Writes a picture as SVG, which needs neither a script nor a network.

Enters: a picture, its labels, what stands before the names of places that links lead to. Leaves: markup that
is well-formed XML. Must not know: how a picture is laid out.

Boxes carry `data-tensor` and `data-equations`, those of the forward pass `data-gradient-equations` too, lines
`data-from` and `data-to`, factors `data-reader`, `data-tensor` and `data-saved`, so that a page can light
what belongs together, by the class `lit`. Each box is a link to its equation, further numbers are links of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup, escape

from symbp.explain.drawing.frame import BACKWARD, FORWARD
from symbp.explain.drawing.graph import Adjoint, Graph
from symbp.explain.drawing.labels import FACTOR, Labels
from symbp.explain.drawing.picture import (
    BARE_HEIGHT,
    BOX_HEIGHT,
    LINE,
    SMALL,
    VALUE,
    VALUE_GAP,
    Box,
    Delay,
    Picture,
    Pill,
    column_width,
    columns_width,
)
from symbp.explain.drawing.routes import Line
from symbp.explain.drawing.text import SIZE, SMALLER, Runs, plain, width
from symbp.explain.drawing.words import alternative, key_lines
from symbp.rendering import render

HEAD, FOOT = 34.0, 20.0
FITS, SHRUNK, SHORT = (
    1120.0,
    0.85,
    900.0,
)  # the width of a page, how far it may shrink a picture, half a sheet
SPACE = ' xmlns="http://www.w3.org/2000/svg"'


def svg(
    graph: Graph,
    picture: Picture,
    labels: Labels,
    title: str,
    prefix: str = "",
    *,
    alone: bool = False,
    name: str = "drawing",
) -> Markup:
    """The picture as one element; `prefix` stands before `eq-5` in its links, and before its own names, that
    begin with `name`. In a file of its own, `alone`, it says that it is SVG, and has its key."""
    return _Writer(graph, picture, labels, title, prefix, name).whole(alone=alone)


class _Writer:
    def __init__(
        self, graph: Graph, picture: Picture, labels: Labels, title: str, prefix: str, name: str
    ) -> None:
        self.graph, self.picture, self.labels = graph, picture, labels
        self.title, self.prefix, self.name = title, prefix, name
        self.gradients = {a.node: a for a in graph.adjoints}
        self.factors = {pill.item: pill.flow for pill in picture.pills}

    def whole(self, *, alone: bool) -> Markup:
        keys = key_lines(self.graph, self.picture.width) if alone else []
        found = beside(self.graph, self.prefix) if alone else Markup("")
        wide = max(self.picture.width, 320.0)
        high = HEAD + self.picture.height + (len(keys) + bool(found)) * FOOT + (14 if alone else 0)
        name = f"{self.prefix}{self.name}"
        parts = [
            Markup(
                '<svg{3} class="symbp-drawing{4}" role="group"'
                ' aria-labelledby="{0}-title" aria-describedby="{0}-desc" viewBox="0 0 {1} {2}" width="{1}"'
                ' height="{2}">'
            ).format(name, _number(wide), _number(high), Markup(SPACE) if alone else "", sized(wide, high)),
            Markup('<title id="{}-title">{}</title>').format(name, f"{self.title} as a graph"),
            Markup('<desc id="{}-desc">{}</desc>').format(name, alternative(self.graph, self.labels)),
            Markup("<style>{}</style>").format(Markup(render("drawing.css", {}).strip())),
            self.headings(),
            Markup('<g transform="translate(0 {})">').format(_number(HEAD)),
            *map(self.line, self.picture.lines),
            *map(self.delay, self.picture.delays),
            *map(self.pill, self.picture.pills),
            *map(self.box, self.picture.boxes),
            Markup("</g>"),
        ]
        y = HEAD + self.picture.height + 4
        for line in keys:
            parts.append(_text(16, y, escape(line), "key"))
            y += FOOT
        if found:
            parts.append(_text(16, y, found, "key"))
        return Markup("\n").join([*parts, Markup("</svg>")])

    def headings(self) -> Markup:
        """What each half is."""
        down, up = ("↓", "↑") if self.picture.upright else ("→", "←")
        names = {FORWARD: f"Forward {down}", BACKWARD: f"Backward {up}"}
        found = []
        for half, (low, _) in self.picture.halves.items():
            x, y = (low, 20.0) if self.picture.upright else (16.0, HEAD + low - 14)
            found.append(_text(x, y, escape(names[half]), f"heading {half}"))
        return Markup("\n").join(found)

    # --- lines
    def line(self, line: Line) -> Markup:
        arrow = Markup("")
        if line.arrow:
            points = " ".join(f"{_number(x)},{_number(y)}" for x, y in line.arrow)
            arrow = Markup('<polygon points="{}"/>').format(points)
        data = {"data-from": line.start, "data-to": line.end, "data-equations": self.behind(line)}
        return Markup('<g class="line {}"{}><path d="{}"/>{}</g>').format(
            line.kind, _attributes(data), line.path, arrow
        )

    def behind(self, line: Line) -> str:
        """The numbers of the equations in which a line is: of the reader, of what its flow adds to."""
        if line.kind in ("read", "loop"):
            return _joined(self.graph.by_name[line.end].numbers)
        target = self.factors[line.end].read if line.kind == "saved" else line.end
        return _joined(self.gradients[target].numbers)

    def delay(self, delay: Delay) -> Markup:
        back = Markup('<rect class="ground" x="{}" y="{}" width="{}" height="{}"/>').format(
            _number(delay.x - delay.width / 2), _number(delay.y - LINE / 2), _number(delay.width), LINE
        )
        return back + _text(delay.x, delay.y + 4, spelled(delay.text, SMALL), "delay")

    def pill(self, pill: Pill) -> Markup:
        told = self.labels.told_factor(pill.flow)
        rows = [
            _text(
                pill.x + pill.width / 2,
                pill.y + pill.height / 2 + (at - (len(pill.lines) - 1) / 2) * LINE + 4.5,
                spelled(line, FACTOR),
                "factor",
            )
            for at, line in enumerate(pill.lines)
        ]
        return Markup('<g class="jacobian"{}><title>{}</title>{}{}</g>').format(
            _attributes(
                {
                    "data-reader": pill.flow.reader,
                    "data-tensor": pill.flow.read,
                    "data-saved": " ".join(pill.flow.saved),
                    "data-equations": _joined(self.gradients[pill.flow.read].numbers),
                }
            ),
            told,
            _rectangle(pill.x, pill.y, pill.width, pill.height, 9),
            Markup("").join(rows),
        )

    # --- boxes
    def box(self, box: Box) -> Markup:
        adjoint = self.gradients.get(box.node.name)
        classes = ["node", box.half, box.node.role.value]
        classes += ["recurrent"] if box.node.recurrent else []
        classes += ["between"] if self.is_passed(box) else []
        data: dict[str, object] = {
            "data-tensor": box.node.tensor,
            "data-equations": _joined(box.numbers),
        }
        if isinstance(box.item, Adjoint):
            data |= {"data-of": box.node.name} | (
                {"data-adjoint": box.item.tensor} if box.item.tensor else {}
            )
        elif adjoint is not None:
            data["data-gradient-equations"] = _joined(adjoint.numbers)
        inner = self.cards(box) + _rectangle(box.x, box.y, box.width, box.height, 6)
        middle, bare = box.x + box.width / 2, BARE_HEIGHT if box.values else box.height
        upper = box.y + (18.5 if box.below else bare / 2 + 5)
        inner += _text(middle, upper, spelled(box.title, SIZE), "symbol")
        rest = Markup("")
        if box.below:
            inner_below, rest = self.below(box, middle)
            inner += inner_below
        told = Markup("<title>{}</title>").format(self.told(box))
        if box.numbers:
            inner = Markup('<a href="#{}eq-{}">{}{}</a>').format(self.prefix, box.numbers[0], told, inner)
        else:
            inner = told + inner
        shown = self.valued(box, middle)
        return Markup('<g class="{}"{}>{}{}{}</g>').format(
            " ".join(classes), _attributes(data), inner, rest, shown
        )

    def valued(self, box: Box, middle: float) -> Markup:
        """The values in a box in columns, each by its place, so that a script can change it."""
        if not box.values:
            return Markup("")
        wide = column_width(box.values)
        left, columns = middle - columns_width(box.values) / 2, len(box.values[0])
        top = box.y + (BOX_HEIGHT if box.below else BARE_HEIGHT) + 7.5
        cell = Markup('<tspan data-p="{}" x="{}">{}</tspan>')
        texts = []
        for r, row in enumerate(box.values):
            cells = [
                cell.format(r * columns + c, _number(left + (c + 1) * (wide + VALUE_GAP) - VALUE_GAP), value)
                for c, value in enumerate(row)
            ]
            y = _number(top + r * VALUE)
            texts.append(Markup('<text class="value" y="{}">{}</text>').format(y, Markup("").join(cells)))
        return Markup('<g data-tensor="{}">{}</g>').format(box.of, Markup("").join(texts))

    def is_passed(self, box: Box) -> bool:
        """Whether the page has no equation for an adjoint: it goes past it in one step."""
        return isinstance(box.item, Adjoint) and not box.numbers and box.node.name != self.labels.loss

    def cards(self, box: Box) -> Markup:
        """Cards behind the box of a recurrence, one for each step, on the side where no arrow arrives."""
        if not box.node.recurrent:
            return Markup("")
        dx, dy = (1, 1) if box.half == FORWARD else (1, -1) if self.picture.upright else (-1, 1)
        return Markup("").join(
            _rectangle(box.x + dx * by, box.y + dy * by, box.width, box.height, 6, "card") for by in (6, 3)
        )

    def below(self, box: Box, middle: float) -> tuple[Markup, Markup]:
        """The line below the symbol: what belongs to the link of the box; of several numbers each is one."""
        y = box.y + BOX_HEIGHT - 8.5
        if len(box.numbers) < 2:
            return _text(middle, y, spelled(box.below, SMALL), "small"), Markup("")
        x = middle - width(box.below, SMALL) / 2
        links = [
            Markup('<a href="#{0}eq-{1}" aria-label="equation {1}">{2}</a>').format(
                self.prefix, number, Markup('<tspan class="number">({})</tspan>').format(number)
            )
            for number in box.numbers
        ]
        shape = box.below[1:]
        return Markup(""), _text(x, y, Markup(" ").join(links) + spelled(shape, SMALL), "small from")

    def told(self, box: Box) -> str:
        """What a box is, in words."""
        if isinstance(box.item, Adjoint):
            name = self.labels.told_adjoint(box.item, box.node.tensor)
            if box.node.name == self.labels.loss:
                return f"{name} = 1: where the backward pass begins"
            if not box.numbers:
                return f"{name}: it has no equation of its own, the page's equations step over it"
            return f"{name}, {_equations(box.numbers)}"
        name = self.labels.told(box.node.tensor)
        shape = plain(self.labels.shape(box.node))
        words = [f"{name}: {box.node.role.value}", shape or "scalar"]
        return ", ".join([*words, *([_equations(box.numbers)] if box.numbers else [])])


def beside(graph: Graph, prefix: str) -> Markup:
    """Links to the equations that aren't drawn, as text of a picture and of a page; nothing without any."""
    if not graph.beside:
        return Markup("")
    link = Markup('<a class="number" href="#{0}eq-{1}" aria-label="equation {1}">({1})</a>')
    links = Markup(" ").join(link.format(prefix, number) for number in graph.beside)
    return Markup("Not drawn, since the loss doesn't read them: {}").format(links)


def sized(wide: float, high: float) -> str:
    """Classes of a picture that a page may show a little smaller, so that all of it is seen at once."""
    return " fits" * (FITS < wide <= FITS / SHRUNK) + " low" * (high <= SHORT)


def spelled(runs: Runs, size: float) -> Markup:
    """Runs as spans, raised and lowered by `dy`, which all browsers know."""
    found, level = [], 0
    rise = round(size * 0.3, 1)
    for run in runs:
        attributes: dict[str, object] = {}
        if run.level != level:
            attributes["dy"] = _number(-(run.level - level) * rise)
        if run.level:
            attributes["font-size"] = _number(size * SMALLER)
        if run.italic:
            attributes["font-style"] = "italic"
        level = run.level
        found.append(Markup("<tspan{}>{}</tspan>").format(_attributes(attributes), run.text))
    return Markup("").join(found)


def _equations(numbers: tuple[int, ...]) -> str:
    return f"equation{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _joined(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


def _text(x: float, y: float, inner: Markup, classes: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(classes, _number(x), _number(y), inner)


def _rectangle(x: float, y: float, wide: float, high: float, radius: int, classes: str = "") -> Markup:
    named = Markup(' class="{}"').format(classes) if classes else Markup("")
    return Markup('<rect{} x="{}" y="{}" width="{}" height="{}" rx="{}"/>').format(
        named, _number(x), _number(y), _number(wide), _number(high), radius
    )


def _attributes(values: Mapping[str, object]) -> Markup:
    return Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in values.items())


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
