"""A server's application without processes or a network, for tests that are quick."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # what several tests share


@pytest.fixture(scope="session")
def client():
    """Answers in this process."""
    from symbp.serve.app import create_app
    from symbp.serve.desk import Desk

    return create_app(Desk()).test_client()
