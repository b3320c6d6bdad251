"""Windows: extents, padding on one side, what is refused, and kinks at ties."""

import numpy as np
import pytest

import symbp as bp
from symbp.errors import DeclarationError, ShapeError
from symbp.ir.evaluation.interpret import evaluate
from symbp.ops.windowed.windows import Window

torch = pytest.importorskip("torch", reason="PyTorch is not installed: windows not compared")

N = bp.dim("N")


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_the_number_of_positions_is_pytorchs(kernel, stride, padding, ceil):
    if padding > kernel // 2:
        padding = kernel // 2
    for extent in range(5, 14):
        window = Window(kernel, stride, padding, padding, 1, ceil)
        x = torch.zeros(1, 1, extent)
        expected = torch.nn.functional.max_pool1d(x, kernel, stride, padding, ceil_mode=ceil).shape[2]
        assert window.count(extent) == expected


def test_padding_on_one_side():
    x, w = bp.input("x", (N, 1, 4)), bp.param("w", (1, 1, 2))
    y = bp.conv1d(x, w, padding=((1, 0),))
    net = bp.Network("net", loss=y.sum(), outputs={"y": y})
    values = {"x": np.array([[[1.0, 2, 3, 4]]]), "w": np.array([[[10.0, 1]]])}
    got = evaluate(net.system, values, {"N": 1, **net.system.bound})
    np.testing.assert_array_equal(got["y"].astype(float)[0, 0], [1, 12, 23, 34])


@pytest.mark.parametrize("padding", ["same", "same_lower"])
@pytest.mark.parametrize(
    ("extent", "kernel", "stride"), [(9, 3, 2), (8, 3, 2), (8, 2, 3), (7, 4, 3), (6, 2, 1)]
)
def test_the_same_with_a_stride(extent, kernel, stride, padding):
    """⌈extent/stride⌉ positions; the odd zero stands at the end, or at the start."""
    x, w = bp.input("x", (N, 1, extent)), bp.param("w", (1, 1, kernel))
    y = bp.conv1d(x, w, padding=padding, stride=stride)
    net = bp.Network("net", loss=y.sum(), outputs={"y": y})
    rng = np.random.default_rng(0)
    values = {"x": rng.normal(size=(1, 1, extent)), "w": rng.normal(size=(1, 1, kernel))}
    got = evaluate(net.system, values, {"N": 1, **net.system.bound})["y"].astype(float)
    count = -(-extent // stride)
    total = max(0, (count - 1) * stride + kernel - extent)
    pads = (total // 2, total - total // 2) if padding == "same" else (total - total // 2, total // 2)
    padded = torch.nn.functional.pad(torch.tensor(values["x"]), pads)
    expected = torch.nn.functional.conv1d(padded, torch.tensor(values["w"]), stride=stride)
    assert got.shape[-1] == count
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-13, atol=1e-15)


def test_a_convolution_reads_like_its_definition():
    x, w = bp.input("x", (N, 3, 28, 28)), bp.param("w", (8, 3, 5, 5))
    net = bp.Network("net", loss=bp.conv2d(x, w, padding=2, stride=2).sum())
    assert str(net.system.equations[0]) == ("z1[n,l,r,s] = Σ_i,m,q x[n,i,2·r + m - 2,2·s + q - 2]·w[l,i,m,q]")


def image(*extents):
    return bp.input("x", (N, *extents))


def weight(*extents):
    return bp.param("w", extents)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bp.conv2d(image(3, 4, 4), weight(8, 3, 5, 5)), "5 elements, but the padded input has 4"),
        (lambda: bp.conv1d(image(3, 4), weight(8, 3, 3), dilation=2), "reaches over 5 elements"),
        (lambda: bp.max_pool2d(image(3, 4, 4), 5), "the kernel of max_pool2d reaches over 5"),
        (lambda: bp.conv1d(image(4, 9), weight(6, 2, 3)), "sizes of two axes differ"),
        (lambda: bp.conv1d(image(5, 9), weight(6, 2, 3), groups=2), "2 doesn't divide 5"),
        (lambda: bp.conv1d(image(4, 9), weight(5, 2, 3), groups=2), "2 doesn't divide 5"),
        (lambda: bp.conv1d(image(6, 9), weight(6, 2, 3), groups=2), "sizes of two axes differ"),
        (lambda: bp.conv1d(image(bp.dim("C"), 9), weight(6, 2, 3), groups=2), "sizes of two axes differ"),
        (lambda: bp.conv2d(image(4, 9), weight(6, 4, 3, 3)), "goes over 2 axes after batch and channels"),
        (lambda: bp.conv2d(image(4, 9, 9), weight(6, 4, 3)), "the weight of conv2d has 4 axes"),
        (lambda: bp.conv_transpose1d(image(4, 9), weight(3, 4, 3)), "sizes of two axes differ"),
        (lambda: bp.pixel_shuffle(image(6, 2, 2), 2), "4 doesn't divide 6"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit(call, message):
    with pytest.raises(ShapeError, match=message) as error:
        call()
    assert "test_windows.py" in str(error.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bp.conv1d(image(4, 9), weight(6, 4, 3), stride=0),
        lambda: bp.conv1d(image(4, 9), weight(6, 4, 3), stride=(1, 2)),
        lambda: bp.conv1d(image(4, 9), weight(6, 4, 3), padding="half"),
        lambda: bp.conv1d(bp.input("x", (N, 4, N)), weight(6, 4, 3), padding="same", stride=2),
        lambda: bp.conv1d(image(4, 9), weight(6, 4, 3), padding=-1),
        lambda: bp.conv1d(image(4, 9), weight(6, 4, 3), groups=0),
        lambda: bp.conv_transpose1d(image(4, 9), weight(4, 6, 3), stride=2, output_padding=2),
        lambda: bp.max_pool1d(image(4, 9), 2.5),
        lambda: bp.lp_pool1d(image(4, 9), 0, 2),
        lambda: bp.interpolate(image(4, 9)),
        lambda: bp.interpolate(image(4, 9), size=3, mode="bilinear"),
        lambda: bp.interpolate(image(4, 9), scale_factor=-2),
        lambda: bp.interpolate(image(4, 9), size=3, align_corners=True),
    ],
)
def test_options_that_make_no_sense(call):
    with pytest.raises(DeclarationError):
        call()


