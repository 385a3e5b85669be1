"""Server-side request forgery (T-33): whatever a URL or a name server says, no request reaches an inner address.

Every attack is aimed at a listener on all local addresses that must stay silent, on a port that the rules allow, so that
only the guard under test stands in the way. What would leave for the internet is stopped by pytest-socket, and the error
says for which address.
"""

import time

import pytest

from loopback import Canary, answer, certificate_for, serving
from sealwright.engines import Outbound, OutboundFailed, OutboundRefused, OutboundRules

PUBLIC = "93.184.216.34"

INNER = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1",
    "169.254.169.254", "169.254.1.1", "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::7f00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:7f00:1::", "2001::1",
    "fe80::1", "fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "ff02::1", "100::1", "2001:db8::1", "3fff::1",
    "5f00::1", "4000::1", "e000::1",
]  # fmt: skip

SPELLINGS = [
    "2130706433", "0x7f000001", "0x7f.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.1", "127.0.1",
    "127.0.0.01", "127.0.0.1.", "0", "0x0", "127.0.0.256", "1.2.3.4.5", "127.0.0.0x1", "127.0.0.1.0x7f",
    "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "١٢٧.٠.٠.١", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost",
    "localhost.", "local_host.example.org", "-a.example.org", "a-.example.org", "a..example.org", ".example.org",
    "%6c%6f%63alhost", "127.0.0.1%2f.example.org", "example.org%00.evil", "a" * 64 + ".example.org",
    "[::1%lo]", "[::1%25lo]", "[::ffff:0x7f.1]", "[::1", "::1", "[]", "[127.0.0.1]", "[::1]x", "[v1.x]",
]  # fmt: skip

SHAPES = [
    "https://good.example.org@{inner}/", "https://good.example.org:443@{inner}/", "https://user:pw@{inner}/",
    "https://{inner}\\@good.example.org/", "https://good.example.org\\@{inner}/", "https://{inner}#@good.example.org/",
    "https:/{inner}/", "https:{inner}/", "https:///{inner}/", "//{inner}/", "{inner}/", "https://{inner}:0/",
    "https://{inner}:99999/", "https://{inner}:44 3/", "https://{inner}:+443/", "https:// {inner}/", " https://{inner}/",
    "https://{inner}\t/", "https://{inner}\r\nHost: x/", "https://{inner}/\r\nX: y", "https://{inner}/\u2028",
    "https://\u200b{inner}/", "https://{inner}:\u0664\u0664\u0663/", "https://good.example.org:443:{inner}/",
    "https://{inner}/ä", "https://" + "a" * 3000 + "{inner}/",
    "file:///etc/passwd", "gopher://{inner}/_x", "ftp://{inner}/", "dict://{inner}/", "jar:https://{inner}!/",
    "data:text/plain,x", "javascript:alert(1)", "unix:///run/x.sock", "http+unix://%2Frun%2Fx.sock/", "ws://{inner}/",
]  # fmt: skip


def rules_for(canary: Canary, **more: object) -> OutboundRules:
    return OutboundRules(ports=frozenset({443, canary.port}), connect_seconds=1.0, total_seconds=2.0, **more)


def never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def stopped_on_the_way_to(address: str):
    """pytest-socket warns before it stops a connection that would leave this machine; warnings are errors here."""
    return pytest.raises(UserWarning, match=f'connect.. with host "{address}"')


@pytest.mark.parametrize("inner", INNER)
def test_an_inner_address_in_the_url_is_refused_t33(canary: Canary, inner: str) -> None:
    host = f"[{inner}]" if ":" in inner else inner
    with pytest.raises(OutboundRefused) as error:
        Outbound(rules_for(canary), resolver=never).request(f"https://{host}:{canary.port}/")
    assert error.value.reason == "outbound.address"


