"""Which equations a textbook writes as one.

Enters: pages. Leaves: pages with fewer equations, of the same values. Must not know: how anything is spelled.

A softmax is one formula. z = Σ x·W, read once, as z + b, is a = Σ x·W + b: where ∂ℓ/∂z stands on the page it
is ∂ℓ/∂a, since a − z doesn't depend on z. What nobody named and what is short or read once stands where it
is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy

from symbp.ir.expr import Access, Expr, Guard, Index, IntegerAccess, unused_name, value_accesses
from symbp.ir.labels import Label
from symbp.ir.system import Equation, Role, Tensor
from symbp.read.display import Along, Reduced, bound
from symbp.read.textbook.functions import activation, exponential, log_softmax, named, place_of
from symbp.read.textbook.page import Page, inlined, is_backward, size

SHORT = 6  # a helper of so few parts stands where it is read, however often
LONG = 14  # one of so many has an equation of its own even if it is read once


# --- functions across equations
def with_functions(page: Page) -> Page:
    """The page with named functions; the exponentials and sums behind them are gone where nothing else reads
    them."""
    helpers = {e.target: e for e in page.equations if page.is_helper(e.target) and _is_exponential(page, e)}

    def change(equation: Equation) -> Equation:
        plain = equation.with_(body=named(activation(equation.body), bound(equation)))
        if equation.target in helpers or not set(equation.read_names) & set(helpers):
            return plain
        whole = equation
        while set(whole.read_names) & set(helpers):
            before, whole = whole, inlined(whole, helpers)
            if before == whole:
                return plain  # a read beyond a range
        body = named(_within(whole, page), bound(whole))
        left = [r for r in body.atoms(Reduced) if r.op == "sum" and exponential(r.body) is not None]
        return plain if left else whole.with_(body=body)

    return page.mapped(change).without_unread()


def _within(equation: Equation, page: Page) -> Expr:
    """The body without a value beyond the range for reads that are within it."""
    extents = bound(equation)

    def inside(access: Access) -> bool:
        shape = page.tensors[access.name].shape
        return all(extents.get(s) == e for s, e in zip(access.subscripts, shape, strict=True))

    known = [a for a in equation.body.atoms(Access) if a.outside is not None and inside(a)]
    return equation.body.xreplace({a: type(a)(a.name, *a.subscripts) for a in known})


def _is_safe(page: Page, equation: Equation) -> bool:
    """Whether an equation is s + [s = 0], for the sum s of another."""
    terms = equation.body.args if equation.body.is_Add else ()
    for total in terms:
        if isinstance(total, Access) and total.name in page.by_name and page.is_helper(total.name):
            rest = equation.body - total
            if rest == Guard("=", total, sympy.Integer(0)):
                return _is_exponential(page, page.by_name[total.name])
    return False


def _is_exponential(page: Page, equation: Equation) -> bool:
    """Whether an equation is exp(…), under conditions, or a sum of such."""
    if equation.op is None:
        return exponential(equation.body) is not None or _is_safe(page, equation)
    if equation.op != "sum":
        return False
    body = equation.body
    if isinstance(body, Access) and body.name in page.by_name and page.is_helper(body.name):
        inner = page.by_name[body.name]
        return inner.op is None and exponential(inner.body) is not None
    return exponential(body) is not None


def with_saved_functions(page: Page) -> Page:
    """The page with the name of a tensor wherever the softmax or the logsumexp stands that defines it, and
    with one name for what differs by its sign only."""
    for name in [e.target for e in page.equations]:
        equation = page.by_name[name]
        if isinstance(equation.body, Along) and equation.op is None:
            page = page.mapped(_saving(page, equation))
        elif _is_logsumexp(equation.body) and equation.op is None:
            page = page.mapped(_saving_total(page, equation))
    for name in [e.target for e in page.equations]:
        page = _under_one_name(page, name)
    return page


def with_log_softmax(page: Page) -> Page:
    """The page with log_softmax where a logsumexp is subtracted from what it is of."""
    totals = {
        e.target: e
        for e in page.equations
        if page.is_helper(e.target) and e.op is None and _is_logsumexp(e.body)
    }

    def change(equation: Equation) -> Equation:
        reads = [a for a in equation.body.atoms(Access) if a.name in totals]
        if not equation.body.is_Add or not any(-a in equation.body.args for a in reads):
            return equation
        whole = inlined(equation, totals)
        body = log_softmax(whole.body, bound(whole))
        return equation.with_(body=body) if isinstance(body, Along) else equation

    return page.mapped(change).without_unread()


def _is_logsumexp(body: Expr) -> bool:
    return isinstance(body, Reduced) and body.op == "logsumexp"


def _saving_total(page: Page, saved: Equation) -> Callable[[Equation], Equation]:
    """The name of a logsumexp where it stands with the same indices."""
    tensor, wanted = page.tensors[saved.target], _unbound(saved.body)

    def change(equation: Equation) -> Equation:
        if equation.target == saved.target or not set(saved.indices) <= set(bound(equation)):
            return equation
        nodes = [r for r in equation.body.atoms(Reduced) if r.op == "logsumexp" and _unbound(r) == wanted]
        return equation.with_(body=equation.body.xreplace(dict.fromkeys(nodes, tensor.at(*saved.indices))))

    return change


def _unbound(total: Expr) -> Expr:
    """The same with indices of its own that are called by their places."""
    assert isinstance(total, Reduced)
    return total.xreplace({index: Index(f"__{k}") for k, index in enumerate(total.indices)})


def _under_one_name(page: Page, name: str) -> Page:
    """The page with −t for a helper h where t = −h is an equation of the page, and t by h's definition."""
    equation = page.by_name.get(name)
    if equation is None or equation.op is not None or is_backward(page.tensors[name]):
        return page
    (helper,) = equation.body.atoms(Access) if len(equation.body.atoms(Access)) == 1 else (None,)
    if helper is None or not page.is_helper(helper.name) or helper.subscripts != equation.indices:
        return page
    if equation.body != -helper or helper.outside is not None or page.by_name[helper.name].op is not None:
        return page
    tensor, definition = page.tensors[name], page.by_name[helper.name]
    renamed = dict(zip(definition.indices, equation.indices, strict=True))

    def change(e: Equation) -> Equation:
        if e.target == name:
            return equation.with_(body=-definition.body.xreplace(renamed))
        return e.with_(body=_negated(e.body, helper.name, tensor))

    reads = [a for e in page.equations for a in e.reads if a.name == helper.name]
    if any(a.outside is not None for a in reads) or any(helper.name in _inner(e) for e in page.equations):
        return page
    return page.mapped(change).without_unread()


