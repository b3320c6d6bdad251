"""`symbp --print-completion`: scripts that shells can read, and that complete commands, options and nets."""

import shutil
import subprocess

import pytest

from symbp.cli.main import main

pytest.importorskip("shtab", reason="completion takes the extra [completion]")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--print-completion", shell])
    script = capsys.readouterr().out
    for word in ("derive", "--optimizer", "markdown", "linear_regression", "_symbp_nets"):
        assert word in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = capsys.readouterr().out

    def completed(*words: str) -> list[str]:
        line = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _shtab_symbp"
        asked = f'{script}\n{line}\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
        return subprocess.run(["bash"], input=asked, text=True, capture_output=True).stdout.split()

    assert completed("symbp", "der") == ["derive"]
    assert completed("symbp", "derive", "log") == ["logistic_regression"]
    assert completed("symbp", "derive", "mlp", "--form") == ["--format"]
    assert completed("symbp", "derive", "mlp", "--format", "no") == ["notebook"]