@pytest.mark.parametrize("inner", INNER)
def test_a_name_with_an_inner_address_is_refused_t33(canary: Canary, inner: str) -> None:
    with pytest.raises(OutboundRefused) as error:
        Outbound(rules_for(canary), resolver=lambda _host, _port: [inner]).request(
            f"https://evil.example.org:{canary.port}/"
        )
    assert error.value.reason == "outbound.address"
    assert inner not in str(error.value)  # else a refusal tells what names resolve to inside


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("order", [1, -1])
def test_a_name_with_public_and_inner_addresses_is_refused_t33(canary: Canary, inner: str, order: int) -> None:
    mixed = [PUBLIC, "2606:4700:4700::1111", inner][::order]
    with pytest.raises(OutboundRefused) as error:
        Outbound(rules_for(canary), resolver=lambda _host, _port: mixed).request(
            f"https://evil.example.org:{canary.port}/"
        )
    assert error.value.reason == "outbound.address"


@pytest.mark.parametrize("host", SPELLINGS)
def test_an_address_in_disguise_is_refused_before_anything_is_looked_up_t33(canary: Canary, host: str) -> None:
    """The whole of loopback is opened here, so that only the reading of the URL stands in the way."""
    sender = Outbound(rules_for(canary, networks=("127.0.0.0/8", "::1/128")), resolver=never)
    with pytest.raises(OutboundRefused) as error:
        sender.request(f"https://{host}:{canary.port}/")
    assert error.value.reason == "outbound.url"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_url_that_can_be_read_in_two_ways_is_refused_t33(canary: Canary, shape: str) -> None:
    url = shape.replace("{inner}", f"127.0.0.1:{canary.port}" if ":" not in shape[9:] else "127.0.0.1")
    sender = Outbound(rules_for(canary, networks=("127.0.0.0/8",)), resolver=never)
    with pytest.raises(OutboundRefused) as error:
        sender.request(url)
    assert error.value.reason == "outbound.url"


def test_a_user_name_in_a_url_is_named_as_what_is_wrong_t33() -> None:
    with pytest.raises(OutboundRefused, match="user name"):
        Outbound(resolver=never).check("https://good.example.org@evil.example.org/")


def test_a_local_name_is_refused_unless_it_is_listed_t33(canary: Canary) -> None:
    with pytest.raises(OutboundRefused, match="local name"):
        Outbound(rules_for(canary), resolver=never).request(f"https://localhost:{canary.port}/")


