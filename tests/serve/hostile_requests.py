"""Two hundred requests that nobody means well with, and huge ones: what they are, not what is to come out."""

import random
from dataclasses import dataclass
from urllib.parse import urlencode

SEED = 13


@dataclass(frozen=True)
class Request:
    """An address, as it goes over the wire, and how."""

    address: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def formula(text, wrt="x", **more):
    return Request("/?" + urlencode({"formula": text, "wrt": wrt, **more}))


MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "</title><script>1</script>",
    "{{ 7*7 }}{% raw %}",
    "{{ config.items() }}",
    "${7*7}",
    "&lt;b&gt;",
    "]]><script>alert(1)</script>",
)
CODE = (
    "__import__('os').system('id')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "open('/etc/passwd')",
    "exec(x)",
    "eval(x)",
    "lambda: x",
    "globals()",
    "sympify(x)",
    "x; import os",
    "__builtins__",
    "os.environ",
    "f'{x}'",
    "[x for x in y]",
    "x if x else y",
    "sum(x) == exit()",
    "import(x)",
    "x := 3",
    "print(x)\nsum(x)",
    "@x",
    "def f(x): x",
    "bp.derive(x)",
    "np.exp(x)",
    "x.T.__doc__",
    "getattr(x, x)",
    "sum(__name__)",
)
SIGNS = (
    "\x00",
    "sum(x)\x00",
    "x\x00y",
    "\ufeffsum(x)",
    "sum(x\u200b)",
    "\u202esum(x)",
    "sum(х)",
    "ｓｕｍ(x)",
    "sum(x)²³⁴⁵",
    "x" + "\u0301" * 500,
    "𝐱",
    "sum(x)^٣",
    "🦊" * 200,
    "\\x41",
    "sum(x)\r\nSet-Cookie: a=b",
    "%s%n%x",
    "\x1b[31m",
    "sum(x)\u2028sum(x)",
    "ﬁ(x)",
    "ⅷ*sum(x)",
    "￿",
    "sum(x)" + "\n" * 3000,
    "#" * 5000,
    ";" * 5000,
    "\t" * 5000,
)
DEEP = (
    "(" * 50 + "x" + ")" * 50,
    "(" * 4000 + "x" + ")" * 4000,
    "[" * 3000,
    "-" * 9000 + "x",
    "x" + "'" * 9000,
    "exp(" * 12 + "sum(x)" + ")" * 12,
    "exp(" * 11 + "sum(x)" + ")" * 11,
    "sin(" * 60 + "sum(x)" + ")" * 60,
    "|" * 400,
    "x[" * 300,
    "√" * 500 + "x",
    "Σ_i " * 200 + "x[i]",
    "sum_i(" * 90 + "x[i]" + ")" * 90,
    "x^" * 300 + "2",
    "sum(x" + "^2" * 95 + ")",
)
HUGE = (
    "sum(x)^200",
    "sum(x)^999999999",
    "9^9^9^9*sum(x)",
    "2^199^2*sum(x)",
    "1e400*sum(x)",
    "1e99999999*sum(x)",
    "9" * 5000,
    "sum(x)*" + "9" * 59,
    "loggamma(10^50)*sum(x)",
    "sum(x)/0",
    "0^(-1)*sum(x)",
    "(1/0)^x",
    "sum(x)%0",
    "sum((1 + x)^150)",
    "sum(x)^" + "1" * 100,
    "exp(9^99)*sum(x)",
    "prod(x)^150",
    "10^(10^10)*sum(x)",
    "exp(loggamma(1000))*sum(x)",
    "sum(x)^0.00000000000000000001",
    "x^x^x^x",
    "(-1)^sum(x)",
    "∞*sum(x)",
    "sum(x)^∞",
)
SHAPES = (
    "x: 999999999\nsum(x)",
    "x: 999999999,999999999\nsum(x)",
    "x: 0\nsum(x)",
    "x: -1\nsum(x)",
    "x: N,N,N,N,N,N,N,N\nsum(x)",
    "x: N,N,N,N,N,N,N,N,N\nsum(x)",
    "x: 2000,2000\nsum(exp(x@x))",
    "x: N" + ",N" * 4000,
    "x:" * 3000,
    "x: x\nsum(x)",
    "x: N:symmetric\nsum(x)",
    "x: N:evil\nsum(x)",
    "x: __class__\nsum(x)",
    "x: ../../etc\nsum(x)",
    "x: 1e9\nsum(x)",
    "x: N:below=999999999\nsum(x)",
    "lambda: N\nsum(lambda)",
    "x: 100000\ny: 100000\nsum(x*y')",
    ":",
    ": N",
    "x: N\nx: N\nsum(x)",
)


def _lines(count, line):
    return "\n".join(line.format(k, k + 1) for k in range(count))


