"""How an update rule is written: the leaves of one generic parameter, and the next values of its moments.

Enters: hyperparameters, equations of one entry. Leaves: `symbp.ir.training.UpdateRule`.
Must not know: which optimizers exist, networks, derivatives.
The parameter is flat, `theta[i]` with i below P; `gradient[i]` is the loss's derivative by it. Moments have
its shape, or one of their own, and start at zero; `step` counts from 1. Where parameters are told apart, k
says which of them: `theta[k,i]`. A rule for matrices is over one of them: `theta[r,c]`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypedDict

import sympy

from symbp.errors import UsageError
from symbp.ir.build import SystemBuilder, where
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, Size, free_indices
from symbp.ir.system import Role, System
from symbp.ir.training import GRADIENT, STEP, THETA, Form, UpdateRule
from symbp.optim.forms import COLUMN, ROW, constrained, lifted
from symbp.optim.groups import read_groups
from symbp.optim.schedules import Schedule

K, HISTORY = Index("k"), Index("h")
EXTENTS = {K: Size("K"), Index("i"): Size("P"), ROW: Size("R"), COLUMN: Size("C"), HISTORY: Size("H")}


class Options(TypedDict, total=False):
    """What every optimizer takes besides its own: a `schedule` of the learning rate; `clip_norm`, the
    largest Euclidean norm that all gradients together may have (Pascanu, Mikolov and Bengio 2013), and
    `clip_value`, the largest absolute value of one entry; the norm is clipped first. `groups` says which
    parameters have a rate or a weight decay of their own, or are frozen (`symbp.optim.groups`).

    `accumulate` K updates after each K steps, by the mean of their gradients: what is a step for the
    schedule and the moments is such an update. `ema` d keeps a mean of the parameters over the updates,
    the moment `ema`, in which one that is n updates old counts dⁿ (Polyak and Juditsky 1992, here fading);
    it is a mean from the first update on: weights add up to 1. `max_norm` c shortens, after the step, what
    each unit is weighted with to the norm c where it is longer (Srebro and Shraibman 2005; as for dropout
    Srivastava et al. 2014, section 5.1): of a matrix the columns, or the rows where these are summed over or
    looked up."""

    schedule: Schedule | None
    clip_norm: float | None
    clip_value: float | None
    groups: Mapping[str, Any] | None
    accumulate: int
    ema: float | None
    max_norm: float | None


class Rule:
    """One update rule while it is written: its leaves, and the next values so far.

    `gradient` is the loss's gradient after clipping; `lr` follows the schedule. Weight decay λ adds λ·θ to
    the gradient, or, decoupled from it, makes `kept`, where the step starts, (1 − lr·λ)·θ instead of θ;
    `decay` is λ.
    """

    theta: Access
    gradient: Access
    step: Expr
    _given: Expr  # the gradient by what is given, as sums over all entries read it
    _after: Access  # the parameter after the update
    _own: dict[str, Access]

    def __init__(
        self,
        name: str,
        hyper: Mapping[str, float],
        *moments: str,
        weight_decay: float = 0.0,
        decoupled: bool = False,
        schedule: Schedule | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        groups: Mapping[str, Any] | None = None,
        accumulate: int = 1,
        ema: float | None = None,
        max_norm: float | None = None,
        by_parameter: bool = False,
        matrix: bool = False,
        shapes: Mapping[str, Sequence[Index]] = MappingProxyType({}),
    ) -> None:
        not_negative(weight_decay=weight_decay)
        extra = {"weight_decay": weight_decay or None, "clip_norm": clip_norm, "clip_value": clip_value}
        extra["max_norm"] = max_norm
        chosen = {key: value for key, value in extra.items() if value is not None}
        positive(**chosen)
        if ema is not None:
            positive(ema=ema)
            fractions(ema=ema)
            chosen["ema_decay"] = ema
        self._follow = schedule.follow if schedule is not None else None
        self._name, self._hyper, self._accumulated = name, {**hyper, **chosen}, _count(accumulate)
        self.settings: dict[str, Any] = dict(self._hyper) | ({"schedule": schedule} if schedule else {})
        self.settings |= {"groups": groups} if groups else {}
        self.settings |= {"accumulate": accumulate} if accumulate > 1 else {}
        self.settings |= {"ema": self.settings.pop("ema_decay")} if ema is not None else {}
        self._groups = read_groups(groups, self._hyper) if groups else ()
        if ema is not None and any(group.frozen for group in self._groups):
            raise UsageError(
                "no mean is kept of frozen parameters: ema and frozen groups exclude each other",
                help="leave one of them out",
            )
        self._hyper |= self._follow.followed if self._follow else {}
        moments = (*moments, *["g_sum"] * (accumulate > 1), *["ema"] * (ema is not None))
        self._matrix, self._bounded = matrix, max_norm is not None
        sparse = any(group.sparse for group in self._groups)
        self._declare(moments, by_parameter or sparse or self._bounded, shapes)
        if accumulate > 1:
            self._accumulate()
        self.lr: Expr = self["lr"]
        if schedule is not None and schedule.factor(self.step) != 1:
            body = self["lr"] * schedule.factor(self.step)
            self.lr = self.scalar("rate", body, f"learning rate, {schedule.name}")
        self.lr = self.lr * self._own.get("lr_share", 1)
        if clip_norm is not None:
            self._clip_norm()
        if clip_value is not None:
            self._clip_value()
        self._shrink(weight_decay, decoupled)

    def _shrink(self, weight_decay: float, decoupled: bool) -> None:
        """Weight decay."""
        self.kept: Expr = self.theta
        self.decay: Expr = sympy.S.Zero
        if weight_decay:
            self.decay = self["weight_decay"] * self._own.get("decay_share", 1)
        if weight_decay and decoupled:
            self.kept = (1 - self.lr * self.decay) * self.theta
        elif weight_decay:
            decayed = self.gradient + self.decay * self.theta
            self.gradient = self.entry("g_decayed", decayed, "weight decay")

    def _declare(
        self, moments: Sequence[str], by_parameter: bool, shapes: Mapping[str, Sequence[Index]]
    ) -> None:
        """The leaves: the parameter, its gradient and moments, numbers of each step and of each parameter."""
        which = (K,) if (by_parameter or self._groups) and not self._matrix else ()  # one of the parameters
        at = (ROW, COLUMN) if self._matrix else (*which, Index("i"))
        self._builder, self._entry = SystemBuilder(), at
        self._updates: dict[str, str] = {}
        self._bound: dict[str, int] = {}
        self._at = {m: tuple(shapes.get(m, at)) for m in moments} | {THETA: at}

        def leaf(name: str, *along: Index, role: Role = Role.INPUT) -> Access:
            return self._builder.leaf(name, *[EXTENTS[i] for i in along], role=role)(*along)

        self.theta = self._after = leaf(THETA, *at, role=Role.PARAMETER)
        self.gradient = self._given = leaf(GRADIENT, *at)
        self._leaves = {m: leaf(m, *self._at[m], role=Role.BUFFER) for m in moments}
        self.step = self._builder.leaf(STEP, integer=True)()
        self._leaves |= {h: leaf(h, role=Role.HYPER) for h in self._hyper}
        own = dict.fromkeys(name for group in self._groups for name in group.values)
        self._own = {name: leaf(name, *which) for name in own}

    def _accumulate(self) -> None:
        """Takes the mean of K gradients for the gradient; an update counts as a step."""
        count = self._accumulated
        self._last = Guard("=", Mod(self.step, count), 0)
        together = self.entry("g_together", self["g_sum"] + self.gradient, "gradients so far")
        self._define("g_sum", where(self._last, 0, together), "gradients until there are enough")
        self._given = (self["g_sum"] + self.gradient) / count
        self.gradient = self.entry("g_mean", together / count, "mean of gradients")
        self.step = FloorDiv(self.step + count - 1, sympy.Integer(count))

    def _clip_norm(self) -> None:
        if self._matrix:  # once for all parameters, by the equations of entries
            scale = self._builder.leaf("g_scale")()
            self.gradient = self.entry("g_clipped", scale * self.gradient, "gradient, its norm clipped")
            return
        squares = self._builder.define("g_squares", [], self._given**2, "sum", self._entry, rule="‖g‖²")()
        norm = self.scalar("g_norm", sympy.sqrt(squares), "norm of all gradients")
        long = Guard("<", self["clip_norm"], norm)
        factor = long * self["clip_norm"] / norm + long.complement()
        scale = self.scalar("g_scale", factor, "at most clip_norm")
        self.gradient = self.entry("g_clipped", scale * self.gradient, "gradient, its norm clipped")

    def _clip_value(self) -> None:
        g, most = self.gradient, self["clip_value"]
        high, low = Guard("<", most, g), Guard("<", g, -most)
        inside = high.complement() * low.complement()
        bounded = high * most - low * most + inside * g
        self.gradient = self.entry("g_bounded", bounded, "gradient, its entries clipped")

    def __getitem__(self, name: str) -> Access:
        return self._leaves[name]

    def scalar(self, name: str, body: Expr, why: str) -> Access:
        """A number of this step, the same for all entries; for each parameter one where the body has."""
        which = [K] if K in free_indices(body) else []
        return self._builder.define(name, which, body, rule=why)(*which)

    def total(self, name: str, body: Expr, why: str) -> Access:
        """The sum over the entries of each parameter, of a rule that is written by parameter."""
        which = [i for i in self._entry if i == K]
        entries = [i for i in self._entry if i != K]
        return self._builder.define(name, which, body, "sum", entries, rule=why)(*which)

    def summed(self, name: str, kept: Sequence[Index], body: Expr, over: Sequence[Index], why: str) -> Access:
        """The sum over some indices, a value for each of the others."""
        return self._builder.define(name, list(kept), body, "sum", list(over), rule=why)(*kept)

    def announce(self, name: str, *shape: Expr) -> None:
        """A tensor that is read before its equation: one that rests on other elements of itself."""
        self._builder.declare(name, *shape)

    def bind(self, **sizes: int) -> None:
        """Values of sizes that are the rule's own."""
        self._bound = sizes

    def define(self, name: str, kept: Sequence[Index], body: Expr, why: str) -> Access:
        """A value for each of some indices."""
        return self._builder.define(name, list(kept), body, rule=why)(*kept)

    def entry(self, name: str, body: Expr, why: str) -> Access:
        """A value of each entry that isn't kept."""
        return self._builder.define(name, self._entry, body, rule=why)(*self._entry)

    def next(self, name: str, body: Expr, why: str) -> Access:
        """States the next value of the parameter or of a moment; where gradients are accumulated it becomes
        that with the last of them, and stays until then what it was."""
        old = self.theta if name == THETA else self[name]
        if self._accumulated == 1:
            value = self._define(name, body, why)
        else:
            value = self.define(f"{name}_new", self._at[name], body, why)
            self._define(name, where(self._last, value, old), "once there are enough gradients")
        self._after = value if name == THETA else self._after
        return value

    def _define(self, name: str, body: Expr, why: str) -> Access:
        target, at = f"{name}_next", self._at[name]
        self._updates[name] = target
        return self._builder.define(target, at, body, role=Role.NEXT, rule=why)(*at)

    def written(self) -> System:
        """The equations as they are so far, a mean of the parameters added where one is kept."""
        if "ema" in self._leaves:
            decay, after = self["ema_decay"], self._after
            past = decay * (1 - decay ** (self.step - 1)) / (1 - decay**self.step)
            share = self.scalar("ema_share", past, "share of the past in the mean")
            self.next("ema", share * self["ema"] + (1 - share) * after, "mean of the parameters, fading")
        return self._builder.system(updates=self._updates, bound=self._bound)

    def finish(self, source: str, **others: Rule) -> UpdateRule:
        """The rule; `others` are the same for parameters of another form, where it isn't one for entries."""
        system = self.written()
        forms: dict[Form, System] = {form: rule.written() for form, rule in others.items()}  # type: ignore[misc]
        if any(group.sparse for group in self._groups):
            if others or self._reads_all(system):
                raise UsageError(
                    f"{self._name} needs all of a matrix: it has no sparse steps",
                    help="leave the group out, or choose an optimizer of entries, as SparseAdam",
                )
            if self._accumulated > 1 or "ema" in self._leaves:
                raise UsageError(
                    "a sparse step leaves rows as they are: it goes with neither accumulate nor ema",
                    help="leave one of them out",
                )
            forms["rows"] = lifted(system)
        if self._bounded:
            matrix = forms.get("matrix") or lifted(system)
            forms = {"matrix": constrained(matrix, ROW), "rows": constrained(matrix, COLUMN)}
        return UpdateRule(
            self._name,
            system,
            self._hyper,
            source,
            self.settings,
            self._groups,
            forms=forms,
            follow=self._follow,
        )

    def _reads_all(self, system: System) -> bool:
        """Whether something is computed from all entries of a parameter."""
        return any(e.reduction and K in e.indices for e in system.equations)


def larger(a: Expr, b: Expr) -> Expr:
    """max(a, b)."""
    return where(Guard("<", a, b), b, a)


def sign(a: Expr) -> Expr:
    """1, 0 or −1."""
    return Guard("<", 0, a) - Guard("<", a, 0)


def magnitude(a: Expr) -> Expr:
    """|a|."""
    return where(Guard("<", a, 0), -a, a)


def not_negative(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value < 0:
            raise UsageError(f"{name} must not be negative, not {value!r}")


def positive(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or value <= 0:
            raise UsageError(f"{name} must be a positive number, not {value!r}")


def fractions(**values: Any) -> None:
    for name, value in values.items():
        if not _is_finite(value) or not 0 <= value < 1:
            raise UsageError(f"{name} must be at least 0 and below 1, not {value!r}")


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"accumulate must be a positive integer, not {value!r}")
    return value


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
