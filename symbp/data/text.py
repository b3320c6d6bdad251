"""Text as integers: characters, and words in their contexts.

Enters: a text, the embedded one by default. Leaves: mappings from names to arrays, one row an example.
Must not know: networks, which array means what.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources

import numpy as np

from symbp.data.reading import Data
from symbp.errors import DataError

NOTHING = 0  # the class of what counts as nothing: padding, positions that are not to be predicted


def play() -> str:
    """The beginning of The Tragedy of Coriolanus (Shakespeare, about 1608), 60 kB of plain text."""
    return resources.files(__package__).joinpath("files/coriolanus.txt").read_text(encoding="utf-8")


def alphabet(text: str) -> list[str]:
    """The characters of a text, sorted; character k has the number k + 1, and 0 stands for nothing."""
    return sorted(set(text))


def characters(text: str | None = None, length: int = 64) -> Data:
    """A text in consecutive pieces of `length` characters: `x` (pieces, length) are their numbers in
    `alphabet(text)`, `y` those of the characters that follow. Raises DataError: a text too short for two."""
    from symbp.runtime.common.reading.texts import _characters

    text = play() if text is None else text
    if (len(text) - 1) // length < 2:
        raise DataError(
            f"a text of {len(text)} characters is too short for pieces of {length}",
            help=f"give at least {2 * length + 1} characters",
        )
    return _characters(text, "".join(alphabet(text)), length)


def skip_grams(text: str | None = None, words: int = 400, window: int = 2, negatives: int = 5) -> Data:
    """Each word of a text with each that stands up to `window` places from it, among its most frequent
    `words`: `centre` and `context` (pairs,), numbered by frequency, and `others` (pairs, negatives), drawn by
    frequency to the power ¾ (Mikolov et al. 2013, section 2.2)."""
    found = re.findall(r"[a-z]+(?:'[a-z]+)?", (play() if text is None else text).lower())
    ranked = sorted(Counter(found).items(), key=lambda entry: (-entry[1], entry[0]))[:words]
    number = {word: k for k, (word, _) in enumerate(ranked)}
    kept = np.array([number[word] for word in found if word in number])
    pairs = [(kept[:-d], kept[d:]) for d in range(1, window + 1)]
    centre = np.concatenate([side for first, second in pairs for side in (first, second)])
    context = np.concatenate([side for first, second in pairs for side in (second, first)])
    weights = np.array([count for _, count in ranked], float) ** 0.75
    draw = np.random.default_rng(0)
    others = draw.choice(len(ranked), size=(len(centre), negatives), p=weights / weights.sum())
    return {"centre": centre, "context": context, "others": others}


def sums(digits: int = 2) -> Data:
    """Every sum of two numbers of so many digits, as characters: "37+45=082" for two digits. `x` and `y`
    (10^(2·digits), 3·digits + 2) are the line without its last and without its first character, numbered
    0 for nothing, then the digits, + and =; in `y` only the result counts, the rest is 0."""
    many = 10**digits
    first, second = np.divmod(np.arange(many * many), many)
    lines = [f"{a:0{digits}}+{b:0{digits}}={a + b:0{digits + 1}}" for a, b in zip(first, second, strict=True)]
    numbers = np.array([[1 + "0123456789+=".index(c) for c in line] for line in lines])
    y = numbers[:, 1:].copy()
    y[:, : 2 * digits + 1] = NOTHING
    return {"x": numbers[:, :-1], "y": y}
