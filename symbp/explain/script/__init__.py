"""The equations of a page as JavaScript, so that numbers follow where a reader changes one.

Enters: the system of a page. Leaves: the text of a function that computes every tensor. Must not know: what
the page looks like. What the language lacks is in `templates/page_arithmetic.js`.
"""

from symbp.explain.script.program import Script, script

__all__ = ["Script", "script"]
