"""The real thing: processes that are ended, a server that withstands two hundred hostile requests, Ctrl-C."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_requests import requests
from seen_page import is_harmless

from symbp.serve.asked import Asked
from symbp.serve.desk import Answer, Refusal, Task
from symbp.serve.pool import Pool, Slow

pytest.importorskip("flask", reason="the extra `serve` isn't installed")
pytest.importorskip("waitress", reason="the extra `serve` isn't installed")

ROOT = Path(__file__).parents[2]
SECONDS = 2.0
START = 60.0  # of a process on a machine that is busy
STATUSES = {200, 400, 404, 405, 413, 414, 421, 431, 503, 504}
PLAIN = Task(Asked(formula="norm2(A*w - b)^2/2", wrt="w"), "derivation")
CHAIN = "\n".join(f"y{k + 1} = y{k}*y{k} + y{k}" for k in range(58))
ENDLESS = Task(Asked(formula=f"y0 = x\n{CHAIN}\nsum(y58)", wrt="x", order="2"), "derivation")
pytestmark = pytest.mark.slow


def test_what_takes_too_long_is_ended_and_the_next_is_answered():
    pool = Pool(workers=1, seconds=1.0)
    try:
        before = pool._workers[0]._process.pid
        started = time.monotonic()
        refused = pool.answer(ENDLESS)
        assert isinstance(refused, Slow)
        assert "longer than 1 s" in refused.message
        assert time.monotonic() - started < START
        assert pool._workers[0]._process.pid != before
        pool._workers[0].seconds = 30.0
        found = pool.answer(PLAIN)
        assert isinstance(found, Answer)
        assert pool.answer(PLAIN) is found
    finally:
        pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are the system's")
def test_what_needs_too_much_memory_is_refused_and_the_next_is_answered():
    pool = Pool(workers=1, seconds=30.0, memory=2 << 30)
    try:
        huge = Asked(formula="x: 30000,30000\nsum(exp(x))", wrt="x", show="check")
        refused = pool.answer(Task(huge, "check"))
        assert isinstance(refused, Refusal)
        assert "memory" in refused.message
        assert isinstance(pool.answer(PLAIN), Answer)
    finally:
        pool.close()


@pytest.fixture
def server(tmp_path):
    """A server on a free port: its process and the port."""
    errors = tmp_path / "stderr"
    with errors.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "symbp.cli", "serve", "--port", "0", "--seconds", str(SECONDS)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=written,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        end = time.monotonic() + START
        while not (told := re.search(r"http://127\.0\.0\.1:(\d+)/", errors.read_text())):
            assert process.poll() is None, errors.read_text()
            assert time.monotonic() < end
            time.sleep(0.1)
        yield process, int(told[1]), errors
    finally:
        process.kill()
        process.wait()


def asked(port, request):
    """(status, text, seconds) of a request, its address as it is. A server may hang up on a body that it
    refuses to read: what it said before counts, and where that is lost, that it refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START)
    connection._validate_path = lambda _: None
    started = time.monotonic()
    given = {name for name, _ in request.headers}
    connection.putrequest(request.method, request.address, skip_host="Host" in given)
    for name, value in request.headers:
        connection.putheader(name, value)
    if request.body:
        connection.putheader("Content-Length", str(len(request.body)))
    try:
        try:
            connection.endheaders(request.body or None)
        except ConnectionError:
            if not request.body:
                raise
        response = connection.getresponse()
        return response.status, response.read().decode(), time.monotonic() - started
    except ConnectionError:  # RemoteDisconnected is one
        if not request.body:
            raise
        return 413, "", time.monotonic() - started
    finally:
        connection.close()


def test_hostile_and_huge_requests(server):
    """Each has a clear answer within its limit: no hang, no traceback, no file, nothing that runs."""
    process, port, errors = server
    sent = requests()
    assert len(sent) >= 200
    slow = 0
    for request in sent:
        status, text, seconds = asked(port, request)
        assert status in STATUSES, (request.address[:200], status, text[:500])
        assert seconds < SECONDS + START, request.address[:200]  # a process that was ended starts anew
        assert "Traceback" not in text
        assert "root:" not in text
        if request.method == "GET" and text.startswith("<!DOCTYPE html>"):
            assert is_harmless(text), request.address[:200]
        slow += status == 504
    assert slow < 20
    plain = type(sent[0])("/?formula=norm2(A*w-b)^2/2&wrt=w")
    for _ in range(5):  # two seconds are little where much else runs
        status, text, _ = asked(port, plain)
        if status == 200:
            break
    assert status == 200
    assert "∂loss/∂w = Aᵀ·(A·w - b)" in text
    assert "Traceback" not in errors.read_text()
    assert process.poll() is None


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_it_and_its_processes(server):
    process, port, errors = server
    assert asked(port, type(requests()[0])("/healthz"))[0] == 200
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    )
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert errors.read_text().count("\n") == 1
    end = time.monotonic() + START
    while [pid for pid in children.stdout.split() if _runs(pid)]:
        assert time.monotonic() < end
        time.sleep(0.2)


def _runs(pid):
    """Whether a process is there, and isn't one that only waits to be forgotten."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_a_port_that_is_taken_and_a_library_that_is_missing(server, capsys, monkeypatch):
    from symbp.cli.main import main
    from symbp.serve import server as serving

    _, port, _ = server
    assert main(["serve", "--port", str(port)]) == 2
    assert f"can't listen at 127.0.0.1:{port}" in capsys.readouterr().err
    assert main(["serve", "--port", "99999"]) == 2
    assert "99999 is no port" in capsys.readouterr().err
    monkeypatch.setattr(serving, "find_spec", lambda _: None)
    assert main(["serve"]) == 2
    assert "pip install flask waitress" in capsys.readouterr().err
