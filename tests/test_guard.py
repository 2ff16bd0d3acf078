"""Where URLs that somebody gave may lead: a table of addresses, and servers that are clever."""

import asyncio
import gzip
import ipaddress
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvefold.exceptions import Unreachable, UrlRefused
from twelvefold.guard import DENIED, Rules, read_url, refusal, send

pytestmark = pytest.mark.anyio

DENIED_ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.255.255.254 168.63.129.16 169.254.169.254 169.254.170.2 169.254.0.1 172.16.0.1 172.31.255.255
192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255
192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255
:: ::1 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1:ffff::a00:1 100::1 2001::1
2001:0:4136:e378::1 2001:2::1 2001:10::1 2001:20::1
2001:db8::1 2002::1 2002:7f00:1:: 2002:808:808:: 2620:4f:8000::1
3fff::1 3fff:fff::1 5f00::1 fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
ff0e::1 4000::1 8000::1 0200::1 1::1 2001:4860:4860::8888%1
localhost 127.1 0x7f000001 2130706433 0177.0.0.1 1.2.3.4.5 example.com
""".split()

PUBLIC_ADDRESSES = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
168.63.129.17 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255
192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255 93.184.216.34
2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450::1 3ffe::1
""".split()


@pytest.mark.parametrize("address", [*DENIED_ADDRESSES, ""])
def test_nothing_is_sent_there(address: str):
    assert refusal(address)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_may_be_asked(address: str):
    assert refusal(address) is None


@given(st.ip_addresses())
def test_whatever_python_calls_special_is_denied_too(address):
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert refusal(str(address))


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:", "64:ff9b::", "::", "::ffff:0:"]))
def test_an_address_inside_another_leads_nowhere(address, prefix: str):
    assert refusal(f"{prefix}{address}")


def test_every_row_of_the_table_is_needed():
    """No row is within another, and each is a network of its own."""
    networks = [ipaddress.ip_network(network) for network in DENIED]

    for network in networks:
        others = [other for other in networks if other is not network]
        assert not any(
            network.version == other.version and network.subnet_of(other) for other in others
        ), network


# Reading a URL


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com/hook?a=b#c", ("https", "example.com", 443, "/hook?a=b")),
        ("HTTPS://Example.COM", ("https", "example.com", 443, "/")),
        ("https://example.com:443?x", ("https", "example.com", 443, "/?x")),
        ("https://xn--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443, "/")),
        ("https://a_b.example./", ("https", "a_b.example.", 443, "/")),
        ("https://8.8.8.8/", ("https", "8.8.8.8", 443, "/")),
        ("https://[2606:4700::1]/x", ("https", "2606:4700::1", 443, "/x")),
    ],
)
def test_a_url_is_read(url: str, target: tuple[str, str, int, str]):
    assert tuple(read_url(url)) == target


@pytest.mark.parametrize(
    "url",
    """
    http://example.com ftp://example.com file:///etc/passwd gopher://example.com:443/
    javascript:alert(1)
    data:text/plain,x //example.com example.com https:example.com https:/example.com https:///path
    https:// https://:443/ https://example.com:80/ https://example.com:22 https://example.com:0
    https://example.com:99999 https://example.com:443443 https://example.com:4a3 https://example.com:
    https://user@example.com https://user:secret@example.com https://@example.com https://a@b@example.com
    https://example.com\\@evil.example https://evil.example\\.example.com
    https://example.com%2eevil.example https://127.1/ https://0x7f.0.0.1/ https://0x7f000001/
    https://2130706433/ https://0177.0.0.1/ https://1.2.3/ https://127.0.0.1.:443/ https://[::1
    https://::1/ https://[fe80::1%25eth0]/ https://[::1]x/ https://[127.0.0.1]/ https://a..b/ https://.a/
    https://-/ https://exämple.com https://example.com/ä https://①.example https://①②⑦.0.0.1/
    https://example.com:443:443/ https://exa[mple.com https://example.com,evil.example/
    """.split(),
)
def test_what_may_be_read_in_two_ways_is_not_read(url: str):
    with pytest.raises(UrlRefused):
        read_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        " https://example.com",
        "https://exa mple.com",
        "https://exa\tmple.com",
        "https://example.com\r\nHost: evil",
        "https://example.com/\0",
        f"https://example.com/{'x' * 2000}",
        f"https://{'a' * 254}/",
    ],
    ids=["empty", "led by space", "space", "tab", "line", "nul", "long", "long host"],
)
def test_what_is_no_url_is_refused(url: str):
    with pytest.raises(UrlRefused):
        read_url(url)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str):
    for url in (text, f"https://{text}", f"https://example.com{text}"):
        try:
            target = read_url(url)
        except UrlRefused:
            continue
        assert (target.scheme, target.port) == ("https", 443)
        assert target.path.startswith("/")
        assert not set(target.host) & set("@\\/?# %")


