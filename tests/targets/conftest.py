"""The helpers of several rooms can be imported: nets and random systems, trees read from text, values."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE.parent / "codegen", HERE / "compiled", HERE / "plain"):
    sys.path.insert(0, str(folder))
