"""The gallery's networks for the tests beside this file: derived once, compiled once for each target."""

import functools

import pytest
from derived_once import of_gallery

import symbp as bp
from symbp.cli.data import sizes_of
from symbp.gallery import GALLERY, find

# something of each kind, soon derived: dense, a scatter, a recurrence over time with labels, sampled pairs
QUICK = ("mlp", "char_rnn", "crf", "word2vec")
TRAINED = [name for name, entry in GALLERY.items() if entry.data is not None]
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TRAINED]


@functools.cache
def derived(name):
    """(its file, the data that it reads, its derivation, the sizes that the data show)"""
    exhibit = find(name).load()
    read = [t.name for t in exhibit.net.system.leaves]
    data = {key: array for key, array in exhibit.data().items() if key in read}
    return exhibit, data, of_gallery(name), sizes_of(exhibit.net.system, data, {})


@functools.cache
def module(name, target, dtype="float64"):
    exhibit, _, derivation, sizes = derived(name)
    return bp.compile(
        exhibit.net,
        derivation=derivation,
        target=target,
        dtype=dtype,
        optimizer=exhibit.optimizer,
        sizes=sizes,
    )


def batch(name, rows, *, among=32):
    """The first examples of its data, as many as asked for, over and over."""
    found = module(name, "numpy")
    data = derived(name)[1]
    return {key: found._as_dtype(key, array[[k % among for k in range(rows)]]) for key, array in data.items()}
