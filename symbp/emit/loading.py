"""Imports generated text: writes it to a cache directory named by its content and imports it from there.

Enters: source text. Leaves: a module. Must not know: how the text was made.

Numba keeps machine code only for functions that come from a file; the content-hashed name makes it valid.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType


def cache_folder() -> Path:
    """`SYMBP_CACHE`, else `symbp` in `XDG_CACHE_HOME`, else `~/.cache/symbp`."""
    if own := os.environ.get("SYMBP_CACHE"):
        return Path(own)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "symbp"
    return Path.home() / ".cache" / "symbp"


def load(source: str, name: str) -> ModuleType:
    """The module that the text defines; the same text under the same name is imported once."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    stem = "".join(c if c.isalnum() else "_" for c in name)
    full = f"symbp_generated_{stem}_{digest}"
    if full in sys.modules:
        return sys.modules[full]
    path = _written(cache_folder(), f"{full}.py", source)
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[full]
        raise
    return module


def _written(folder: Path, name: str, source: str) -> Path:
    """The file with this text; in a temporary folder where the cache can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(folder, name, source)
    except OSError:
        return _write(Path(tempfile.mkdtemp(prefix="symbp-")), name, source)


def _write(folder: Path, name: str, source: str) -> Path:
    path = folder / name
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(source)
        os.replace(temporary, path)
    return path
