"""The page on checking is true: its program runs, what it names is there."""

import re
from pathlib import Path

from symbp.verify import METHODS

PAGE = (Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8")


def test_its_program_runs():
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(program, "docs/checking.md", "exec"), {})


def test_it_names_every_method():
    table = PAGE[: PAGE.index("`--methods")]
    assert [method for method in METHODS if method.split(" (")[0] not in table] == []
