"""Text files that are written whole, and not over others; Python files of users, run.

Enters: a path, a text. Leaves: a file, or an error that says why there is none; a module.
Must not know: what is in them.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from symbp.errors import GenerationError, SymbpError, UsageError, meant_file


def refuse_to_overwrite(path: str | Path, *, force: bool) -> None:
    """Raises GenerationError if there is a file and `force` isn't set, or no folder to write it to."""
    if Path(path).exists() and not force:
        raise GenerationError(
            "the output file exists already",
            where=str(path),
            help="choose another name, or overwrite it: --force (force=True)",
        )
    if not Path(path).absolute().parent.is_dir():
        raise GenerationError("there is no such folder to write to", where=str(Path(path).absolute().parent))


def write(path: str | Path, text: str, *, force: bool) -> Path:
    """Writes a text file whole or not at all, with the same refusals."""
    refuse_to_overwrite(path, force=force)
    Path(path).write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def run_file(path: Path) -> ModuleType:
    """The user's file, run as a module; files beside it can be imported from it, as from a script."""
    if not path.is_file():
        raise UsageError("there is no such Python file", where=str(path), help=meant_file(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError("not a Python file", where=str(path), help="name it with the ending .py")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except SymbpError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"the file fails with {type(error).__name__}: {error}", where=_line_in(path, error)
        ) from error
    finally:
        sys.path.remove(folder)
    return module


def _line_in(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path.absolute()]
    frames = frames or [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f"{path}:{frames[-1].lineno}: {frames[-1].line}" if frames else str(path)
