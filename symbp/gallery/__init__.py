"""The gallery: complete networks, each a short file that a user would copy.

Enters: a name. Leaves: the network with its training settings, and the file that declares it.
Must not know: how anything is derived, emitted or trained.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symbp.errors import UsageError

if TYPE_CHECKING:
    from symbp.ir.training import UpdateRule
    from symbp.language.network import Network


@dataclass(frozen=True)
class Exhibit:
    """A network of the gallery and how to train it."""

    name: str
    net: Network
    epochs: int
    batch_size: int
    optimizer: UpdateRule


@dataclass(frozen=True)
class Entry:
    """A file of the gallery: its name, what it shows in one line, and the data set that it learns."""

    name: str
    shows: str
    data: str

    @property
    def file(self) -> Path:
        """Where it is declared."""
        return Path(__file__).with_name(f"{self.name}.py")

    def load(self) -> Exhibit:
        """Declares the network."""
        module = importlib.import_module(f"symbp.gallery.{self.name}")
        return Exhibit(self.name, module.net, module.EPOCHS, module.BATCH, module.optimizer)


GALLERY: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (Entry("mlp", "one hidden layer of tanh units reads handwritten digits", "digits"),)
}


def find(name: str) -> Entry:
    """The entry of that name. Raises UsageError, with the known names, if there is none."""
    if name not in GALLERY:
        raise UsageError(f"the gallery has no {name!r}", help="choose one of: " + ", ".join(GALLERY))
    return GALLERY[name]
