"""NumPy at speed: functions of whole arrays that fill memory which is there."""

from symbp.targets.compiled import derivatives, equations, modules, programs
from symbp.targets.numpy import passes
from symbp.targets.pieces import EVERYTHING, PIECES
from symbp.targets.target import Pass, Target

MEMORY = Pass("memory", "where each tensor and what statements need in between lie", passes.with_memory)

TARGET = Target(
    name="numpy",
    engine=passes.ENGINE,
    needs=("numpy",),
    dtypes=modules.DTYPES,
    memory="planned",
    pieces=PIECES,
    usual=EVERYTHING,
    runtime=passes.FOLDER,
    passes=(
        *equations.FOR_ARRAYS,
        programs.PROGRAMS,
        Pass("lines", "calls that fill arrays, views bound once, equal layers in a loop", passes.with_lines),
        Pass("update", "the function that updates the parameters", passes.with_update),
        MEMORY,
        Pass("module", "the text, with what it carries of the runtime", passes.module),
    ),
    of_derivatives=(
        *derivatives.BEFORE,
        Pass("lines", "calls that fill arrays, and views bound once", passes.with_lines_of_derivatives),
        MEMORY,
        Pass("module", "the text, with what it carries of the runtime", passes.module_of_derivatives),
    ),
    shown=str,
    gradients=passes.gradients,
    validate=passes.validate,
    footprint=modules.step_footprint,
)