def _negated(body: Expr, helper: str, tensor: Tensor) -> Expr:
    """The expression with −t for the helper, and [t < c] for [−t > −c]."""
    if isinstance(body, Guard) and any(a.name == helper for a in body.atoms(Access)):
        lhs, rhs = (_negated(side, helper, tensor) for side in (body.lhs, body.rhs))
        if all(side.is_number or side.could_extract_minus_sign() for side in (lhs, rhs)):
            op = body.op
            return Guard({"<": ">", "<=": ">="}.get(op, op), -lhs, -rhs)
        return Guard(body.op, lhs, rhs)
    if isinstance(body, Access):
        return -tensor.at(*body.subscripts) if body.name == helper else body
    if not body.args or not any(a.name == helper for a in body.atoms(Access)):
        return body
    args = [_negated(a, helper, tensor) if isinstance(a, sympy.Expr) else a for a in body.args]
    return body.func(*args)


def _saving(page: Page, saved: Equation) -> Callable[[Equation], Equation]:
    tensor = page.tensors[saved.target]

    def change(equation: Equation) -> Equation:
        if equation.target == saved.target:
            return equation
        found = {
            node: tensor.at(*there) for node in equation.body.atoms(Along) if (there := place_of(saved, node))
        }
        return equation.with_(body=equation.body.xreplace(found)) if found else equation

    return change


# --- sums with what is added to them
def with_offsets(page: Page) -> Page:
    """Sums of products that are read once, in a sum, as part of that sum."""
    for name in [e.target for e in page.equations]:
        page = _offset(page, name)
    return page


