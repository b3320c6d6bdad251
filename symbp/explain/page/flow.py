"""How gradients travel, as a section of a page: a chart for each activation, and what is left at the far end.

Enters: a flow. Leaves: markup. Must not know: how norms were found.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from symbp.explain.curves import Chart, Series, svg
from symbp.explain.curves.chart import Axis
from symbp.explain.mathml import MathML
from symbp.explain.page.equations import inline
from symbp.read.flow import Flow, Track

SMALL, LARGE = 1e-2, 10.0  # of what is left: it vanishes, it explodes


@dataclass(frozen=True)
class LeftRow:
    """What is left of a gradient at the far end of its way: an activation, a start, the factor, a word."""

    activation: str
    start: str
    left: str
    verdict: str


@dataclass(frozen=True)
class FlowBlock:
    """The section: what was done, in words and sizes; the charts; what is left."""

    intro: Markup
    tensors: Markup
    charts: Markup
    rows: tuple[LeftRow, ...]
    has_bound: bool


def flow_block(flow: Flow, notation: MathML, prefix: str) -> FlowBlock:
    """The block of a flow."""
    charts = [
        Chart(f"{name}: norm of the gradient", _axis(flow), Axis("norm", log=True), _series(tracks))
        for name, tracks in flow.tracks.items()
    ]
    rows = tuple(
        _row(name, track) for name, tracks in flow.tracks.items() for track in tracks if len(track.norms) > 1
    )
    tensors = Markup(", ").join(inline(notation.tensor(name)) for name in flow.tensors)
    if flow.is_recurrence:
        said = (
            f"A gradient of random direction sets out at the last of {len(flow.places)} {flow.kind} and is "
            "followed back; the norm of what is left of it, at "
        )
    else:
        said = "The norm of the loss's gradient by each layer, the last first: "
    sizes = ", ".join(f"{name} = {extent}" for name, extent in flow.sizes.items())
    intro = Markup("{}{}. Here {}; data are random.").format(said, tensors, sizes)
    has_bound = any(track.bound for tracks in flow.tracks.values() for track in tracks)
    drawn = svg(charts, name=f"{prefix}flow-charts", alone=False)
    return FlowBlock(intro, tensors, drawn, rows, has_bound)


def _axis(flow: Flow) -> Axis:
    if flow.is_recurrence:
        return Axis(f"{flow.kind} back from the last")
    return Axis("layer", names=flow.places)


def _series(tracks: tuple[Track, ...]) -> tuple[Series, ...]:
    found = []
    for track in tracks:
        name = f"{track.start}, after some training" if track.is_trained else track.start
        found.append(Series(name, tuple((float(k), norm) for k, norm in enumerate(track.norms))))
    for track in tracks:
        if track.bound and track.start == "Glorot":
            points = tuple((float(k), bound) for k, bound in enumerate(track.bound))
            found.append(Series("bound for Glorot", points))
    return tuple(found)


def _row(activation: str, track: Track) -> LeftRow:
    left = track.norms[-1] / track.norms[0] if track.norms[0] else 0.0
    verdict = "vanishes" if left < SMALL else "explodes" if left > LARGE else "arrives"
    start = f"{track.start}, after some training" if track.is_trained else track.start
    rounded = f"{float(f'{left:.2g}'):g}"  # 370, not 3.7e+02
    return LeftRow(activation, start, rounded.replace("e-0", "e-").replace("e+", "e"), verdict)
