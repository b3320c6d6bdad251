"""Calls of layers as PyTorch and Keras have them mean the same here, or are refused with what to write."""

import copy
import pickle

import pytest

import symbp as bp
from symbp import nn
from symbp.errors import DeclarationError, SymbpError

# what somebody types, and what it is here: a call that means the same, or what the refusal says to write
SAME = {
    "Dense(10, 'relu')": "Dense(10, activation='relu')",
    "Embedding(1000, 64, 0)": "Embedding(vocabulary=1000, width=64, padding_idx=0)",
    "MaxPool2d(3, 2, 1)": "MaxPool2d(3, stride=2, padding=1)",
    "AvgPool2d(3, 2, 1)": "AvgPool2d(3, stride=2, padding=1)",
    "AdaptiveAvgPool2d(1)": "AdaptiveAvgPool2d(output_size=1)",
    "Dropout(0.3)": "Dropout(p=0.3)",
    "LSTM(20)": "LSTM(units=20)",
    "TransformerEncoderBlock(8, 64)": "TransformerEncoderBlock(heads=8, hidden=64)",
}
REFUSED = {
    "Conv2d(1, 8, 3)": "write Conv2d(8, 3)",
    "Conv2d(1, 8, 3, 2, 1)": "write Conv2d(8, 3, stride=2, padding=1)",
    "Conv1d(1, 8, kernel_size=3)": "write Conv1d(8, 3)",
    "Conv2d(in_channels=1, out_channels=8, kernel_size=3)": "leave it out",
    "ConvTranspose2d(4, 8, 3, 2)": "write ConvTranspose2d(8, 3, stride=2)",
    "Dense(784, 10)": "write Dense(10)",
    "Dense(784, 10, False)": "write Dense(10, bias=False)",
    "Embedding(num_embeddings=9, embedding_dim=4)": "called vocabulary",
    "LSTM(10, 20)": "write LSTM(20)",
    "GRU(10, 20, 2, bidirectional=True)": "write GRU(20, num_layers=2, bidirectional=True)",
    "RNN(20, 'relu')": "by its place: units",
    "LayerNorm(64)": "write LayerNorm()",
    "LayerNorm((64,), 1e-6)": "write LayerNorm(eps=1e-06)",
    "RMSNorm(64)": "write RMSNorm()",
    "GroupNorm(4, 32)": "write GroupNorm(4)",
    "InstanceNorm(32)": "write InstanceNorm()",
    "BatchNorm2d(64)": "write BatchNorm2d()",
    "BatchNorm1d(64, 1e-3, 0.2)": "write BatchNorm1d(momentum=0.2, eps=0.001)",
    "MultiHeadAttention(512, 8)": "write MultiHeadAttention(8)",
    "MultiHeadAttention(num_heads=8)": "called heads",
    "TransformerEncoderBlock(512, 8)": "write TransformerEncoderBlock(8)",
    "TransformerEncoderBlock(512, 8, 2048)": "write TransformerEncoderBlock(8, 2048)",
    "Dropout(0.5, True)": "write Dropout(0.5)",
    "MaxPool2d(2, strides=2)": "called stride",
    "Conv2d(8, 3, actvation='relu')": "did you mean activation?",
}
ELSEWHERE = {
    "Linear": "Dense(units)",
    "Conv2D": "Conv2d",
    "MaxPooling2D": "MaxPool2d",
    "ReLU": 'Activation("relu")',
    "MultiheadAttention": "MultiHeadAttention",
}


def call(text: str) -> object:
    return eval(text, vars(nn))


def test_a_call_that_is_written_alike_means_the_same() -> None:
    for typed, meant in SAME.items():
        assert call(typed) == call(meant), typed


def test_a_call_that_would_mean_something_else_is_refused_with_what_to_write() -> None:
    for typed, told in REFUSED.items():
        with pytest.raises(DeclarationError) as refused:
            call(typed)
        assert told in str(refused.value), typed


def test_what_is_told_to_write_is_accepted() -> None:
    for told in REFUSED.values():
        if told.startswith("write ") and "Block(8)" not in told:
            call(told.removeprefix("write "))


def test_words_and_numbers_out_of_place_are_refused_when_the_layer_is_called() -> None:
    x = bp.input("x", (4, 1, 8, 8))
    assert nn.MaxPool2d(2, 2, "valid")(x).shape == nn.MaxPool2d(2)(x).shape
    for layer in (nn.MaxPool2d(2, 2, "vaild"), nn.Dropout(50), nn.FeedForward(8, 32)):
        with pytest.raises(SymbpError):
            layer(x)


def test_layers_of_other_names_are_told() -> None:
    for name, told in ELSEWHERE.items():
        with pytest.raises(AttributeError) as unknown:
            getattr(nn, name)
        assert told in str(unknown.value), name


def test_layers_can_be_copied_and_pickled() -> None:
    layer = nn.Conv2d(8, 3, stride=2)
    assert copy.deepcopy(layer) == pickle.loads(pickle.dumps(layer)) == layer
