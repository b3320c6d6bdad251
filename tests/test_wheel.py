"""The built wheel and an editable install work away from the checkout: templates and data included."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow

NET = """
import symbp as bp

N, D, H, K = bp.dims("N D H K")
x = bp.input("x", (N, D))
y = bp.labels("y", (N,), classes=K)
W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
h = bp.tanh(x @ W1 + b1)
p = bp.softmax(h @ W2 + b2)
measured = {"accuracy": bp.accuracy(p, y)}
net = bp.Network("mine", loss=bp.cross_entropy(p, y), outputs={"p": p}, metrics=measured)
"""
WHERE = "import symbp, pathlib; print(pathlib.Path(symbp.__file__).parent)"


class Installed:
    """A virtual environment that has symbp itself, and takes everything else from the running one."""

    def __init__(self, folder, install):
        venv.create(folder / "env", with_pip=False, symlinks=True)
        self.python = folder / "env" / "bin" / "python"
        site = Path(self.ask("import sysconfig; print(sysconfig.get_path('purelib'))", folder))
        install(site, self.python)
        # After symbp's own files: a path file's folders come behind those of the environment.
        (site / "zz_dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        self.work = folder / "work"
        self.work.mkdir()
        (self.work / "mine.py").write_text(NET)

    def ask(self, code, folder=None):
        return self.run("-c", code, folder=folder).stdout.strip()

    def run(self, *arguments, folder=None):
        done = subprocess.run(
            [str(self.python), "-I", *arguments],
            cwd=folder or self.work, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done


def pip(python, *arguments):
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", *arguments],
        check=True,
    )  # fmt: skip


def assert_works(installed):
    symbp = "from symbp.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))"
    sizes = ("--size", "D=64", "--size", "H=8", "--size", "K=10")
    installed.run("-c", symbp, "generate", "mine.py", *sizes, "-o", "module.py")
    assert "import symbp" not in (installed.work / "module.py").read_text()
    options = ("--size", "H=16", "--size", "K=10", "--epochs", "2", "--json")
    assert '"accuracy"' in installed.run("-c", symbp, "train", "mine.py", *options).stdout
    installed.run("module.py", "--help")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    (built,) = folder.glob("symbp-*.whl")
    return built


def test_wheel_generates_and_trains_away_from_the_checkout(wheel, tmp_path):
    installed = Installed(tmp_path, lambda _, python: pip(python, str(wheel)))
    assert str(tmp_path) in installed.ask(WHERE)
    assert_works(installed)


def test_wheel_holds_data_templates_and_licence_and_nothing_else(wheel):
    import zipfile

    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "symbp/py.typed",
        "symbp/data/files/digits.npz",
        "symbp/data/files/digits.txt",
        "symbp/cli/main.py",
    ):
        assert needed in names
    assert any(name.startswith("symbp/templates/") for name in names)
    assert any(name.endswith("LICENSE") for name in names)
    assert all(name.startswith(("symbp/", "symbp-")) for name in names)


def test_editable_install_reads_the_checkout(tmp_path):
    installed = Installed(tmp_path, lambda _, python: pip(python, "-e", str(ROOT)))
    assert Path(installed.ask(WHERE)) == ROOT / "symbp"
    assert_works(installed)
