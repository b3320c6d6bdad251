"""Whose name a server answers to."""

import pytest

from symbp.serve.hosts import is_loopback, is_taken


@pytest.mark.parametrize("header", ["127.0.0.1:8642", "localhost", "LOCALHOST:1", "[::1]:8642", "127.8.9.1"])
def test_loopback(header):
    assert is_taken(header, "127.0.0.1")
    assert is_taken(header, "localhost")


@pytest.mark.parametrize(
    "header",
    [
        "", "evil.example", "evil.example:8642", "127.0.0.1.evil.example", "localhost.evil.example",
        "192.168.1.5", "user@127.0.0.1", "127.0.0.1:8642:1", "[::1", "127.0.0.1 evil", "127.0.0.1/",
        "127.0.0.1:", "2130706433",
    ],
)  # fmt: skip
def test_others_are_refused_on_loopback(header):
    assert not is_taken(header, "127.0.0.1")


def test_elsewhere_an_address_or_the_name_that_was_told():
    assert is_taken("192.168.1.5:80", "0.0.0.0")
    assert is_taken("[fe80::1]", "::")
    assert is_taken("lab.example:80", "Lab.Example")
    assert not is_taken("evil.example", "0.0.0.0")


def test_is_loopback():
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("10.0.0.1")