def test_more_is_taken_where_the_rules_say_so():
    rules = Rules(frozenset({"http", "https"}), frozenset({80, 8080}))

    assert read_url("http://example.com", rules).authority == "example.com"
    assert read_url("https://[2606:4700::1]:8080", rules).authority == "[2606:4700::1]:8080"
    with pytest.raises(UrlRefused, match="Port 443"):
        read_url("https://example.com", rules)


# Sending

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """A server on an address of this machine, and what was asked of it."""

    def __init__(self, answer: bytes | Answer = OK) -> None:
        self.asked: list[bytes] = []
        self.done: list[asyncio.Task[None]] = []
        self._answer = answer

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.done.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        if isinstance(self._answer, bytes):
            writer.write(self._answer)
            await writer.drain()
        else:
            await self._answer(reader, writer)
        writer.close()


@asynccontextmanager
async def serving(
    *servers: tuple[str, Server], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """All at one port, which is yielded."""
    async with AsyncExitStack() as stack:
        port = 0
        for address, server in servers:
            started = await asyncio.start_server(server, address, port, ssl=tls)
            await stack.enter_async_context(started)
            port = started.sockets[0].getsockname()[1]
        yield port
        await asyncio.gather(*(task for _, server in servers for task in server.done))


class Names:
    """A resolver that gives the next answer each time, and remembers what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def inside(port: int, *networks: str, scheme: str = "http") -> Rules:
    return Rules(frozenset({scheme}), frozenset({port}), networks or ("127.0.0.1/32",))


async def test_a_request_goes_to_the_address_that_was_checked_and_says_the_name():
    server, names = Server(), Names(["127.0.0.1"])
    async with serving(("127.0.0.1", server)) as port:
        reply = await send(
            "POST",
            f"http://hook.example:{port}/in?a=b#c",
            content=b"{}",
            headers={"X-Sign": "s", "host": "evil.example", "Accept-Encoding": "gzip"},
            rules=inside(port),
            resolve=names,
        )

    assert (reply.status, reply.body, reply.cut) == (200, b"ok", False)
    head = server.asked[0].decode().lower()
    assert head.startswith("post /in?a=b http/1.1\r\n")
    assert f"host: hook.example:{port}\r\n" in head
    assert "x-sign: s" in head
    assert "evil" not in head
    assert "gzip" not in head


async def test_a_name_that_means_something_else_a_moment_later_is_of_no_use():
    """DNS rebinding: checked as one address, connected to as another."""
    checked, rebound = Server(), Server()
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with serving(("127.0.0.1", checked), ("127.0.0.2", rebound)) as port:
        url = f"http://hook.example:{port}/"
        await send("POST", url, rules=inside(port), resolve=names)
        assert (len(names.asked), len(checked.asked), len(rebound.asked)) == (1, 1, 0)

        with pytest.raises(UrlRefused, match="loopback"):
            await send("POST", url, rules=inside(port), resolve=names)

    assert (len(checked.asked), rebound.asked) == (1, [])


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"]],
    ids=str,
)
async def test_one_denied_address_of_a_name_is_enough(addresses: list[str]):
    server = Server()
    async with serving(("127.0.0.1", server)) as port:
        rules = Rules(frozenset({"http"}), frozenset({port}))
        with pytest.raises(UrlRefused, match=r"hook\.example is"):
            await send("GET", f"http://hook.example:{port}", rules=rules, resolve=Names(addresses))

    assert server.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_asked_by_any_name(host: str):
    server = Server()
    async with serving(("127.0.0.1", server)) as port:
        rules = Rules(frozenset({"http"}), frozenset({port}))
        with pytest.raises(UrlRefused):
            await send("GET", f"http://{host}:{port}", rules=rules)

    assert server.asked == []


async def test_a_redirect_is_a_reply_and_is_not_followed():
    inner = Server()
    async with serving(("127.0.0.1", inner)) as aim:
        where = f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{aim}/\r\nContent-Length: 0\r\n\r\n"
        async with serving(("127.0.0.1", Server(where.encode()))) as port:
            reply = await send(
                "POST", f"http://a.example:{port}", rules=inside(port), resolve=Names(["127.0.0.1"])
            )

    assert (reply.status, inner.asked) == (307, [])


async def test_the_next_address_is_tried_when_one_does_not_answer():
    server = Server()
    async with serving(("127.0.0.2", server)) as port:
        reply = await send(
            "GET",
            f"http://a.example:{port}",
            rules=inside(port, "127.0.0.0/8"),
            resolve=Names(["127.0.0.1", "127.0.0.2"]),
        )

    assert reply.status == 200


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
    except ConnectionError:
        pass


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Until the client gives up."""
    await reader.read()


async def test_an_endless_reply_is_cut():
    async with serving(("127.0.0.1", Server(endless))) as port:
        reply = await send(
            "GET",
            f"http://a.example:{port}",
            rules=inside(port),
            resolve=Names(["127.0.0.1"]),
            reply_bytes_max=100_000,
        )

    assert (len(reply.body), reply.cut) == (100_000, True)


async def test_a_small_reply_that_holds_a_large_one_stays_small():
    packed = gzip.compress(b"x" * 10_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    async with serving(("127.0.0.1", Server(head.encode() + packed))) as port:
        reply = await send(
            "GET", f"http://a.example:{port}", rules=inside(port), resolve=Names(["127.0.0.1"])
        )

    assert reply.body == packed


async def test_a_server_that_says_nothing_is_given_up():
    async with serving(("127.0.0.1", Server(silent))) as port:
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            await send(
                "GET",
                f"http://a.example:{port}",
                rules=inside(port),
                resolve=Names(["127.0.0.1"]),
                timeout_s=0.2,
            )


async def test_a_name_that_takes_for_ever_is_given_up():
    async def never(host: str, port: int) -> Sequence[str]:
        return await asyncio.Future()

    with pytest.raises(Unreachable, match=r"a\.example did not answer"):
        await send("GET", "https://a.example", resolve=never, timeout_s=0.05)


async def test_a_name_without_an_address_and_a_port_without_a_server_are_unreachable():
    with pytest.raises(Unreachable, match="no address"):
        await send("GET", "https://a.example", resolve=Names([]))
    async with serving(("127.0.0.1", Server())) as port:
        pass
    with pytest.raises(Unreachable):
        await send(
            "GET", f"http://a.example:{port}", rules=inside(port), resolve=Names(["127.0.0.1"])
        )


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    proxy, server = Server(), Server()
    async with serving(("127.0.0.1", proxy)) as aim, serving(("127.0.0.1", server)) as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{aim}")
        await send(
            "GET", f"http://a.example:{port}", rules=inside(port), resolve=Names(["127.0.0.1"])
        )

    assert (len(server.asked), proxy.asked) == (1, [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For hook.example, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem"
        " -subj /CN=hook.example -addext subjectAltName=DNS:hook.example".split(),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


async def test_a_certificate_proves_the_name_and_not_the_address(certificate: Path):
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    ours = ssl.create_default_context(cafile=certificate / "cert.pem")
    server = Server()
    async with serving(("127.0.0.1", server), tls=theirs) as port:
        rules = inside(port, scheme="https")

        async def ask(host: str, tls: ssl.SSLContext | None) -> int:
            url, names = f"https://{host}:{port}", Names(["127.0.0.1"])
            return (await send("GET", url, rules=rules, resolve=names, tls=tls)).status

        assert await ask("hook.example", ours) == 200
        for host, tls in (("other.example", ours), ("127.0.0.1", ours), ("hook.example", None)):
            with pytest.raises(Unreachable, match=r"(?i)certificate"):
                await ask(host, tls)

    assert len(server.asked) == 1
