"""The equations of a page while they are being put into a reader's form, and how one takes another's place.

Enters: a derivation. Leaves: frozen pages: equations over tensors, each of which keeps the value that it has
in the derivation. Must not know: which forms a textbook prefers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy

from symbp.derive.derivation import Derivation
from symbp.ir.expr import Access, Expr, Index, free_indices, rename, unused_name
from symbp.ir.labels import Differential, Label
from symbp.ir.system import Equation, Role, Tensor
from symbp.read.display import Along, Reduced, bound, unused
from symbp.read.symbols import GRADIENT, differentials
from symbp.read.textbook.otherwise import read_otherwise


@dataclass(frozen=True)
class Page:
    """Equations in the order in which they are read, and the tensors that they define.

    `defined` says what tensors are that only the page has, in terms of the derivation's; `computed` what the
    computation calls helpers that may have other values there than in the declaration, and `waiting` what the
    backward pass holds that is a derivative by one of these. `declared` names what the forward pass
    defines as its author declared it.
    """

    equations: tuple[Equation, ...]
    tensors: Mapping[str, Tensor]
    kept: frozenset[str]  # tensors that are asked for, or have a name of their author's
    defined: Mapping[str, Equation] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, Differential] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    @cached_property
    def by_name(self) -> dict[str, Equation]:
        """The equation of each tensor."""
        return {e.target: e for e in self.equations}

    @cached_property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """Which equations read each tensor."""
        found: dict[str, list[str]] = {}
        for equation in self.equations:
            for name in equation.read_names:
                found.setdefault(name, []).append(equation.target)
        return {name: tuple(targets) for name, targets in found.items()}

    @cached_property
    def differentiated(self) -> frozenset[str]:
        """The tensors by which some tensor of the page is a derivative."""
        found = (self.tensors[e.target].differential for e in self.equations)
        return frozenset(name for d in found if d is not None for name in (d.by, d.of))

    def is_helper(self, name: str) -> bool:
        """Whether the page can do without the tensor: nobody named it or asked for it, and nothing is
        differentiated by it."""
        return name in self.by_name and name not in self.kept and name not in self.differentiated

    def mapped(self, change: Callable[[Equation], Equation]) -> Page:
        """The page with each equation changed."""
        return replace(self, equations=tuple(map(change, self.equations)))

    def without_unread(self) -> Page:
        """The page without helpers that nothing reads."""
        unread = {e.target for e in self.equations if self.is_helper(e.target)} - set(self.readers)
        if not unread:
            return self
        kept = tuple(e for e in self.equations if e.target not in unread)
        return replace(self, equations=kept).without_unread()


def first_page(derivation: Derivation) -> Page:
    """The forward pass as its author declared it, the backward pass as it was derived, and what of the
    computed forward pass the backward pass reads."""
    declared = derivation.declared
    forward = [] if declared.derivatives else _forward(derivation)
    names = _apart(derivation, {e.target: e for e in forward})
    system = derivation.system.renamed(names)
    backward = {e.target for e in derivation.backward}
    every = {n: d for n, d in differentials(derivation).items() if n in backward}
    other = read_otherwise(derivation, every) if forward else frozenset()
    known = {n: d.renamed(names) for n, d in every.items() if d.by not in other}
    waiting = {n: d for n, d in known.items() if d.by in names.values()}
    tensors = {t.name: t for t in (*declared.tensors, *system.tensors)}
    tensors |= {name: replace(system.by_name[name], label=None) for name in names.values()}
    tensors = {
        n: replace(t, differential=known.get(n) if n not in waiting else None) for n, t in tensors.items()
    }
    tensors |= {n: replace(tensors[n], label=Label(GRADIENT)) for n in every if n not in known}
    given = {n for n, t in tensors.items() if t.label is not None and t.label.given}
    kept = {*system.asked, *derivation.gradients.values(), *given, *_whole(tensors)}
    have = {e.target for e in forward}
    equations = (*forward, *(e for e in system.equations if e.target not in have))
    computed = {new: old for old, new in names.items()}
    as_declared = frozenset(e.target for e in forward)
    page = Page(equations, tensors, frozenset(kept), computed=computed, waiting=waiting, declared=as_declared)
    return page.without_unread()


def _whole(tensors: Mapping[str, Tensor]) -> set[str]:
    """The tensors that are derivatives, not summands of one."""
    return {n for n, t in tensors.items() if t.differential is not None and not t.differential.part}


def with_one_value(page: Page) -> Page:
    """The page with one name for a helper that has the same value in the computation as in the declaration:
    its equation reads nothing that hasn't, no shift above all, so that it was proven to be another form. What
    is waiting for one that no equation is left to read was proven before (`otherwise`)."""
    other = _shifted(page.equations, page.declared)  # in a recurrence equal step by step, if at all
    same = {n: old for n, old in page.computed.items() if n in page.by_name and n not in other}
    unread = {d.by for d in page.waiting.values()} - set(page.by_name)
    same |= {n: old for n, old in page.computed.items() if n in unread}
    if not same:
        return page
    known = {n: d.renamed(same) for n, d in page.waiting.items()}
    settled = {n: d for n, d in known.items() if d.by not in page.computed}
    tensors = {n: replace(t, differential=settled.get(n, t.differential)) for n, t in page.tensors.items()}
    equations = [_renamed(e, same) for e in page.equations if e.target not in same]
    return replace(
        page,
        equations=tuple(equations),
        tensors=tensors,
        kept=page.kept | {n for n, d in settled.items() if not d.part},
        computed={new: old for new, old in page.computed.items() if new not in same},
        waiting={n: d for n, d in known.items() if n not in settled},
    ).without_unread()


def _renamed(equation: Equation, names: Mapping[str, str]) -> Equation:
    if not any(name in names for name in equation.read_names):
        return equation
    return equation.with_(
        body=rename(equation.body, names), where=tuple(rename(g, names) for g in equation.where)
    )


def _forward(derivation: Derivation) -> list[Equation]:
    """The declared equations of what is computed, and of what these rest on."""
    declared = derivation.declared
    computed = [name for name in declared.defining if name in derivation.system.by_name]
    wanted = declared.resting(computed)
    return [e for e in declared.equations if e.target in wanted]


def _shifted(equations: Iterable[Equation], declared: Container[str]) -> set[str]:
    """What only the computation has to keep exponentials from overflowing, and all of the computation that
    reads these. The equations of the `declared` aren't among them."""
    own = [e for e in equations if e.target not in declared]
    found = {e.target for e in own if e.constant}
    while more := {e.target for e in own if e.target not in found and found & set(e.read_names)}:
        found |= more
    return found


