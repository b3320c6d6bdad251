"""A network: a declaration lowered to a system of named equations.

Enters: a loss, outputs and metrics as tensors, and the user's variables. Leaves: `Network`, which holds a
`symbp.ir.System`, how its parameters start, and the values of its constants.
Must not know: ops by name, derivation, targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from symbp.errors import DeclarationError, Origin, choose
from symbp.ir.labels import Choices
from symbp.ir.system import System
from symbp.ir.training import Initial
from symbp.language.layouts import Layout, layouts_of
from symbp.language.lowered.lowering import Lowering
from symbp.language.lowered.reads import within_reach
from symbp.language.lowered.remembered import remembered
from symbp.language.naming.allowed import check_name
from symbp.language.naming.frames import here
from symbp.language.node import counted, display
from symbp.language.tensor import Tensor


@dataclass(frozen=True, init=False)
class Network:
    """A declared network. `system` is its forward system in both modes; `initial` says how each parameter
    and each buffer starts; `hyper` gives the constants whose values are known; `layouts` says how parameters
    of layers lie in other libraries; `str` prints the equations.

    Raises DeclarationError: a loss that isn't scalar, names declared twice, outputs that aren't computed.
    """

    name: str
    system: System
    initial: Mapping[str, Initial]
    hyper: Mapping[str, float] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices, compare=False)
    example: Mapping[str, Any] = field(default_factory=dict, compare=False)
    layouts: Mapping[str, Layout] = field(default_factory=dict, compare=False)
    origin: Origin | None = field(default=None, compare=False)

    __hash__ = object.__hash__

    def __init__(
        self,
        name: str,
        loss: Tensor,
        outputs: Mapping[str, Tensor] | None = None,
        metrics: Mapping[str, Tensor] | None = None,
        parameters: Iterable[Tensor] = (),
        symbols: Mapping[str, str] | None = None,
        letters: Mapping[str, str] | None = None,
        example: Mapping[str, Any] | None = None,
        elements: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`parameters` lists parameters that belong to the network even if nothing reads them. On pages,
        `symbols` gives tensors their LaTeX, {"W1": r"W^{(1)}"}, and `letters` the indices along sizes,
        {"T": "t"}, as `bp.dim("T", index="t")` does; `example` gives leaves the values of a worked example,
        {"x": [[0.05, 0.10]]}, and `elements` names what is in a tensor, for a net that is written out,
        {"x": ["i1", "i2"]}.

        Raises DeclarationError: among others, two letters for the index along one size, one letter for two
        sizes, or a letter that is the name of a tensor or of a size."""
        outputs, metrics = outputs or {}, metrics or {}
        _check(name, loss, outputs, metrics)
        lowered = Lowering(loss, outputs, metrics, tuple(parameters))
        object.__setattr__(self, "name", name)
        system = remembered(within_reach(lowered.system()))
        object.__setattr__(self, "system", system)
        object.__setattr__(self, "initial", lowered.initial(system))
        object.__setattr__(self, "hyper", lowered.hyper())
        chosen = {name: one for name, one in lowered.unifier.letters.items() if name in system.sizes}
        choices = _choices(system, symbols or {}, letters or {}, chosen, elements or {})
        object.__setattr__(self, "choices", replace(choices, constants=lowered.constants()))
        object.__setattr__(self, "example", _example(system, example or {}))
        object.__setattr__(self, "layouts", layouts_of(lowered.leaves, lowered.names))
        object.__setattr__(self, "origin", here())

    @property
    def loss(self) -> str:
        """The name of the loss."""
        assert self.system.loss is not None
        return self.system.loss

    def __str__(self) -> str:
        return f"{self.name}\n{self.system}"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def _repr_markdown_(self) -> str:
        return f"```text\n{self}\n```"


def _choices(
    system: System,
    symbols: Mapping[str, str],
    letters: Mapping[str, str],
    chosen: Mapping[str, str],
    elements: Mapping[str, Sequence[str]],
) -> Choices:
    """What the author wants on pages; `chosen` are the letters that sizes were declared with. Raises
    DeclarationError: a tensor or a size that isn't there, letters that can't all be."""
    wanted = (
        ("tensor", (*symbols, *elements), system.by_name),
        ("size", tuple(letters), system.sizes),
    )
    for what, given, known in wanted:
        for name in given:
            if name not in known:
                raise DeclarationError(f"there is no {what} {name!r}", where=here(), help=choose(name, known))
    for letter in letters.values():
        check_name(letter, "an index")
    _check_letters(system, letters, chosen)
    for element in (name for names in elements.values() for name in names):
        check_name(element, "an element")
    own = {name: tuple(names) for name, names in elements.items()}
    return Choices(dict(symbols), {**chosen, **letters}, own)


def _check_letters(system: System, letters: Mapping[str, str], chosen: Mapping[str, str]) -> None:
    """Raises DeclarationError: an index that would have two letters, or share one."""
    for size, letter in letters.items():
        if chosen.get(size, letter) != letter:
            raise DeclarationError(
                f"the index along {size} has two letters, {chosen[size]} and {letter}",
                where=here(),
                help=f'leave it out of letters={{…}}, or out of bp.dim("{size}", index=…)',
            )
    owner: dict[str, str] = {}
    for size, letter in {**chosen, **letters}.items():
        taken = "a tensor" if letter in system.by_name else "a size" if letter in system.sizes else None
        if letter in owner:
            taken = f"the index along {owner[letter]}"
        if taken is not None:
            raise DeclarationError(
                f"{letter} can't be the index along {size}: it is {taken} already",
                where=here(),
                help="choose another letter, or give the other thing another name",
            )
        owner[letter] = size


def _example(system: System, example: Mapping[str, Any]) -> dict[str, Any]:
    """The values of leaves. Raises DeclarationError: a name that is no leaf."""
    leaves = [t.name for t in system.leaves]
    for name in example:
        if name not in leaves:
            raise DeclarationError(
                f"the example has a value for {name!r}, which is no leaf of the network",
                where=here(),
                help=choose(name, leaves),
            )
    return dict(example)


def _check(name: str, loss: Tensor, outputs: Mapping[str, Tensor], metrics: Mapping[str, Tensor]) -> None:
    check_name(name, "a network")
    for what, tensor in [("the loss", loss), *outputs.items(), *metrics.items()]:
        if not isinstance(tensor, Tensor):
            raise DeclarationError(f"{what} must be a tensor, not {type(tensor).__name__}", where=here())
    for what, tensor in [("the loss", loss), *((f"metric {key}", t) for key, t in metrics.items())]:
        if tensor.rank:
            raise DeclarationError(
                f"{what} must be a scalar, but {display(tensor)} has {counted(tensor.rank, 'axis', 'axes')}",
                where=here(),
                details=(f"shape: ({', '.join(map(str, tensor.shape))})", f"declared at {tensor.origin}"),
                help="take its mean or sum: (…).mean()",
            )
    for key in [*outputs, *metrics]:
        check_name(key, "an output")
    doubled = [key for key in outputs if key in metrics]
    if doubled:
        raise DeclarationError(f"{doubled[0]!r} is both an output and a metric", where=here())