def _offset(page: Page, name: str) -> Page:
    equation, readers = page.by_name[name], page.readers.get(name, ())
    if name in page.kept or len(readers) != 1 or not _is_product_sum(equation):
        return page
    (reader,) = readers
    into = page.by_name[reader]
    if into.op is not None or reader == name or is_backward(page.tensors[reader]):
        return page
    reads = [a for a in into.body.atoms(Access) if a.name == name]
    if len(reads) != 1 or reads[0].outside is not None or not set(reads[0].subscripts) <= set(into.indices):
        return page
    total = _total_with(into.body, reads[0])
    if total is None:
        return page
    if total != into.body:
        page, into = _split(page, into, total, page.tensors[name])
    if name in page.differentiated:
        if into.target in page.differentiated:
            return page
        page = _differentiated_by(page, name, into.target)
    merged = inlined(into, {name: equation})
    return page.mapped(lambda e: merged if e.target == into.target else e).without_unread()


def _is_product_sum(equation: Equation) -> bool:
    reads = [a for a in value_accesses(equation.body) if not isinstance(a, IntegerAccess)]
    return equation.op == "sum" and len(reads) > 1 and not equation.body.is_Add


def _total_with(e: Expr, access: Access) -> Expr | None:
    """The sum in which an access stands as a term."""
    if e.is_Add and access in e.args:
        return e
    found = (_total_with(a, access) for a in e.args if isinstance(a, sympy.Expr) and a.has(access))
    return next((f for f in found if f is not None), None)


def _split(page: Page, equation: Equation, total: Expr, of: Tensor) -> tuple[Page, Equation]:
    """The page with an equation of its own for a sum within another's body."""
    number = of.label.number if of.label is not None else None
    name = unused_name("a" if number is None else f"a{number}", page.tensors)
    indices = tuple(i for i in equation.indices if i in total.free_symbols)
    ranges = tuple(equation.extents[i] for i in indices)
    tensor = Tensor(name, ranges, Role.HIDDEN, label=Label("a", number))
    new = Equation(name, indices, total, ranges=ranges, rule=equation.rule)
    rest = equation.with_(body=equation.body.xreplace({total: tensor.at(*indices)}))
    lines: list[Equation] = []
    for line in page.equations:
        lines += [new, rest] if line.target == equation.target else [line]
    made = replace(
        page,
        equations=tuple(lines),
        tensors={**page.tensors, name: tensor},
        defined={**page.defined, name: new},
    )
    return made, new


def _differentiated_by(page: Page, old: str, new: str) -> Page:
    """The page on which what was a derivative by one tensor is the same derivative by another."""
    tensors = dict(page.tensors)
    for name, tensor in page.tensors.items():
        what = tensor.differential
        if what is not None and what.by == old:
            tensors[name] = replace(tensor, differential=replace(what, by=new))
    return replace(page, tensors=tensors)


# --- helpers in the place where they are read
def without_helpers(page: Page) -> Page:
    """The page without helpers that are short, or read once."""
    for name in [e.target for e in page.equations]:
        if name in page.by_name and page.is_helper(name) and _stands_for_itself(page, name):
            definitions = {name: page.by_name[name]}
            page = page.mapped(_putting(name, definitions)).without_unread()
    return page


def _putting(name: str, definitions: dict[str, Equation]) -> Callable[[Equation], Equation]:
    return lambda e: inlined(e, definitions) if name in e.read_names else e


def _stands_for_itself(page: Page, name: str) -> bool:
    """Whether a helper's definition may stand wherever the helper does."""
    equation = page.by_name[name]
    readers = [page.by_name[r] for r in page.readers.get(name, ())]
    reads = [a for r in readers for a in r.reads if a.name == name]
    if name in equation.read_names or any(a.outside is not None for a in reads):
        return False
    if page.tensors[name].integer or any(name in _inner(r) for r in readers):
        return False
    what = page.tensors[name].differential
    if what is not None and what.part:
        return True
    most = LONG if len(reads) == 1 else SHORT
    if equation.op is None:
        once = len(reads) == 1 or not _is_function(equation.body)
        return once and not equation.body.has(Reduced) and size(equation.body) <= most
    into_maps = all(r.op is None for r in readers)
    return is_backward(page.tensors[name]) and into_maps and len(reads) < 3 and size(equation.body) <= most


def _is_function(body: Expr) -> bool:
    """Whether a body is a function of something: an activation, which a course gives a letter."""
    return bool(body.is_Function) or isinstance(body, Along)


def _inner(equation: Equation) -> set[str]:
    """What an equation reads in subscripts, conditions or beyond a range."""
    found: set[str] = set()
    for access in equation.reads:
        for part in (*access.subscripts, *([] if access.outside is None else [access.outside])):
            found |= {a.name for a in part.atoms(Access)}
    return found
