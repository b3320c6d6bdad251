"""The README is true: its commands run, its output is what comes out, CI runs its test command."""

import re
from pathlib import Path

import pytest
from told_commands import blocks, file_of, run, shows

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks(README)
SETUP = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if ".venv" in line]
COMMANDS = [
    line
    for kind, text in BLOCKS
    if kind == "sh"
    for line in text.splitlines()
    if line and ".venv" not in line
]
SCRIPTS = [text for kind, text in BLOCKS if kind == "python"]
FILES = {file_of(text): text for text in SCRIPTS if file_of(text)}
SHOWN = [text for kind, text in BLOCKS if kind == "console"]


def test_the_readme_has_what_the_tests_look_for():
    assert len(SETUP) == 2
    assert len(SCRIPTS) == 3
    assert set(FILES) == {"my_net.py", "mine.py"}
    assert SHOWN
    assert len(COMMANDS) >= 10


def test_ci_runs_exactly_the_readmes_test_command():
    main_job, tests = SETUP
    assert main_job.endswith("symbp train mlp")
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == tests


@pytest.mark.slow
@pytest.mark.parametrize("block", SHOWN, ids=[block.splitlines()[0] for block in SHOWN])
def test_output_shown_is_what_comes_out(block, tmp_path):
    shows(block, tmp_path)


@pytest.mark.slow
def test_every_command_and_script_runs(tmp_path):
    others = [text for text in SCRIPTS if text not in FILES.values()]
    scripts = {f"script_{number}.py": text for number, text in enumerate(others)}
    for name, text in {**FILES, **scripts}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for command in [*COMMANDS, *(f"python {name}" for name in scripts)]:
        run(command, tmp_path)
    assert (tmp_path / "trained.npz").is_file()


@pytest.mark.slow
def test_the_mistake_in_somebodys_gradients_is_named(tmp_path):
    (tmp_path / "mine.py").write_text(FILES["mine.py"], encoding="utf-8")
    output = run("symbp check mlp --against mine.py", tmp_path, status=1)
    (shown,) = (text for kind, text in BLOCKS if kind == "text" and "mine.py" in text)
    for line in shown.splitlines():
        start, _, end = line.partition("…")
        assert any(told.startswith(start) and told.endswith(end) for told in output.splitlines()), line


@pytest.mark.slow
def test_the_main_job(tmp_path):
    output = run("symbp train mlp", tmp_path)
    accuracy = float(re.search(r"^accuracy +([\d.]+)$", output, flags=re.MULTILINE)[1])
    assert accuracy >= 0.97
