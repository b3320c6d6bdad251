"""Derivations of the gallery's networks, each made once in a run of tests, whichever process asks first.

Thirty files of tests ask for them. Tests of deriving itself derive on their own.
"""

import os
import pickle
import shutil
import tempfile
from pathlib import Path

import symbp as bp

FOLDER = "SYMBP_TESTS_DERIVED"  # where a run keeps them: processes of the run inherit it


def started():
    """Makes the folder of a run; whether it wasn't there."""
    if FOLDER in os.environ:
        return False
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="symbp-derived-")
    return True


def ended():
    shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


def once(key, make):
    """What `make` gives, made by whoever asks first under this key; an object of one's own."""
    path = Path(os.environ[FOLDER]) / key.replace(" ", "-")
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_bytes(pickle.dumps(make()))
        part.replace(path)
    return pickle.loads(path.read_bytes())


def of_gallery(name):
    """The derivation of a gallery network."""
    return once(name, lambda: bp.derive(bp.gallery.find(name).load().net))
