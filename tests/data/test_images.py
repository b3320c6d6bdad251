"""Images in folders as arrays."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DataError

pillow = pytest.importorskip("PIL.Image", reason="Pillow isn't installed")


@pytest.fixture
def folder(tmp_path):
    for k, (name, value) in enumerate((("dog", 10), ("cat", 200), ("dog", 11))):
        (tmp_path / name).mkdir(exist_ok=True)
        pillow.fromarray(np.full((3, 4), value, np.uint8)).save(tmp_path / name / f"{k}.png")
    (tmp_path / "cat" / "notes.txt").write_text("x")
    return tmp_path


def test_a_folder_is_a_class(folder):
    found = bp.data.load(folder)
    assert found["x"].shape == (3, 3, 4)
    assert found["x"][:, 0, 0].tolist() == [200, 10, 11]
    assert found["y"].tolist() == [0, 1, 1]
    colours = np.zeros((3, 4, 3), np.uint8)
    colours[..., 1] = 7
    pillow.fromarray(colours).save(folder / "cat" / "z.png")
    found = bp.data.load(folder)["x"]
    assert found.shape == (4, 3, 3, 4)
    assert found[1, :, 0, 0].tolist() == [0, 7, 0]
    assert found[0, :, 0, 0].tolist() == [200, 200, 200]


def test_arrays_go_before_images(folder):
    np.save(folder / "x.npy", np.ones(3))
    assert list(bp.data.load(folder)) == ["x"]


def test_what_is_wrong_is_named(folder):
    pillow.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "cat" / "wide.png")
    with pytest.raises(DataError, match=r"4×4 pixels, the first one 4×3"):
        bp.data.load(folder)
    (folder / "cat" / "wide.png").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"(?s)can't be read.*wide\.png"):
        bp.data.load(folder)
    (folder / "cat" / "wide.png").unlink()
    pillow.fromarray(np.zeros((3, 4), np.uint16)).save(folder / "cat" / "deep.png")
    with pytest.raises(DataError, match="not bytes"):
        bp.data.load(folder)
    (folder / "cat" / "deep.png").rename(folder / "lost.png")
    with pytest.raises(DataError, match="beside the folders"):
        bp.data.load(folder)


@pytest.mark.slow
def test_a_network_trains_on_them_and_is_told_the_classes(folder, capsys):
    from symbp.cli.main import main

    for k in range(10):
        for name in ("cat", "dog"):
            pillow.fromarray(np.full((3, 4), 20 * k, np.uint8)).save(folder / name / f"more{k}.png")
    (folder / "net.py").write_text(
        "import symbp as bp\nN = bp.dim('N')\n"
        "x, y = bp.input('x', (N, 1, 3, 4)), bp.labels('y', (N,), classes=2)\n"
        "p = bp.softmax(bp.nn.Sequential(bp.nn.Flatten(), bp.nn.Dense(2))(x))\n"
        "net = bp.Network('net', loss=bp.cross_entropy(p, y), outputs={'p': p})\n"
    )
    assert (
        main(["train", str(folder / "net.py"), "--data", str(folder), "--epochs", "1", "--standardise"]) == 0
    )
    assert "23 images; y: 0 cat, 1 dog" in capsys.readouterr().err
