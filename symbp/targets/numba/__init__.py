"""Numba: matrix products by BLAS, everything else in fused loops, a whole step without Python."""

from symbp.targets.compiled import derivatives, equations, modules, programs
from symbp.targets.numba import passes
from symbp.targets.pieces import EVERYTHING, PIECES
from symbp.targets.target import Pass, Target

TARGET = Target(
    name="numba",
    engine=passes.ENGINE,
    needs=("numpy", "numba", "scipy"),
    dtypes=modules.DTYPES,
    memory="planned",
    pieces=PIECES,
    usual=EVERYTHING,
    runtime=passes.FOLDER,
    passes=(
        *equations.FOR_LOOPS,
        programs.PROGRAMS,
        programs.WHOLE_STEP,
        programs.ROWS,
        programs.MEMORY,
        Pass("lines", "the kernel of each stage, and the functions of its nests", passes.with_lines),
        Pass("update", "the function that updates the parameters", passes.with_update),
        Pass("drivers", "the functions that run stages, and chunks in parallel", passes.with_drivers),
        Pass("module", "the text, with what it carries of the runtime", passes.module),
    ),
    of_derivatives=(
        *derivatives.BEFORE,
        programs.MEMORY,
        Pass("lines", "the kernel of each stage", passes.with_lines_of_derivatives),
        Pass("drivers", "the function that runs them", passes.with_evaluation),
        Pass("module", "the text, with what it carries of the runtime", passes.module_of_derivatives),
    ),
    shown=str,
    gradients=passes.gradients,
    validate=passes.validate,
    footprint=modules.step_footprint,
)
