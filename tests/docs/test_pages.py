"""The pages of `docs/` are true: what they tell a reader to type works, and they build without a warning."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from told_commands import blocks, file_of, run, shows

DOCS = Path(__file__).parents[2] / "docs"
GENERATORS = ("sphinx", "myst_parser", "furo")


def page(name):
    return blocks((DOCS / name).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_tutorial_works_in_its_order(tmp_path):
    for kind, text in page("tutorial.md"):
        if kind == "python":
            (tmp_path / file_of(text)).write_text(text, encoding="utf-8")
        for command in text.splitlines() if kind == "sh" else ():
            run(command, tmp_path)
    told = run("symbp check wine_net.py --size D=4 --against theirs.py", tmp_path, status=1)
    first = told[told.index("first wrong") :].splitlines()[0]
    assert "da1" in first or "W1" in first
    assert "factor" in told


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deriving", "training"])
def test_commands_of_a_page_work_in_its_order(name, tmp_path):
    readme = blocks((DOCS.parent / "README.md").read_text(encoding="utf-8"))
    for kind, text in [*readme, *page(f"{name}.md")]:
        if kind == "python" and file_of(text):
            (tmp_path / file_of(text)).write_text(text, encoding="utf-8")
    for kind, text in page(f"{name}.md"):
        for command in text.splitlines() if kind == "sh" else ():
            run(command, tmp_path)
        if kind == "console":
            shows(text, tmp_path)


JOBS = (DOCS / "four_jobs.md").read_text(encoding="utf-8").split("\n## ")[1:]


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.partition("\n")[0].replace(" ", "-"))
def test_each_job_works_in_its_order(job, tmp_path):
    for library in ("torch", "onnx", "onnxruntime") if "torch" in job else ():
        pytest.importorskip(library, reason=f"{library} isn't installed")
    for kind, text in blocks(job):
        if kind == "python":
            (tmp_path / file_of(text)).write_text(text, encoding="utf-8")
        for command in text.splitlines() if kind == "sh" else ():
            run(command, tmp_path)
    assert not [left.name for left in tmp_path.iterdir() if left.name.endswith(".part")]
    if (table := tmp_path / "verdicts.csv").is_file():
        assert table.read_text(encoding="utf-8").startswith("p[fine],p[fraud],p[unclear]\n")


@pytest.mark.slow
def test_networks_come_in_as_the_page_tells(tmp_path):
    missing = [name for name in ("torch", "onnx", "onnxruntime") if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    printed = []
    for kind, text in page("importing.md"):
        if kind == "python":
            (tmp_path / file_of(text)).write_text(text, encoding="utf-8")
        for command in text.splitlines() if kind == "sh" else ():
            printed.append(run(command, tmp_path))
    assert any(told.startswith("True") for told in printed)
    assert float(printed[-1].partition("accuracy")[2].split()[0]) > 0.6
    assert "bp.Network(" in (tmp_path / "back.py").read_text(encoding="utf-8")


@pytest.mark.slow
def test_three_ways_of_one_network_have_one_gradient(tmp_path):
    ((_, text),) = page("coming_from.md")
    (tmp_path / "three_ways.py").write_text(text, encoding="utf-8")
    assert run("python three_ways.py", tmp_path).count("[") == 6


@pytest.mark.slow
def test_exercises_are_made_as_the_page_tells(tmp_path):
    told = [text for kind, text in page("exercises.md") if kind == "sh"]
    assert told
    for command in "".join(told).splitlines():
        run(command, tmp_path)
    assert (tmp_path / "mlp_stack.xml").read_text(encoding="utf-8").count('<question type="stack">') == 4


@pytest.mark.slow
def test_they_build_without_a_warning(tmp_path):
    missing = [name for name in GENERATORS if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs the extra docs: {', '.join(missing)}")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "-d", str(tmp_path / "trees")]
    done = subprocess.run(
        [*build, str(DOCS), str(tmp_path / "html")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "html" / "python.html").read_text(encoding="utf-8")
    for name in ("api.derive", "ops.cross_entropy", "nn.Dense", "optim.AdamW", "errors.DataError"):
        assert f'id="symbp.{name}"' in reference
