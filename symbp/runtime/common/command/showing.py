"""Results on the console.

Enters: results. Leaves: text on stdout. Must not know: what was computed.
"""

from __future__ import annotations

import json
from typing import Any


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name}: {value:.6g}" if isinstance(value, float) else f"{name}: {value}")
