"""The validator of programs: each buffer is declared, filled once, and filled before it is read.

Enters: a program. Leaves: nothing, or a LoweringError that shows the kernel. Must not know: targets.
"""

from __future__ import annotations

from symbp.errors import LoweringError
from symbp.lower.program import Nest, Program, kernel_lines, leaf_kernels


def validate(program: Program) -> None:
    """Raises LoweringError: a buffer read before it is filled, filled twice, or not declared."""
    filled = {tensor.name for tensor in program.leaves}
    for kernel in program.kernels:
        own = set(kernel.targets)
        for name in kernel.reads:
            if name not in filled | own:
                raise LoweringError(
                    f"a kernel reads {name!r} before it is filled", details=(*kernel_lines(kernel),)
                )
        scaled = {
            s.target
            for k in leaf_kernels((kernel,))
            if isinstance(k, Nest)
            for s in k.statements
            if s.scaling
        }
        twice = sorted((own & filled) - scaled)
        if twice or not own <= program.tensors.keys():
            raise LoweringError(
                f"{twice or sorted(own)} filled twice or undeclared", details=(*kernel_lines(kernel),)
            )
        filled |= own
    missing = [tensor.name for tensor in program.buffers if tensor.name not in filled]
    if missing:
        raise LoweringError(f"no kernel fills {', '.join(missing)}")