def test_pooling_takes_the_first_of_equal_maxima():
    x = bp.param("x", (1, 1, 3, 4))
    y = bp.max_pool2d(x, 2, stride=1, padding=1)
    weights = np.arange(1.0, 21).reshape(1, 1, 4, 5)
    g = bp.input("g", y.shape)
    module = bp.compile(bp.Network("net", loss=(y * g).sum()), optimizer=bp.optim.SGD(0.1))
    values = np.array([[1.0, 1, 0, 1], [1, 1, 1, 0], [0, 0, 1, 1]])[None, None]
    _, found = module.loss_and_gradients({"x": values}, g=weights)
    given = torch.tensor(values, requires_grad=True)
    pooled = torch.nn.functional.max_pool2d(given, 2, stride=1, padding=1)
    (pooled * torch.tensor(weights)).sum().backward()
    np.testing.assert_array_equal(found["x"], given.grad.numpy())


@pytest.mark.slow
@pytest.mark.parametrize("target", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
@pytest.mark.parametrize("rows", [3, 4])
def test_an_image_smaller_than_the_kernel_is_refused_by_the_module(target, rows):
    H, W = bp.dims("H W")
    x = bp.input("x", (N, 1, H, W))
    net = bp.Network("net", loss=bp.nn.Conv2d(2, 5)(x).sum())
    module = bp.compile(net, target=target, optimizer=bp.optim.SGD(0.1))
    with pytest.raises(module.DataError, match="too short for what is read from it, a kernel or a slice"):
        module.loss_and_gradients(module.init_params(0), x=np.ones((2, 1, rows, 8)))
