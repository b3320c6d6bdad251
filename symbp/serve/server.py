"""Listens, until Ctrl-C.

Enters: where to listen, limits. Leaves: nothing; all processes are ended. Must not know: what is asked.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.util import find_spec

from symbp.errors import UsageError
from symbp.serve.pool import Pool

THREADS = 8
LONGEST_HEADERS = 96_000  # bytes, the address among them
PATIENCE = 30  # seconds that a connection may say nothing
LAST_PORT = 65_535
NEEDED = ("flask", "waitress")


def run(host: str, port: int, *, seconds: float, told: Callable[[str], None]) -> None:
    """Serves pages until it is interrupted; `told` gets the address once it listens. Raises UsageError: the
    libraries aren't installed, or the port is taken."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"serving pages needs {' and '.join(missing)}, not installed here",
            help=f"pip install {' '.join(NEEDED)}, which is symbp's extra `serve`",
        )
    from waitress import create_server

    from symbp.serve.app import MOST_BODY, create_app

    listening = _listening(host, port)
    pool = Pool(seconds=seconds)
    try:
        server = create_server(
            create_app(pool, host=host),
            sockets=[listening],
            threads=THREADS,
            ident=None,
            channel_timeout=PATIENCE,
            max_request_header_size=LONGEST_HEADERS,
            max_request_body_size=MOST_BODY,
        )
        told(f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/")
        server.run()
        server.close()
    except KeyboardInterrupt:  # before it ran
        pass
    finally:
        listening.close()
        pool.close()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that waits for connections. Raises UsageError: the port is taken, no such host."""
    if not 0 <= port <= LAST_PORT:  # some systems would take the rest of a division
        raise UsageError(
            f"{port} is no port", help=f"choose one up to {LAST_PORT}, or 0 for any that is free"
        )
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        help = "another --port, or 0 for any that is free"
        raise UsageError(f"can't listen at {host}:{port}: {error}", help=help) from None
