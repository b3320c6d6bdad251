"""A diagnosis that shows itself: text, JSON, HTML for notebooks, and its curves.

Enters: what `symbp.verify.health` found. Leaves: text, markup. Must not know: how anything was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from symbp.language.parts import with_parts
from symbp.verify.health import Health, examine
from symbp.verify.health.prepare import BATCH_SIZE, STEPS, prepared
from symbp.verify.health.report import as_json, text

if TYPE_CHECKING:
    from symbp.api.derivation import Derivation
    from symbp.explain.curves import Chart
    from symbp.ir.training import UpdateRule
    from symbp.language import Network


class Diagnosis(Health):
    """Why a network does or doesn't learn: `problems`, each with what shows it and what mends it, and the
    measures of a short training."""

    def text(self) -> str:
        """Measures, then findings."""
        return text(self)

    def json(self) -> dict[str, Any]:
        """All that was measured and found."""
        return as_json(self)

    def charts(self) -> tuple[Chart, ...]:
        """The range test, the norms of gradients, and updates beside weights, by step."""
        from symbp.explain.curves.chart import Axis, Chart, series

        found = []
        if self.test is not None and self.test.rates:
            lines = (
                series("smoothed", self.test.rates, self.test.smooth),
                series("as measured", self.test.rates, self.test.losses),
            )
            title = f"{self.name}: loss by learning rate"
            found.append(Chart(title, Axis("learning rate", log=True), Axis("loss"), lines))
        steps = self.course.steps
        numbers = [step.number for step in steps]
        if steps:
            norms = [series(n, numbers, [s.gradient[n] for s in steps]) for n in self.course.start]
            ratios = [series(n, numbers, [s.ratio(n) or 0.0 for s in steps]) for n in self.course.start]
            found.append(Chart("Norm of the gradient", Axis("step"), Axis("norm", log=True), tuple(norms)))
            found.append(Chart("Update to weight", Axis("step"), Axis("ratio", log=True), tuple(ratios)))
        return tuple(found)

    def curve(self) -> str:
        """The charts as SVG."""
        from symbp.explain.curves import svg

        return str(svg(self.charts(), name="diagnosis"))

    def _repr_html_(self) -> str:
        from markupsafe import Markup

        from symbp.explain.curves import svg

        shown = Markup("<pre>{}</pre>").format(self.text())
        return str(Markup("<div>{}{}</div>").format(shown, svg(self.charts(), name="diagnosis", alone=False)))

    def __str__(self) -> str:
        return self.text()


def diagnose(
    net: Network,
    data: Mapping[str, Any] | None = None,
    *,
    optimizer: UpdateRule,
    sizes: Mapping[str, int] | None = None,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    range_test: bool = True,
    derivation: Derivation | None = None,
    what: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Diagnosis:
    """Why a network doesn't learn: it is trained for some steps and measured; what is suspected is put right
    and the training run again, and what that mends is the cause. Without `data` (arrays by the names of
    inputs) it trains on its own example, or on random ones.

    Raises UsageError: nothing to train; DataError: arrays that don't fit.
    """
    import symbp.api as api

    derivation = derivation or api.derive(net)
    optimizer = with_parts(optimizer, net.system)
    plain = prepared(
        derivation, optimizer, data, sizes=sizes, steps=steps, batch_size=batch_size, seed=seed, what=what
    )
    shaping = {s.name for t in net.system.parameters for e in t.shape for s in e.free_symbols}
    module = api.compile(
        net,
        optimizer=optimizer,
        derivation=derivation,
        sizes={name: value for name, value in plain.sizes.items() if name in shaping},
    )
    found = examine(plain.with_module(module), with_range=range_test, say=say)
    return Diagnosis(**{part.name: getattr(found, part.name) for part in fields(found)})
