"""Speaks HTTP: three addresses, all of them GET, each answered by a page or a file.

Enters: requests. Leaves: responses with a policy under which a page runs no script and loads nothing. Must
not know: how answers come about. No address leads to a file of this machine.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from symbp.errors import UsageError
from symbp.serve.asked import FORMATS, Asked, asked
from symbp.serve.desk import Answer, Refusal, Task
from symbp.serve.hosts import is_taken
from symbp.serve.pages import page, style_hashes
from symbp.serve.pool import Answers, Busy, Slow

LONGEST_QUERY = 64_000  # characters of an address
MOST_BODY = 4096  # bytes that a request may send along, and that nobody reads
METHODS = ("GET", "HEAD")
TEXT = "text/plain; charset=utf-8"


def create_app(answers: Answers, *, host: str = "127.0.0.1") -> Flask:
    """The application of a server that listens at `host`."""
    app = Flask("symbp.serve", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY
    headers = _headers()

    def refuse() -> Response | None:
        return _refused(request, host)

    def finish(response: Response) -> Response:
        response.headers.update(headers)
        return response

    def home() -> Response:
        return _page(answers)

    def download() -> Response:
        return _download(answers)

    app.before_request(refuse)
    app.after_request(finish)
    for rule, view in (("/", home), ("/download", download), ("/healthz", _healthy)):
        app.add_url_rule(rule, view_func=view, methods=["GET"], provide_automatic_options=False)
    app.register_error_handler(HTTPException, _problem)
    return app


def _headers() -> dict[str, str]:
    policy = (
        "default-src 'none'", f"style-src {' '.join(style_hashes())}", "img-src data:", "form-action 'self'",
        "base-uri 'none'", "frame-ancestors 'none'",
    )  # fmt: skip
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def _refused(request: Request, host: str) -> Response | None:
    """The answer to what isn't even looked at."""
    if not is_taken(request.headers.get("Host", ""), host):
        return _plain("this server doesn't go by that name", HTTPStatus.MISDIRECTED_REQUEST)
    if request.method not in METHODS:
        told = _plain("only GET is answered", HTTPStatus.METHOD_NOT_ALLOWED)
        told.headers["Allow"] = ", ".join(METHODS)
        return told
    if len(request.query_string) > LONGEST_QUERY:
        return _plain(
            f"the address has more than {LONGEST_QUERY} characters", HTTPStatus.REQUEST_URI_TOO_LONG
        )
    return None


def _healthy() -> Response:
    return _plain("ok", HTTPStatus.OK)


def _plain(words: str, status: HTTPStatus) -> Response:
    return Response(f"{words}\n", status, content_type=TEXT)


def _asked() -> Asked:
    return asked(request.args.to_dict(flat=False))


def _page(answers: Answers) -> Response:
    try:
        wanted = _asked()
    except UsageError as error:
        return Response(page(Asked(), problem=str(error)), HTTPStatus.BAD_REQUEST)
    if wanted.is_empty:
        return Response(page(wanted))
    found = answers.answer(Task(wanted, wanted.show))
    if isinstance(found, Answer):
        return Response(page(wanted, found))
    return Response(page(wanted, problem=found.message), _status(found))


def _download(answers: Answers) -> Response:
    form = request.args.get("format", "")
    try:
        wanted = _asked()
    except UsageError as error:
        return _plain(str(error), HTTPStatus.BAD_REQUEST)
    if form not in FORMATS or wanted.is_empty:
        known = ", ".join(FORMATS)
        return _plain(f"say of what, and which format: {known}", HTTPStatus.BAD_REQUEST)
    found = answers.answer(Task(wanted, form, file=True))
    if isinstance(found, Refusal):
        return _plain(found.message, _status(found))
    response = Response(found.text, content_type=f"{FORMATS[form]}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.file}"'
    return response


def _status(refusal: Refusal) -> HTTPStatus:
    if isinstance(refusal, Busy):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(refusal, Slow):
        return HTTPStatus.GATEWAY_TIMEOUT
    return HTTPStatus.INTERNAL_SERVER_ERROR if refusal.ours else HTTPStatus.BAD_REQUEST


def _problem(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    words = "there is no such page here" if status == HTTPStatus.NOT_FOUND else status.phrase.lower()
    return _plain(words, status)