def _apart(derivation: Derivation, declared: Mapping[str, Equation]) -> dict[str, str]:
    """Names for helpers that may have another value in the computation than in the declaration: what a
    softmax divides by is a sum of shifted exponentials there. A shift reads what counts as a constant; all
    other rewrites keep values. What is asked for has one value in both."""
    system = derivation.system
    new = {e.target for e in system.equations if e.constant and e.target not in declared}
    other = _shifted([e.with_(constant=e.target in new) for e in system.equations], ())
    taken, found = {*declared, *system.by_name}, dict[str, str]()
    for name in (e.target for e in system.equations):
        if name in other and name in declared and name not in system.asked:
            found[name] = unused_name(f"{name}_computed", taken)
    return found


def in_order(page: Page) -> Page:
    """The page with what only it defines before what reads it first."""
    order = [e.target for e in page.equations]
    for name in reversed([n for n in order if n in page.defined]):
        order.remove(name)
        readers = page.readers.get(name, ())
        first = next((k for k, target in enumerate(order) if target in readers), len(order))
        order.insert(first, name)
    return replace(page, equations=tuple(page.by_name[name] for name in order))


# --- putting a definition in the place of what it defines
def definition(equation: Equation, subscripts: tuple[Expr, ...], taken: Iterable[Index]) -> Expr:
    """The value of an element in terms of what its equation reads; bound indices are none of those taken."""
    used = {*taken, *bound(equation)} | {
        s for e in subscripts for s in e.free_symbols if isinstance(s, Index)
    }
    apart: dict[Index, Index] = {}
    for index in bound(equation):
        if index not in equation.indices:
            apart[index] = unused({*used, *apart.values()}, index)
    first = {i: unused({*used, *apart.values()}, Index(f"{i.name}x")) for i in equation.indices}
    body = _selected(equation, subscripts).xreplace(apart | first)
    if equation.reduction is not None:
        indices = [apart[i] for i in equation.reduced]
        extents = [equation.extents[i] for i in equation.reduced]
        where = [g.xreplace(apart | first) for g in equation.where]
        body = Reduced(equation.reduction.op, body, indices, extents, where)
    return body.xreplace({first[i]: s for i, s in zip(equation.indices, subscripts, strict=True)})


def _selected(equation: Equation, subscripts: tuple[Expr, ...]) -> Expr:
    """The body, with a softmax of which one element is read, of a label or on the diagonal, as
    exp(u − logsumexp u): softmax_n(a[n,n]) doesn't say whether it is of a row or of a column."""
    indices = Counter(i for s in subscripts for i in free_indices(s))
    plain = {i for i, s in zip(equation.indices, subscripts, strict=True) if isinstance(s, Index)}
    fixed = {i for i, s in zip(equation.indices, subscripts, strict=True) if i not in plain or indices[s] > 1}
    written: dict[Expr, Expr] = {}
    for node in equation.body.atoms(Along):
        if node.index in fixed:
            inner = unused({*bound(equation)}, node.index)
            there = {node.index: inner}
            conditions = [g.xreplace(there) for g in node.where]
            total = Reduced("logsumexp", node.body.xreplace(there), [inner], [node.extent], conditions)
            logarithm = node.body - total
            value = logarithm if node.function == "log_softmax" else sympy.exp(logarithm)
            written[node] = sympy.Mul(value, *node.where)
    return equation.body.xreplace(written)


def inlined(equation: Equation, definitions: Mapping[str, Equation]) -> Equation:
    """The equation with these definitions in the place of every element of what they define that it reads
    within its range; once, so what they read stays."""

    def put(e: Expr) -> Expr:
        access = next((a for a in _accesses_in_order(e) if a.name in definitions and a.outside is None), None)
        if access is None:
            return e
        value = definition(definitions[access.name], access.subscripts, taken)
        taken.update(bound(equation.with_(body=value, reduction=None, ranges=(), indices=())))
        return put(e.xreplace({access: value}))

    taken = set(bound(equation))
    return equation.with_(body=put(equation.body), where=tuple(put(g) for g in equation.where))


def _accesses_in_order(e: Expr) -> list[Access]:
    return sorted(e.atoms(Access), key=sympy.default_sort_key)


def size(e: Expr) -> int:
    """How many things a reader has to read: tensors, numbers, signs."""
    if isinstance(e, Access):
        return 1
    if isinstance(e, (Reduced, Along)):
        return 1 + size(e.body)
    if not e.args:
        return 1
    return 1 + sum(size(a) for a in e.args)


def is_backward(tensor: Tensor) -> bool:
    """Whether the tensor belongs to the backward pass."""
    return tensor.role in (Role.ADJOINT, Role.GRADIENT)
