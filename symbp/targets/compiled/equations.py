"""The passes over equations that lead to programs.

Enters: an order, then `Equations`. Leaves: `Equations` of the same values. Must not know: targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symbp.errors import GenerationError, LoweringError, choose
from symbp.ir.expr import Size
from symbp.ir.system import Role, System
from symbp.ir.training import Initial
from symbp.lower.passes.argmax import maxima
from symbp.lower.passes.axis_order import batch_last, loops_first
from symbp.lower.passes.batch_split import Barrier, BatchSplit, split
from symbp.lower.passes.bind_sizes import counted, united, without_axis
from symbp.lower.passes.common_subexpressions import Shared, numbered, shared
from symbp.lower.passes.hoisted_products import multiplied_out
from symbp.lower.passes.window_copies import by_example, windows_once
from symbp.targets.compiled.levels import Equations
from symbp.targets.compiled.names import with_identifiers
from symbp.targets.compiled.row_blocks import row_blocks
from symbp.targets.compiled.sections.tables import globals_of
from symbp.targets.compiled.segments import LoweredNetwork, known_constants
from symbp.targets.pieces import chosen
from symbp.targets.target import Order, Pass


def with_numbers(order: Order) -> Equations:
    """The equations of an order with their numbers, where each size is called as in the module's text; its
    pieces are all that the module has.

    Raises GenerationError: a name that can't be a module's, a size that isn't the network's, a
    hyperparameter without a value, a parameter without a gradient; LoweringError: no loss to train by."""
    _check(order)
    globals_ = globals_of(t.name for t in order.derivation.system.with_role(Role.HYPER))
    derivation, sizes, initial = with_identifiers(order.derivation, order.sizes, order.initial, globals_)
    pieces = tuple(sorted(chosen(order.pieces)))
    order = replace(order, derivation=derivation, sizes=sizes, initial=initial, pieces=pieces)
    system = derivation.system
    constants = known_constants(system, order.constants)
    if order.update is not None:
        _check_training(order)
    bound = {**system.bound, **sizes}
    known = {name: bound[name] for name in system.sizes if name in bound}
    if order.update is None:
        network = LoweredNetwork(derivation, known, (), constants)
    else:
        starts = {t.name: initial.get(t.name, Initial("constant")) for t in system.with_role(Role.BUFFER)}
        values = {name: float(start.scale + start.shift) for name, start in starts.items()}
        fitted = {name: start for name, start in starts.items() if start.of}
        network = LoweredNetwork(derivation, known, (), constants, values, fitted)
    return Equations(order, network, numbered(system))


def _check(order: Order) -> None:
    derivation, known = order.derivation, order.derivation.system.sizes
    letters = derivation.name.translate({ord(mark): "x" for mark in "_ .-"})
    if derivation.name[:1] in ("", " ", ".", "-") or not (letters.isascii() and letters.isalnum()):
        raise GenerationError(
            f"{derivation.name!r} cannot name a module", help="use letters, digits, - and _"
        )
    for name, value in order.sizes.items():
        if name not in known:
            raise GenerationError(f"the network has no size {name!r}", help=choose(name, known, "its sizes"))
        if int(value) != value or value < 1:
            raise GenerationError(f"size {name} must be a positive integer, not {value}")
        if derivation.system.bound.get(name, value) != value:
            raise GenerationError(
                f"size {name} is {derivation.system.bound[name]} in the network, not {value}"
            )


def _check_training(order: Order) -> None:
    system = order.derivation.system
    if system.loss is None:
        raise LoweringError("a system without a loss has no training step")
    for parameter in system.parameters:
        if parameter.name not in order.derivation.gradients:
            raise GenerationError(
                f"the derivation holds no gradient of the parameter {parameter.name}",
                help="a training module needs the gradients of all parameters: derive without wrt",
            )


def parameter_gradients(state: Equations) -> list[str]:
    """The tensors that are gradients of parameters, each once."""
    gradients = state.network.derivation.gradients
    return list(dict.fromkeys(gradients[p.name] for p in state.network.system.parameters))


def _kept(state: Equations) -> tuple[str, ...]:
    """What callers read, whose axes stay in their order."""
    return (*state.network.system.asked, *parameter_gradients(state))


# --- passes
def _on_system(state: Equations, change: Callable[[System], System]) -> Equations:
    return replace(state, base=Shared(change(state.base.system), state.base.numbers))


def _on_base(state: Equations, change: Callable[[Shared], Shared]) -> Equations:
    return replace(state, base=change(state.base))


def without_formula_sizes(state: Equations) -> Equations:
    bound = {**state.network.system.bound, **state.network.sizes}
    return _on_system(state, lambda system: without_axis(system, bound))


def with_united_sizes(state: Equations) -> Equations:
    return _on_system(state, united)


def with_numbers_for_sizes(state: Equations) -> Equations:
    return _on_system(state, lambda system: counted(system, state.network.sizes))


def with_maxima(state: Equations) -> Equations:
    return _on_base(state, maxima)


def with_products_before_loops(state: Equations) -> Equations:
    return _on_base(state, multiplied_out)


def with_common_subexpressions(state: Equations) -> Equations:
    return _on_base(state, shared)


def with_loops_first(state: Equations) -> Equations:
    return _on_base(state, lambda base: loops_first(base, _kept(state)))


def with_batch_last(state: Equations) -> Equations:
    turned = batch_last(state.base, _kept(state), state.network.batch)
    return replace(state, base=turned, turned=turned is not state.base)


def with_window_copies(state: Equations) -> Equations:
    return _on_base(state, windows_once)


def with_examples_apart(state: Equations) -> Equations:
    return _on_base(state, lambda base: by_example(base, state.network.batch))


def with_row_blocks(state: Equations) -> Equations:
    if "blocks" not in state.order.pieces:
        return state
    if state.turned:  # calls run along the batch, so that fewer rows would make them short
        return state
    found = row_blocks(
        state.base.system, state.network.batch, parameter_gradients(state), state.network.sizes
    )
    return replace(state, blocks=found)


def with_batch_split(state: Equations) -> Equations:
    return replace(state, split=_chunked(state.base.system, state.network.batch, parameter_gradients(state)))


def _chunked(system: System, batch: str | None, gradients: Sequence[str]) -> BatchSplit | None:
    """The step in chunks of the batch, if it may be split and nothing else needs all rows at once."""
    if batch is None or system.updates or system.loss is None:
        return None
    taken = {*system.sizes, *(t.name for t in system.tensors)}
    rows = next(name for name in ("rows", "chunk_rows", "batch_rows") if name not in taken)
    wanted = [system.loss, *gradients, *system.outputs]
    apart = set(gradients) & set(system.defining) - system.resting([system.loss, *system.outputs])
    views = len(apart) == len(system.parameters)  # each gradient is a tensor of its own, filled backwards
    found = split(system, Size(batch), wanted, rows, views=views)
    if isinstance(found, Barrier):
        return None
    whole = [t for t in system.outputs if t in found.partial or found.phase.get(t) == "after"]
    return None if whole else found


NUMBERED = Pass("equations", "the equations with their numbers, sizes called as in the text", with_numbers)
FORMULA_SIZES = Pass("formula_sizes", "numbers for sizes that stand in formulas only", without_formula_sizes)
BOUND = (
    NUMBERED,
    FORMULA_SIZES,
    Pass("united_sizes", "one size for those that integers in shapes stated alike", with_united_sizes),
    Pass("bind_sizes", "numbers for the sizes that subscripts calculate with", with_numbers_for_sizes),
    Pass("argmax", "the place of a maximum found once, and gradients scattered to it", with_maxima),
)
"""With which a training module of every target begins."""
FOR_ARRAYS = (
    *BOUND,
    Pass("hoisted_products", "products moved out of loops over steps", with_products_before_loops),
    Pass("common_subexpressions", "a tensor for what stands repeatedly", with_common_subexpressions),
    Pass("loops_first", "the axes of loops over steps first in memory", with_loops_first),
    Pass("batch_last", "the batch last where calls then run along it", with_batch_last),
    Pass("window_copies", "the windows of convolutions copied once", with_window_copies),
    Pass("row_blocks", "a step over some rows of the batch at a time, where it may run so", with_row_blocks),
)
"""For targets that call functions of whole arrays."""
FOR_LOOPS = (
    *BOUND,
    Pass("window_copies", "the windows of convolutions copied once", with_window_copies),
    Pass("examples_apart", "sums over a batch's windows as sums over an example's", with_examples_apart),
    Pass("batch_split", "the equations of a chunk of the batch, where a step may run so", with_batch_split),
)
"""For targets whose own loops visit elements."""
