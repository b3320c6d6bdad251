"""What the names in somebody's code stand for: tensors of a network, and derivatives of its loss.

Enters: a reference, what a user said of names. Leaves: for each name the tensors that may be meant.
Must not know: values, or how code is run.

A name counts as it is written, else without regard to case and underscores where that leaves one. `z1` is
what the page calls a1, too: textbooks differ in whether the bias belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symbp.verify.against.answer import Kind
from symbp.verify.against.reference import Reference
from symbp.verify.grading.names import word

DERIVATIVE = (
    r"d(?:L|l|loss|Loss|J|C|E|cost)_?(?:/|_by_|_wrt_)?_?d_?(?P<by>.+)",
    r"(?:∂|∇|nabla_?)(?:L|loss|ℒ)?(?:/∂)?_?(?P<by>.+)",
    r"(?P<by>.+)\.grad",
    r"grads?(?:ient)?_?(?:of|wrt|by)?_?(?P<by>.+)",
    r"(?P<by>.+?)_?(?:grads?|gradient|bar|adjoint)",
    r"(?:d|D|g|delta|δ)_?(?P<by>.+)",
)


@dataclass(frozen=True)
class Meaning:
    """A tensor of the reference that a name may stand for."""

    kind: Kind
    tensor: str


@dataclass(frozen=True)
class Spelled:
    """The names of a network as code may write them; `said` maps names of the code to the network's."""

    reference: Reference
    said: Mapping[str, str] = field(default_factory=dict)

    __hash__ = object.__hash__

    @cached_property
    def _exact(self) -> dict[str, list[str]]:
        """Tensors of the forward pass by their author's names, then by the page's."""
        found: dict[str, list[str]] = {}
        system = self.reference.forward
        for name in system.by_name:
            found.setdefault(name, []).append(name)
        for name, symbol in self.reference.sheet.reading.symbols.text.items():
            if name in system.by_name and word(symbol) not in system.by_name:
                found.setdefault(word(symbol), []).append(name)
        for plain in [*found]:
            sums = re.fullmatch(r"([az])(\d*)", plain)
            if sums is not None:
                other = ("z" if sums[1] == "a" else "a") + sums[2]
                new = [t for t in found[plain] if t not in found.get(other, ())]
                if other not in found or sums[1] == "a":
                    found.setdefault(other, []).extend(new)
        return found

    @cached_property
    def _folded(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, list[str]]] = {}
        for plain, tensors in self._exact.items():
            found.setdefault(_fold(plain), {})[plain] = tensors
        return {key: next(iter(ways.values())) for key, ways in found.items() if len(ways) == 1}

    def tensors(self, name: str, *, exactly: bool = False) -> list[str]:
        """The tensors of the forward pass that a name may stand for."""
        told = self.said.get(name, name)
        if told != name and told in self._exact:
            return self._exact[told]
        if name in self._exact or exactly:
            return self._exact.get(name, [])
        return self._folded.get(_fold(name), []) or self._alone(name)

    def _alone(self, name: str) -> list[str]:
        """The tensors of a name with a number behind it, where there is but one such number: h, for h1."""
        numbered = [plain for plain in self._exact if re.fullmatch(rf"{re.escape(name)}_?\d+", plain)]
        return self._exact[numbered[0]] if len(numbered) == 1 else []

    def derivatives(self, name: str) -> list[str]:
        """The derivatives of the loss that a name with a mark of one may stand for."""
        ways = [m["by"] for pattern in DERIVATIVE if (m := re.fullmatch(pattern, name)) is not None]
        for exactly in (True, False):
            for by in ways:
                found = self._adjoints(self.tensors(by, exactly=exactly))
                if found:
                    return found
        return []

    def _adjoints(self, tensors: list[str]) -> list[str]:
        found = [self.reference.adjoint(tensor) for tensor in tensors]
        return [*dict.fromkeys(tensor for tensor in found if tensor is not None)]

    def kept(self, name: str) -> list[Meaning]:
        """What a name means beside gradients: a tensor, else a derivative."""
        if name in self.said:
            return self.told(self.said[name])
        values = [Meaning("value", t) for t in self.tensors(name, exactly=True)]
        if values:
            return values
        return [self._derivative(t) for t in self.derivatives(name)] or [
            Meaning("value", t) for t in self.tensors(name)
        ]

    def gradient(self, name: str, *, marked: bool) -> list[Meaning]:
        """What a name means among gradients: `marked`, if those by parameters have a mark there (dW1), so
        that a plain name is a value."""
        if name in self.said:
            return self.told(self.said[name], gradient=True)
        plain = self.tensors(name, exactly=True)
        if plain and not marked:
            return [self._derivative(t) for t in self._adjoints(plain)]
        found = [self._derivative(t) for t in self.derivatives(name)]
        if found and not plain:
            return found
        if marked:
            return [Meaning("value", t) for t in plain or self.tensors(name)]
        return [self._derivative(t) for t in self._adjoints(self.tensors(name))]

    def told(self, name: str, *, gradient: bool = False) -> list[Meaning]:
        """What the user's own name for something means: `dW1`, `W1`, `h`."""
        values = self.tensors(name)
        if values and not gradient:
            return [Meaning("value", t) for t in values]
        found = self.derivatives(name) or self._adjoints(values)
        return [self._derivative(t) for t in found]

    def is_marked(self, name: str) -> bool:
        """Whether a name is that of a gradient by a parameter with a mark."""
        tensors = self.derivatives(name)
        return any(self.reference.is_parameter(t) for t in tensors) and not self.tensors(name, exactly=True)

    def _derivative(self, tensor: str) -> Meaning:
        return Meaning("gradient" if self.reference.is_parameter(tensor) else "adjoint", tensor)


def _fold(name: str) -> str:
    return name.casefold().replace("_", "")
