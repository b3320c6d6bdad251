"""What was found of a training, as text and as JSON.

Enters: a frozen `Health`. Leaves: text, a dictionary. Must not know: how anything was found; other formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from symbp.verify.health.judge import Health
from symbp.verify.health.plot import curve
from symbp.verify.health.records import Bend, Course, RangeTest, Way

THUMB = "a rule of thumb is 1e-3 (CS231n notes, Neural networks 3, ratio of updates to weights)"
MOST = 24  # parameters, and bends, that text lists


def text(health: Health) -> str:
    """The measures, then the findings."""
    lines = [f"{health.name}: {_verdict(health)}", *(f"  {line}" for line in _how(health)), ""]
    lines += [
        f"  {line}".rstrip()
        for line in (*parameters(health.course), *bends(health.course), *ways(health.course))
    ]
    if health.test is not None:
        lines += ["", *(f"  {line}" for line in tested(health.test, health.setting.rate))]
    for finding in health.findings:
        first, *more = finding.spelled()
        lines += ["", f"{finding.kind}: {finding.rule}", f"  {first}", *(f"    {line}" for line in more)]
    count = f"{len(health.problems)} problem{'' if len(health.problems) == 1 else 's'}"
    return "\n".join([*lines, "", count])


def _verdict(health: Health) -> str:
    return "healthy" if health.ok else f"ill: {health.problems[0].rule}"


def _how(health: Health) -> Iterator[str]:
    setting, course = health.setting, health.course
    rate = f", learning rate {setting.rate:g}" if setting.rate is not None else ""
    batches = f", in batches of {setting.batch_size} of {setting.examples} examples" if setting.batch else ""
    on = f" ({setting.what})" if setting.what else ""
    yield f"{len(course.steps)} steps of {setting.rule.name}{rate}{batches}{on}"
    ended = f"{course.last:.4g} in the end" if isfinite(course.last) else "none in the end"
    chance = course.chance
    knowing = f"; a network that knows nothing has {chance:.4g}" if chance is not None else ""
    yield f"loss on a probe: {course.first:.4g} at the start, {ended}{knowing}"


def parameters(course: Course) -> list[str]:
    """A line for each parameter."""
    if not course.steps:
        return []
    first, last = course.steps[0], course.steps[-1]
    rows = [("parameter", "‖gradient‖ first → last", "‖weight‖ first → last", "update/weight, median")]
    for name in list(course.start)[:MOST]:
        ratio = course.ratio(name)
        rows.append(
            (
                name,
                _pair(first.gradient[name], last.gradient[name]),
                _pair(first.weight[name], last.weight[name]),
                "–" if ratio is None else f"{ratio:.1e}",
            )
        )
    left = len(course.start) - MOST
    return [*_table(rows), *([f"and {left} more"] if left > 0 else []), f"update/weight: {THUMB}"]


def bends(course: Course) -> list[str]:
    """A line for each place where the network bends."""
    if not course.looks or not course.looks[0].bends:
        return []
    first, last = course.looks[0], course.looks[-1]
    rows = [("bend", "in, root mean square", "out", "∂loss/∂out", "dead or flat")]
    for old, new in list(zip(first.bends, last.bends, strict=True))[:MOST]:
        rows.append(
            (
                old.tensor,
                _pair(old.entering, new.entering),
                _pair(old.leaving, new.leaving),
                _pair(old.adjoint, new.adjoint) if old.adjoint == old.adjoint else "–",
                _share(old, new),
            )
        )
    return ["", *_table(rows)]


def _share(old: Bend, new: Bend) -> str:
    if old.is_bounded:
        return f"flat {old.flat:.0%} → {new.flat:.0%} of entries"
    return f"dead {old.dead:.0%} → {new.dead:.0%} of {old.units} units"


def ways(course: Course) -> list[str]:
    """How the gradient changes on its way, at the start and in the end."""
    found = [look.way for look in course.looks if look.way is not None]
    if not found or found[0].factor is None:
        return []
    unit = "layer" if not found[0].is_recurrence or found[0].kind == "layers" else "step back through time"
    told = " → ".join(f"×{_number(way.factor)}" for way in found)
    whole = " → ".join(_number(_whole(way)) for way in found)
    return ["", f"the gradient by {unit}: {told}; over all {len(found[0].norms)}: {whole}"]


def _whole(way: Way) -> float:
    return way.norms[-1] / way.norms[0] if way.norms and way.norms[0] else 0.0


def tested(test: RangeTest, rate: float | None) -> list[str]:
    """The range test: its curve, and what it suggests."""
    lines = [f"range test of the learning rate (Smith 2017), {len(test.rates)} steps: smoothed loss by rate"]
    marks = [test.suggested] if test.suggested is not None else []
    top = test.smooth[0] + (test.smooth[0] - min(test.smooth)) / 2 if test.smooth else 0.0
    lines += curve(test.rates, [min(loss, top) for loss in test.smooth], marks)
    if test.suggested is None or test.lowest is None:
        return [*lines, "the loss falls at no rate"]
    beside = f"; the training has {rate:.2g}" if rate is not None else ""
    end = "" if test.rises else "; no rate of the range is too high"
    return [
        *lines,
        f"suggested: {test.suggested:.2g} (┊), where it falls fastest; lowest at {test.lowest:.2g}: "
        f"up to a quarter of that may do{beside}{end}",
    ]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _pair(old: float, new: float) -> str:
    return f"{_number(old)} → {_number(new)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


# --- JSON
def as_json(health: Health) -> dict[str, Any]:
    """Everything that was measured and found; what isn't finite is null."""
    setting, course = health.setting, health.course
    found: dict[str, Any] = _finite(
        {
            "name": health.name,
            "ok": health.ok,
            "cause": health.problems[0].rule if health.problems else None,
            "findings": [finding.json() for finding in health.findings],
            "training": {
                "steps": len(course.steps),
                "optimizer": setting.rule.name,
                "hyper": dict(setting.rule.hyper),
                "batch_size": setting.batch_size,
                "examples": setting.examples,
                "data": setting.what,
                "sizes": dict(setting.sizes),
                "seed": setting.seed,
            },
            "chance": course.chance,
            "probe": {str(step): loss for step, loss in course.probes.items()},
            "loss": [step.loss for step in course.steps],
            "parameters": {name: _parameter(course, name) for name in course.start},
            "without_gradient": list(course.still),
            "looks": [_look(look) for look in course.looks],
            "not_finite": _broken(course),
            "range_test": _test(health.test),
        }
    )
    return found


def _parameter(course: Course, name: str) -> dict[str, Any]:
    return {
        "gradient": [step.gradient[name] for step in course.steps],
        "weight": [step.weight[name] for step in course.steps],
        "update": [step.update[name] for step in course.steps],
        "ratio": course.ratio(name),
    }


def _look(look: Any) -> dict[str, Any]:
    way = look.way
    told = None
    if way is not None:
        told = {"kind": way.kind, "places": way.places, "norms": way.norms, "factor": way.factor}
    return {
        "step": look.step,
        "bends": [{**vars(bend)} for bend in look.bends],
        "shares": [vars(share) for share in look.shares],
        "way": told,
    }


def _broken(course: Course) -> dict[str, Any] | None:
    broken = course.broken
    if broken is None:
        return None
    return {
        "step": broken.step,
        "tensor": broken.tensor,
        "place": broken.place,
        "value": broken.value,
        "operation": broken.operation,
        "equation": str(broken.equation),
    }


def _test(test: RangeTest | None) -> dict[str, Any] | None:
    return None if test is None else dict(vars(test))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value
