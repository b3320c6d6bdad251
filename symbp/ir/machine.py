"""What things cost on a machine, in one place: the constants behind every choice of a form, kernel or block.

Enters: nothing. Leaves: numbers. Must not know: what is chosen by them.

`python -m benchmarks.machine` measures them with NumPy, in the same units, each beside its value here. They
are rounded, and stay as they are wherever code is generated: a choice may not depend on the machine.
"""

from __future__ import annotations

# One element of a pass, in additions that stay in registers. Ranks forms of an equation
# (`derive.search.cost`). Passes of NumPy read and store: the script gives sums of these.
READ = 0.3  # an operand of a pass, from the cache
GATHER = 0.5  # an operand at computed positions
GUARD = 0.6  # a comparison
STORE = 0.4  # the result
MATERIALISE = 0.8  # a store and a read, and the memory: an operand that is computed before a product
DIVIDE = 2.5
ROOT = 6.0
FUNCTION = 8.0  # exp, log, tanh

# Machine balance. Ranks the ways to put stages of a training step together (`targets.compiled.programs`).
BALANCE = 16  # operations in the time that one element takes to memory or back

# Calls and caches, in elements of float32.
CALL = 200  # elements copied in the time that a product takes to start (`lower.select.contraction`)
SMALL = 1 << 14  # elements up to which a call costs more than memory (`lower.passes.common_subexpressions`)
CACHED = 1 << 18  # elements that stay in a core's cache: 1 MB (`targets.compiled`)
WORTH_A_CALL = 1 << 17  # elements that a block must hold, so that its calls don't count (`targets.compiled`)
BLOCK = 1 << 14  # entries of each of five operands that stay in the cache: 320 KB (`targets.numpy.update`)
LINE = 16  # elements in a cache line (`lower.memory.plan`)