def _long(draw):
    """Formulas of many terms, names, definitions; some take longer than anybody waits."""
    names = [f"a{k}" for k in range(120)]
    yield formula(" + ".join(["sum(x)"] * 1000))
    yield formula("*".join(["sum(x)"] * 400))
    yield formula(" + ".join(f"sum({name}*x)" for name in names))
    yield formula("+".join(f"sum(sin({k}*x))" for k in range(300)))
    yield formula("*".join(f"(sum(x) + {k})" for k in range(300)))
    yield formula("y0 = x\n" + _lines(58, "y{1} = tanh(y{0}) + y{0}") + "\nsum(y58)")
    yield formula("y0 = x\n" + _lines(58, "y{1} = y{0}*y{0} + y{0}") + "\nsum(y58)", order="2")
    yield formula("y0 = x\n" + _lines(500, "y{1} = y{0}*y{0}") + "\nsum(y500)")
    yield formula("A: N,N\nB0 = A\n" + _lines(30, "B{1} = B{0}@B{0}") + "\ntrace(B30)", wrt="A", order="2")
    yield formula("A: N,N\nlogdet(" + "@".join(["(A + I)"] * 60) + ")", wrt="A")
    yield formula("log(" + " + ".join(f"exp(sum(x^{k}))" for k in range(2, 60)) + ")", order="2")
    yield formula("A: 300,300\nlogdet(A@A' + I) + trace(inv(A@A' + I))", wrt="A", show="check")
    yield formula("x: 200000\nsum(exp(x))", show="check")
    yield formula("softmax(" * 10 + "x" + ")" * 10 + "'*x", order="2", show="check")
    for _ in range(12):
        yield formula("".join(draw.choices("xyA()[]^*+-/@'=,;:_01 \nΣ√|⊙∞", k=draw.randrange(1, 400))))


PATHS = (
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd",
    "/etc/passwd",
    "/static/../README.md",
    "/..%5c..%5cwindows",
    "/%00",
    "/templates/page.html.j2",
    "/index.html",
    "/symbp/api.py",
    "/.git/config",
    "/" + "a" * 9000,
    "/healthz/../../etc/passwd",
    "/download/../../etc/passwd",
    "/file:///etc/passwd",
)
NETS = (
    "../../../etc/passwd",
    "/etc/passwd",
    "mlp.py",
    "symbp.api",
    "__init__",
    "mlp\x00",
    "os",
    "mlp;ls",
    "my_net.py:net",
    "MLP",
    "a" * 399,
    "a" * 401,
    "file:///etc/passwd",
)
QUERIES = (
    ("show", "../x"),
    ("reading", "__class__"),
    ("order", "9" * 50),
    ("order", "-1"),
    ("target", "jax;id"),
    ("wrt", "," * 399),
    ("wrt", "__class__"),
    ("wrt", "W1,W1,nothing"),
    ("wrt", "x"),
    ("show", "derivation\x00"),
)


def _addresses():
    """Paths, queries and headers."""
    yield from map(Request, PATHS)
    for net in NETS:
        yield Request("/?" + urlencode({"net": net}))
    for name, value in QUERIES:
        yield Request("/?" + urlencode({"net": "mlp", name: value}))
    for form in ("../../x", "pdf", "", "html\x00", "py\r\nX-A: b"):
        yield Request("/download?" + urlencode({"net": "neuron", "format": form}))
    yield Request("/?net=neuron&net=mlp")
    yield Request("/?net=neuron&formula=x")
    yield Request("/?%ff%fe=%ff&formula=%c0%af&wrt=%80")
    yield Request("/?" + "&" * 20_000)
    yield Request("/?" + "&".join(f"a{k}=1" for k in range(8_000)))
    yield Request("/?formula=" + "x" * 63_000)
    yield Request("/?formula=" + "x" * 80_000)
    yield Request("/?formula=" + "%F0%9F%A6%8A" * 5_000)
    yield Request("/?formula=sum(x)%27+OR+1%3D1+--")
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1", "a" * 5000):
        yield Request("/?net=neuron", headers=(("Host", host),))
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        yield Request("/", method=method)
    yield Request("/", method="POST", body=b"formula=sum(x)&wrt=x")
    yield Request("/", method="POST", body=b"x" * 1_000_000)
    yield Request(
        "/healthz", headers=(("X-Forwarded-Host", "evil.example"), ("X-Original-URL", "/etc/passwd"))
    )


def requests():
    """All of them, always the same; the quick ones first."""
    draw = random.Random(SEED)
    found = [Request("/?" + urlencode({"formula": text, "wrt": text})) for text in MARKUP]
    found += [Request("/?" + urlencode({"net": text})) for text in MARKUP[:6]]
    found += [
        Request("/download?" + urlencode({"formula": f"sum(x) {text}", "format": "html"}))
        for text in MARKUP[:4]
    ]
    found += [formula(text) for text in (*CODE, *SIGNS, *DEEP, *HUGE, *SHAPES)]
    found += _addresses()
    return [*found, *_long(draw)]
