"""Which files of the runtime a module takes, by the sections of its template.

Enters: the stages of a network, a target's name, what a module is asked for. Leaves: `Taken`s by section.
Must not know: the layout of a module, what the files do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from types import MappingProxyType

from symbp.codegen.carry import Taken, functions, reached, takes, whole
from symbp.ir.expr import Size
from symbp.ir.system import Role
from symbp.lower.passes.batch_split import each_by_itself
from symbp.targets import pieces as named
from symbp.targets.compiled.segments import LoweredNetwork

OF_ARRAYS = ("numpy/functions", "numpy/special")
"""The files of the functions that lines over whole arrays call."""
REPORTS = {"live": "_live", "log": "_log_lines", "report": "_page"}  # the pieces that are told of each epoch
OPTIONS = {  # those that add options to `train`
    "checkpoints": "_checkpoint_options",
    "log": "_log_option",
    "patience": "_patience_option",
    "report": "_report_option",
}
PREPARE = {
    "checkpoints": "_prepare",
    "report": "_report_state",
}  # those that change the state before training
SETTINGS = ("patience",)  # the options that `fit` takes


@cache
def takes_out(function: str) -> bool:
    """Whether a function for the lines of NumPy fills an array that it is given as `out`."""
    return takes(OF_ARRAYS, function, "out")


def numpy_functions(called: Iterable[str]) -> Taken:
    """The functions that NumPy lacks and that lines call."""
    return functions(OF_ARRAYS, called)


def arrays_files(net: LoweredNetwork) -> list[str]:
    """Checks of arrays and their sizes."""
    sizes = "sizes_solved" if net.solving else "sizes_shown"
    return ["common/arrays/shapes", f"common/arrays/{sizes}", "common/arrays/arrays"]


def training_files(
    net: LoweredNetwork,
    target: str,
    step: Collection[str],
    pieces: Collection[str],
    mentioned: Iterable[str],
    instead: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Taken]:
    """What a module that trains takes: as much as the network and its pieces need, and what lines mention;
    `step` are the files of a step, and some files stand `instead` of usual ones."""
    mentioned = list(mentioned)
    files = _files(net, target, step, pieces, instead)
    files["state"] += drawn_files(mentioned)
    if named.whole(pieces):
        return {section: whole(names) for section, names in files.items()}
    told = [name for names in train_tables(net, pieces).values() for name in names]
    command = ["main"] if "command" in pieces else []
    return reached(files, [*named.purposes(pieces), *command, *told, *mentioned])


SHORT = {
    "step": ("core",),
    "outputs": ("measuring",),
    "training": ("fitting", "saving"),
}
"""The files of a short module, of `numpy/short`."""


def drawn_files(mentioned: Iterable[str]) -> list[str]:
    """The file of what starting values are drawn by, where lines mention any of it."""
    return ["common/training/drawn"] if {"_orthogonal", "_truncated_normal"} & set(mentioned) else []


def short_files(net: LoweredNetwork, pieces: Collection[str], mentioned: Collection[str]) -> dict[str, Taken]:
    """What a short module takes."""
    files = {section: [f"numpy/short/{name}" for name in names] for section, names in SHORT.items()}
    files["step"].append(f"numpy/short/{'starting_open' if net.shaping else 'starting'}")
    single = any(extent == 1 or net.sizes.get(str(extent)) == 1 for t in net.data for extent in t.shape)
    files["training"] += [f"numpy/short/reading{'_axes' * single}", *drawn_files(mentioned)]
    files["command"] = ["common/command/short"]
    files["step"].append(f"numpy/short/{'replay' if 'replay' in pieces else 'strange'}")
    return reached(files, [*named.purposes(pieces), *mentioned])


def _files(
    net: LoweredNetwork,
    target: str,
    step: Collection[str],
    pieces: Collection[str],
    instead: Mapping[str, str],
) -> dict[str, list[str]]:
    """The files of each section; those that define the same names stand for each other."""
    command = ("train", *_told(pieces), "main") if "command" in pieces else ("train", "begin", "short")
    kept = "checkpoints" in pieces
    apart = "_by_rows" if "mapped" in pieces and _rows_apart(net) else ""

    def usual(name: str) -> str:
        return instead.get(name, name)

    return {
        "arrays": [*arrays_files(net), f"common/arrays/{'by_rows' if 'mapped' in pieces else 'at_once'}"],
        "memory": [
            "common/arrays/memory",
            *(["common/arrays/keys"] if not net.split and not net.blocks else []),
        ],
        "outputs": [f"{target}/{'outputs_by_mode' if net.system.inference else 'outputs'}"],
        "step": list(step),
        "given": _given(net, target),
        "state": [
            *(f"common/training/{name}" for name in ("parameters", usual("moments"), "state", "calls")),
            *(f"common/steps/{name}" for name in ("refusing", usual("stepping"), "steps")),
            *(f"common/training/{name}" for name in ("whole", "saving")),
            *(["common/arrays/mapping"] if "mapped" in pieces else []),
            *(["common/training/checkpoints"] if kept else []),
        ],
        "training": [
            "common/training/stopping",
            f"common/training/{'epochs_kept' if kept else 'epochs'}",
            *(["common/training/best"] if "fit" in instead or "patience" in pieces else []),
            f"common/training/{usual('fit') if 'fit' in instead or 'patience' not in pieces else 'patience'}",
            f"common/training/{'standardising' if net.fitted else 'starting'}",
        ],
        "checking": ["common/training/checking"],
        "command": [
            *_reading(pieces),
            *(f"common/command/{name}" for name in ("showing", f"predicting{apart}", *command)),
        ],
    }


def _rows_apart(net: LoweredNetwork) -> bool:
    """Whether the outputs for some examples are the same, whichever others stand beside them."""
    wanted = [net.system.inference.get(name, name) for name in net.system.outputs]
    if net.batch is None or net.random_at_inference:  # whose numbers would be drawn anew for each part
        return False
    return each_by_itself(net.system, Size(net.batch), wanted)


def _given(net: LoweredNetwork, target: str) -> list[str]:
    """Data, with buffers and random tensors where there are some."""
    shapes = ["known_shapes"] if net.buffers or net.system.random else []
    buffers = "buffers" if net.buffers else "no_buffers"
    kind = "random_tensors" if net.system.random else "data"
    drawn = [f"{target}/random"] if net.system.random else []
    return [*(f"common/given/{name}" for name in (*shapes, buffers)), *drawn, f"common/given/{kind}"]


def _told(pieces: Collection[str]) -> list[str]:
    """The files of the pieces; a line for each epoch where there is no live one."""
    found = sorted(set(pieces) & {*REPORTS, *OPTIONS})
    return [*(() if "live" in pieces else ("printed",)), *found]


def _reading(pieces: Collection[str]) -> list[str]:
    """The files that read data, archives alone or tables and texts, too, and say what to train on."""
    files = [
        "axes",
        "loading_mapped" if "mapped" in pieces else "loading",
        "texts" if "texts" in pieces else "stored",
        *(["table_cells", "table_columns", "tables"] if "tables" in pieces else ["archives"]),
        *(["splitting", "parts_split"] if "split" in pieces else ["parts"]),
    ]
    return [f"common/reading/{name}" for name in files]


def train_tables(net: LoweredNetwork, pieces: Collection[str]) -> Mapping[str, list[str]]:
    """The tables by which `train` knows its pieces."""
    if "command" not in pieces:
        return {}
    reports = [
        *([] if "live" in pieces else ["_printed"]),
        *(REPORTS[p] for p in sorted(pieces) if p in REPORTS),
    ]
    return {
        "TRAIN_OPTIONS": [OPTIONS[piece] for piece in sorted(pieces) if piece in OPTIONS],
        "FIT_OPTIONS": [f'"{piece}"' for piece in sorted(pieces) if piece in SETTINGS],
        "PREPARE": [PREPARE[piece] for piece in sorted(pieces) if piece in PREPARE],
        "REPORTS": reports,
        **({"TARGETS": _quoted_targets(net)} if "tables" in pieces else {}),
    }


def _quoted_targets(net: LoweredNetwork) -> list[str]:
    return [f'"{tensor.name}"' for tensor in net.data if tensor.role is Role.TARGET]


def derivative_files(net: LoweredNetwork, target: str) -> dict[str, Taken]:
    """What a module of derivatives takes; `forward` only where there are outputs."""
    outputs = Taken()
    if net.system.outputs:
        outputs = functions([f"{target}/outputs"], ["_outputs"]) + whole(["common/derivatives/forward"])
    return {
        "arrays": whole(arrays_files(net)),
        "memory": whole(["common/arrays/memory", "common/arrays/keys", "common/arrays/kept"]),
        "derivatives": whole([f"{target}/derivatives", "common/derivatives/derivatives"]),
        "outputs": outputs,
        "command": whole(["common/training/whole", "common/derivatives/command"]),
    }
