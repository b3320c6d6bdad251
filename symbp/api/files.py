"""Files of users: Python files, run, and results, written whole or not at all.

Enters: a path. Leaves: a module. Must not know: what is in them.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from symbp.errors import SymbpError, UsageError, meant_file
from symbp.writing import failed, refuse_to_overwrite, write

__all__ = ["failed", "refuse_to_overwrite", "run_file", "write"]


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
