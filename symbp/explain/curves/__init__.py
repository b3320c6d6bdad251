"""Line charts as SVG: losses by epoch, the error of differences by their step, norms by layer.

Enters: numbers. Leaves: SVG. Must not know: networks, derivations, where numbers come from.
"""

from symbp.explain.curves.chart import Chart, Series
from symbp.explain.curves.kinds import by_epoch, by_layer, by_step, histogram
from symbp.explain.curves.svg import svg

__all__ = ["Chart", "Series", "by_epoch", "by_layer", "by_step", "histogram", "svg"]
