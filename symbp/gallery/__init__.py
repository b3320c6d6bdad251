"""The gallery: complete networks, each a short file that a user would copy.

Enters: a name. Leaves: the network with its training settings, and the file that declares it.
Must not know: how anything is derived, emitted or trained.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.errors import UsageError, choose

if TYPE_CHECKING:
    from symbp.ir.training import UpdateRule
    from symbp.language.network import Network


@dataclass(frozen=True)
class Exhibit:
    """A network of the gallery and how to train it; small ones, whose use is their numbers, aren't
    trained."""

    name: str
    net: Network
    epochs: int | None = None
    batch_size: int | None = None
    optimizer: UpdateRule | None = None
    data: Callable[[], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Entry:
    """A file of the gallery: its name, what it shows in one line, and the data set of
    `symbp.data` that it learns; the little nets of chapters learn none."""

    name: str
    shows: str
    data: str | None = None

    @property
    def file(self) -> Path:
        """Where it is declared."""
        return Path(__file__).parent.joinpath(*self._room, f"{self.name}.py")

    @property
    def _room(self) -> tuple[str, ...]:
        """The folder in which it stands."""
        return () if self.data else ("chapters",)

    def load(self) -> Exhibit:
        """Declares the network."""
        module = importlib.import_module(".".join(("symbp.gallery", *self._room, self.name)))
        if self.data is None:
            return Exhibit(self.name, module.net)
        return Exhibit(self.name, module.net, module.EPOCHS, module.BATCH, module.optimizer, module.data)


GALLERY: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("neuron", "one neuron as a circuit of gates, each with its own derivative", "clouds"),
        Entry("linear_regression", "the gradient that everybody knows, found by itself", "line"),
        Entry("logistic_regression", "sigmoid and loss meet, and leave p − y", "clouds"),
        Entry("mlp", "one hidden layer of tanh units reads handwritten digits", "digits"),
        Entry("autoencoder", "digits through a bottleneck and back, without labels", "digits"),
        Entry("vae", "gradients through a random draw", "digits"),
        Entry("cnn", "convolution and pooling read handwritten digits", "digit_images"),
        Entry("resnet_mlp", "residual blocks, all of them one equation over the layer", "spirals"),
        Entry("char_rnn", "a text character by character: time as an index", "characters"),
        Entry("char_lstm", "gates that keep a gradient through time", "characters"),
        Entry("char_gru", "a state that is a weighted mean of old and new", "characters"),
        Entry("gpt", "a transformer adds numbers written in digits, or learns any text", "sums"),
        Entry("word2vec", "word vectors, of which a step changes only those in its batch", "skip_grams"),
        Entry("ctc", "words read from recordings: a sum over all alignments", "strokes"),
        Entry("crf", "kinds of words in sentences; forward-backward as a derivative", "tags"),
        Entry("pinn", "a differential equation solved: the net differentiated inside the loss", "times"),
        Entry("contrastive", "two views of a digit find each other among all of the batch", "digit_views"),
        Entry("moe", "a gate weighs small networks, each good at a part of the plane", "spirals"),
        Entry("ssm", "a linear scan over time tells waves by their frequency", "waves"),
        Entry("circuit", "f = (x + y)·z: what a sum and a product do to a gradient"),
        Entry("circuit_neuron", "a sigmoid neuron gate by gate, with the numbers of CS231n"),
        Entry("neuron_tanh", "a tanh neuron, with the numbers of micrograd"),
        Entry("neuron_corrected", "an output of 0.521 that should be 1, corrected step by step"),
        Entry("sigmoid_2_2_2", "two layers of two units, with the numbers everybody checks against"),
        Entry("softmax_regression", "softmax and cross-entropy alone: p minus one at the right class"),
        Entry("lstm_cell", "one step of an LSTM, each gate with its own weights"),
        Entry("gru_cell", "one step of a GRU, a gate inside of a gate"),
        Entry("attention", "one head over three words: queries, keys and values"),
        Entry("batch_norm", "a gradient through a mean goes to every example"),
        Entry("layer_norm", "what a normalised vector takes from its gradient"),
        Entry("dropout", "a mask hides a unit from the gradient, too"),
        Entry("conv", "both gradients of a convolution are convolutions"),
    )
}


def find(name: str) -> Entry:
    """The entry of that name. Raises UsageError, with the known names, if there is none."""
    if name not in GALLERY:
        raise UsageError(f"the gallery has no {name!r}", help=choose(name, GALLERY))
    return GALLERY[name]
