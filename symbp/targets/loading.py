"""Imports generated text: writes it to a cache directory named by its content and imports it from there.

Enters: source text. Leaves: a module. Must not know: how the text was made.

Numba keeps machine code only for functions that come from a file; the content-hashed name makes it valid.
What lies in the cache is taken only as it was written: machine code carries a digest, the text is compared,
and Python's own bytecode, which has no digest, isn't used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from symbp.writing import replace


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
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        exec(compile(source, str(path), "exec"), vars(module))
        _seal_when_compiled(module)
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
    if not path.exists() or path.read_bytes() != source.encode():
        replace(path, source.encode())
    return path


def _seal_when_compiled(module: ModuleType) -> None:
    """Seals the cache of functions that are compiled by Numba: now, or when the module makes them so."""
    later: Callable[[], None] | None = vars(module).get("_compile")
    if later is None:
        if "numba.core.caching" in sys.modules:
            _seal(module)
        return

    def first() -> None:
        vars(module)["_compile"] = later
        later()
        _seal(module)

    vars(module)["_compile"] = first


def _seal(module: ModuleType) -> None:
    """Gives the module's Numba functions a cache whose files carry digests."""
    from numba.core.caching import IndexDataCacheFile

    for function in vars(module).values():
        cache = getattr(function, "_cache", None)
        plain = getattr(cache, "_cache_file", None)
        if type(plain) is IndexDataCacheFile:
            cache._cache_file = _sealed(plain)  # type: ignore[union-attr]


def _sealed(plain: Any) -> Any:
    """The same cache in files of other names; what was damaged counts as missing, and is written anew."""
    from numba.core.caching import IndexDataCacheFile

    class Sealed(IndexDataCacheFile):  # type: ignore[misc]
        def save(self, key: Any, data: Any) -> None:
            with suppress(OSError):  # without a cache it is compiled again
                super().save(key, data)

        def _load_index(self) -> Any:
            try:
                version, stamp, overloads = pickle.loads(_opened(Path(self._index_path)))
            except OSError:
                return {}
            return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

        def _save_index(self, overloads: Any) -> None:
            found = self._dump((self._version, self._source_stamp, overloads))
            self._put(Path(self._index_path), found)

        def _load_data(self, name: str) -> Any:
            return pickle.loads(_opened(Path(self._data_path(name))))

        def _save_data(self, name: str, data: Any) -> None:
            self._put(Path(self._data_path(name)), self._dump(data))

        def _put(self, path: Path, content: bytes) -> None:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            with self._open_for_write(str(path)) as file:
                file.write(_digest(path.name, content) + content)

    base = plain._index_name.removesuffix(".nbi")
    return Sealed(plain._cache_path, f"{base}.sealed", plain._source_stamp)


def _opened(path: Path) -> bytes:
    """What was put into a sealed file. Raises OSError: it isn't there, can't be read, or was damaged."""
    whole = path.read_bytes()
    size = hashlib.sha256().digest_size
    if whole[:size] != _digest(path.name, whole[size:]):
        raise OSError(f"{path} is damaged")
    return whole[size:]


def _digest(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + content).digest()
