"""From programs to the lines of a module, and from its text to the module itself."""

from symbp.emit.footprint import DTYPES, Footprint
from symbp.emit.loading import cache_folder, load
from symbp.emit.sections.pieces import EVERYTHING, PIECES
from symbp.rendering import render, template_folder

__all__ = [
    "DTYPES",
    "EVERYTHING",
    "PIECES",
    "Footprint",
    "cache_folder",
    "load",
    "render",
    "template_folder",
]
