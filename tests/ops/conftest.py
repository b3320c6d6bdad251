"""The helpers beside the tests can be imported."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent / "torch_counterparts", Path(__file__).parent):
    sys.path.insert(0, str(folder))
