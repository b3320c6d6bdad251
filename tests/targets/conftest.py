"""The generators of random systems that stand beside the tests of `emit` can be imported."""

import sys
from pathlib import Path

for folder in (Path(__file__).parents[1] / "emit", Path(__file__).parent / "plain"):
    sys.path.insert(0, str(folder))
