"""A compiled step of any network of the gallery allocates nothing, by Numba's own count of allocations."""

import functools

import numpy as np
import pytest

import symbp as bp
from symbp.cli.data import sizes_of
from symbp.gallery import GALLERY, find

pytestmark = pytest.mark.slow
STEPS, BATCH = 5, 16
ENTRIES = ("_train_step", "_train_step_in_chunks", "_draw_bernoulli", "_draw_uniform", "_draw_normal")


@functools.cache
def compiled(name):
    exhibit = find(name).load()
    read = [t.name for t in exhibit.net.system.leaves]
    data = {key: array for key, array in exhibit.data().items() if key in read}
    sizes = sizes_of(exhibit.net.system, data, {})
    module = bp.compile(exhibit.net, target="numba", optimizer=exhibit.optimizer, sizes=sizes)
    return module, {key: array[:BATCH] for key, array in data.items()}


def counted(module):
    """The arrays that Python hands to compiled code; each costs one allocation, of a note about its owner."""
    handed = []

    def counting(function):
        def call(*arguments):
            handed.append(sum(isinstance(a, np.ndarray) for a in arguments))
            return function(*arguments)

        return call

    for name in ENTRIES:
        if hasattr(module, name):
            setattr(module, name, counting(getattr(module, name)))
    return handed


def allocations():
    from numba.core.runtime import _nrt_python, rtsys

    _nrt_python.memsys_enable_stats()
    return rtsys.get_allocation_stats()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", GALLERY)
def test_a_compiled_step_allocates_nothing(name, threads):
    module, data = compiled(name)
    state = module.init_state(module.init_params(3), seed=3, threads=threads)
    for _ in range(2):  # compiles, and makes the workspaces
        module.train_step(state, **data)
    handed, before = counted(module), allocations()
    for _ in range(STEPS):
        module.train_step(state, **data)
    after = allocations()
    assert handed
    assert after.alloc - before.alloc == sum(handed)
    assert after.free - before.free == sum(handed)
