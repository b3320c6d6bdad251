"""Small PyTorch modules, each with the inputs that it takes: (module, inputs) by name."""

import torch
from torch import nn
from torch.nn import functional as F


class Of(nn.Module):
    """A layer, and what is made of its result."""

    def __init__(self, layer, use):
        super().__init__()
        self.layer, self.use = layer, use

    def forward(self, x):
        return self.use(self.layer(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding="same", bias=False), nn.BatchNorm2d(4)
        self.downsample, self.act = nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True)

    def forward(self, x):
        z = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        z += self.downsample(x)
        return self.act(z).mean((2, 3))


class Causal(nn.Module):
    """Attention written out, with a mask that is held and learned positions."""

    def __init__(self):
        super().__init__()
        self.qkv, self.place = nn.Linear(8, 24), nn.Embedding(9, 8)
        self.register_buffer("mask", torch.tril(torch.ones(6, 6)).bool())

    def forward(self, x):
        n, t, d = x.shape
        x = x + self.place(torch.arange(t))
        q, k, v = (u.view(n, t, 2, 4).transpose(1, 2) for u in self.qkv(x).split(8, -1))
        score = (q @ k.transpose(-2, -1)) / 4**0.5
        p = score.masked_fill(~self.mask[:t, :t], float("-inf")).softmax(-1)
        return (p @ v).transpose(1, 2).reshape(n, t, d)


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(11, 6), nn.Linear(6, 3)

    def forward(self, tokens):
        return self.out(self.table(tokens).mean(1))


class Masked(nn.Module):
    """The mean over the words of a line that aren't padding."""

    def __init__(self):
        super().__init__()
        self.table, self.out = nn.Embedding(11, 6, padding_idx=0), nn.Linear(6, 3)

    def forward(self, tokens):
        mask = (tokens != 0).double().unsqueeze(-1)
        return self.out((self.table(tokens) * mask).sum(1) / mask.sum(1).clamp(min=1))


class Pairs(nn.Module):
    """Columns of tokens, each with a table of its own; forms of two vectors."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.form = nn.Embedding(11, 6), nn.Embedding(11, 6), nn.Bilinear(6, 6, 3)

    def forward(self, tokens):
        a, b, *_ = tokens.unbind(1)
        a, b = self.left(a), self.right(b)
        return self.form(a, b) + F.cosine_similarity(a, b)[:, None]


class Margins(nn.Module):
    def __init__(self):
        super().__init__()
        self.around = nn.Conv2d(2, 2, 3, padding=(2, 1), padding_mode="circular")
        self.edge, self.mirror = nn.ReplicationPad2d((1, 2, 0, 1)), nn.ReflectionPad2d((2, 1, 2, 0))

    def forward(self, x):
        return self.edge(x).mean((2, 3)) + self.mirror(self.around(x)).amax((2, 3))


class Cells(nn.Module):
    """The same cells step by step, in a loop of Python's."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTMCell(3, 4), nn.GRUCell(4, 2)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], 4)
        y = x.new_zeros(x.shape[0], 2)
        for step in x.unbind(1):
            h, c = self.cell(step, (h, c))
            y = self.out(h, y)
        return y


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.low = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = F.leaky_relu(self.down(x), 0.1)
        return self.out(torch.cat([a, torch.tanh(self.up(F.silu(self.low(a))))], 1))


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 4))

    def forward(self, a, b):
        return torch.exp(-(self.net(a) - self.net(b)).abs().sum(1, keepdim=True))


def tokens():
    return torch.tensor([[1, 5, 2, 0], [6, 10, 1, 3], [0, 2, 4, 5]])


def encoder(**options):
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", **options)


MODULES = {
    "mlp": lambda: (nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(3, 4)),
    "softmax regression": lambda: (nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1)), torch.randn(3, 4)),
    "cnn": lambda: (
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                      nn.Dropout(), nn.Linear(36, 3)), torch.randn(2, 1, 8, 8),
    ),
    "residual": lambda: (Residual(), torch.randn(2, 3, 5, 5)),
    "lstm": lambda: (
        Of(nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True),
           lambda y: y[0] + y[1][1].sum((0, 2))[:, None, None]), torch.randn(3, 4, 4),
    ),
    "gru": lambda: (Of(nn.GRU(4, 5, batch_first=True), lambda y: y[0][:, -1]), torch.randn(3, 4, 4)),
    "rnn": lambda: (
        Of(nn.RNN(4, 5, nonlinearity="relu", batch_first=True), lambda y: y[1].transpose(0, 1).flatten(1)),
        torch.randn(3, 4, 4),
    ),
    "transformer": lambda: (encoder(dropout=0.1), torch.randn(2, 5, 8)),
    "causal attention": lambda: (Causal(), torch.randn(2, 5, 8)),
    "words": lambda: (Words(), tokens()),
    "masked words": lambda: (Masked(), tokens()),
    "pairs of words": lambda: (Pairs(), tokens()),
    "margins": lambda: (Margins(), torch.randn(2, 2, 4, 5)),
    "bag of words": lambda: (
        nn.Sequential(nn.EmbeddingBag(11, 6, mode="mean"), nn.Linear(6, 3)), tokens(),
    ),
    "cells": lambda: (Cells(), torch.randn(3, 3, 3)),
    "autoencoder": lambda: (
        nn.Sequential(nn.Linear(6, 3), nn.Sigmoid(), nn.Linear(3, 6), nn.Softplus()), torch.randn(3, 6),
    ),
    "unet": lambda: (UNet(), torch.randn(2, 1, 6, 6)),
    "siamese": lambda: (Siamese(), torch.randn(3, 5), torch.randn(3, 5)),
    "groups": lambda: (
        nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.GroupNorm(2, 4), nn.GELU("tanh"),
                      nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.PReLU(4)), torch.randn(2, 4, 5, 5),
    ),
    "pooling": lambda: (
        nn.Sequential(nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), nn.Hardswish(),
                      nn.Upsample(scale_factor=2), nn.InstanceNorm2d(2, affine=True), nn.GLU(1)),
        torch.randn(2, 2, 6, 6),
    ),
}  # fmt: skip


def made(name):
    """A module in evaluation mode and float64, all its numbers drawn, and its inputs."""
    torch.manual_seed(0)
    module, *inputs = MODULES[name]()
    module = module.double().eval()
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.copy_(torch.rand_like(tensor) + (0.5 if "var" in key else -0.5))
    return module, tuple(x.double() if x.is_floating_point() else x for x in inputs)