def test_a_name_that_changes_its_address_is_looked_up_once_t33(canary: Canary) -> None:
    """The first answer is public, every later one is loopback: the request leaves for the first, and for nothing else."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    with stopped_on_the_way_to(PUBLIC):
        Outbound(rules_for(canary), resolver=rebinding).request(f"https://rebind.example.org:{canary.port}/")
    assert asked == ["rebind.example.org"]


@pytest.mark.allow_hosts(["127.0.0.2", "127.0.0.3"])
def test_a_request_goes_to_the_pinned_address_and_to_no_other_t33(tmp_path) -> None:
    """Two real servers with the same certificate on one port; the name moves from the first to the second."""
    tls = certificate_for(tmp_path / "tls", "rebind.example.org")
    answers = iter([["127.0.0.2"], ["127.0.0.3"]])
    with (
        serving(lambda _: answer(200, b"two"), tls=tls, address="127.0.0.2") as two,
        serving(lambda _: answer(200, b"three"), tls=tls, address="127.0.0.3", port=two.port) as three,
    ):
        rules = OutboundRules(hosts=frozenset({"rebind.example.org"}), ports=frozenset({two.port}), ca_file=tls.ca)
        sender = Outbound(rules, resolver=lambda _host, _port: next(answers))
        pinned = sender.check(f"https://rebind.example.org:{two.port}/")
        assert [sender.send(pinned).body for _ in range(3)] == [b"two"] * 3
        assert (len(two.connections), three.connections) == (3, [])


def test_a_listed_host_reaches_loopback_but_no_metadata_service_t33(canary: Canary) -> None:
    rules = rules_for(canary, hosts=frozenset({"inside.example.org"}))
    for inner in ("169.254.169.254", "::ffff:127.0.0.1", "fd00:ec2::254", "0.0.0.0", "64:ff9b::7f00:1", "224.0.0.1"):
        with pytest.raises(OutboundRefused, match="kind"):
            Outbound(rules, resolver=lambda _host, _port, inner=inner: [inner]).check(
                f"https://inside.example.org:{canary.port}/"
            )
    assert Outbound(rules, resolver=lambda _host, _port: ["127.0.0.1"]).check(
        f"https://inside.example.org:{canary.port}/"
    )


def test_a_host_that_ends_like_a_listed_one_is_another_host_t33(canary: Canary) -> None:
    rules = rules_for(canary, hosts=frozenset({"inside.example.org"}))
    for host in ("evil-inside.example.org", "x.inside.example.org", "inside.example.org.evil.net"):
        with pytest.raises(OutboundRefused):
            Outbound(rules, resolver=lambda _host, _port: ["127.0.0.1"]).request(f"https://{host}:{canary.port}/")


@pytest.mark.parametrize("url", ["http://{}/", "HTTP://{}/", "http://{}:443/"])
def test_plain_http_is_refused_t33(canary: Canary, url: str) -> None:
    rules = rules_for(canary, hosts=frozenset({"a.example.org"}))
    with pytest.raises(OutboundRefused, match="https only"):
        Outbound(rules, resolver=never).request(url.format("a.example.org"))


def test_plain_http_never_leaves_this_machine_even_where_it_is_allowed_t33(canary: Canary) -> None:
    rules = rules_for(canary, plain_hosts=frozenset({"a.example.org"}), networks=("10.0.0.0/8",))
    for where in ([PUBLIC], ["10.0.0.1"], ["127.0.0.1", PUBLIC]):
        with pytest.raises(OutboundRefused, match="https only"):
            Outbound(rules, resolver=lambda _host, _port, where=where: where).request(
                f"http://a.example.org:{canary.port}/"
            )


@pytest.mark.parametrize("port", [1, 22, 25, 80, 2375, 5432, 6379, 9200, 11211, 65535])
def test_only_listed_ports_are_asked_t33(port: int) -> None:
    with pytest.raises(OutboundRefused, match="ports are: 443, 8443"):
        Outbound(resolver=never).request(f"https://a.example.org:{port}/")


def test_only_listed_hosts_are_asked_where_hosts_are_listed_t33(canary: Canary) -> None:
    rules = rules_for(canary, only=frozenset({"hooks.example.org"}))
    with pytest.raises(OutboundRefused, match="not among the hosts"):
        Outbound(rules, resolver=never).request("https://other.example.org/")
    assert (
        Outbound(rules, resolver=lambda _host, _port: [PUBLIC]).check("https://HOOKS.example.org/").destination.port
        == 443
    )


@pytest.mark.parametrize("found", [[], [PUBLIC] * 33, None])
def test_a_name_server_that_says_nothing_or_too_much_ends_the_request(canary: Canary, found) -> None:
    def resolver(host: str, port: int) -> list[str]:
        if found is None:
            raise OSError("no such name")
        return found

    with pytest.raises(OutboundFailed) as error:
        Outbound(rules_for(canary), resolver=resolver).request("https://a.example.org/")
    assert error.value.reason == "outbound.resolve"


def test_a_name_server_that_hangs_ends_at_the_limit(canary: Canary) -> None:
    before = time.monotonic()
    with pytest.raises(OutboundFailed, match="in time"):
        Outbound(rules_for(canary), resolver=lambda _host, _port: time.sleep(2.5) or [PUBLIC]).request(
            "https://a.example.org/"
        )
    assert time.monotonic() - before < 2


def test_a_public_name_does_leave_for_its_address() -> None:
    """So that the refusals above are not refusals of everything."""
    with stopped_on_the_way_to(PUBLIC):
        Outbound(resolver=lambda _host, _port: [PUBLIC]).request("https://a.example.org/")
