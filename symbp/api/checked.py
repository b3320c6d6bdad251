"""A report of a check that knows its derivation, so that it can be shown with its curves.

Enters: a report, the derivation that was checked. Leaves: the report, also as one page of HTML.
Must not know: how anything was compared, or how charts are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError
from symbp.verify import Report
from symbp.verify.steps import StepErrors, step_errors


@dataclass(frozen=True)
class CheckReport(Report):
    """What `bp.check` returns; `constants` are the values of the network's hyperparameters."""

    derivation: Derivation | None = field(default=None, repr=False, compare=False)
    constants: Mapping[str, float] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(report: Report, derivation: Derivation, constants: Mapping[str, float]) -> CheckReport:
        kept = {part.name: getattr(report, part.name) for part in fields(Report)}
        return CheckReport(**kept, derivation=derivation, constants=constants)

    def html(self) -> str:
        """The report as one file that works offline: the table, what is wrong first, the errors of numeric
        derivatives by their step, a histogram of the errors of single entries by method."""
        from symbp.explain.curves import by_step, histogram, svg
        from symbp.rendering import render
        from symbp.verify.report.table import HEAD

        curve = self._curve()
        charts = []
        if curve is not None:
            charts.append(by_step(curve.errors, f"∂loss/∂{curve.element} of {self.network}"))
        if errors := self.errors():
            charts.append(histogram(errors, f"{self.what} of {self.network}"))
        lines = zip(self.table()[1:], self.rows, self.ends()[1:], strict=True)
        values = {
            "title": self.title(),
            "report": self,
            "compared": sum(not (row.ok and row.is_empty) for row in self.rows),
            "left": sum(row.ok and row.is_empty for row in self.rows),
            "head": HEAD,
            "lines": [(cells, _kind(row.ok, row.is_empty), end) for cells, row, end in lines],
            "charts": svg(charts, name="check", alone=False) if charts else "",
        }
        return render("check.html.j2", values, markup=True)

    def _curve(self) -> StepErrors | None:
        """The errors by step for the first parameter whose gradient isn't 0."""
        derivation = self.derivation
        for name in derivation.gradients if derivation is not None and derivation.is_gradient else ():
            assert derivation is not None
            try:
                return step_errors(derivation, name, sizes=self.sizes, seed=self.seed, hyper=self.constants)
            except SymbpError:  # another one may do
                continue
        return None


def _kind(ok: bool, empty: bool) -> str:
    return "left" if ok and empty else "right" if ok else "wrong"
