"""What counts as the public internet: an own table, because the standard library's answer is wrong where it matters."""

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.engines.addresses import SPECIAL, forbidden, special_range

PUBLIC = ["8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "223.255.255.255",
          "2606:4700:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2003::1"]  # fmt: skip
STDLIB_SAYS_GLOBAL = ["64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "ff0e::1"]
ELSEWHERE = Path(__file__).parents[3] / "docs" / "reference" / "outbound.md"


@pytest.mark.parametrize("text", PUBLIC)
def test_the_public_internet_is_open(text: str) -> None:
    assert forbidden(ip_address(text), named=False, networks=()) is None


@pytest.mark.parametrize("text", STDLIB_SAYS_GLOBAL)
def test_what_the_standard_library_calls_global_is_refused_t33(text: str) -> None:
    assert ip_address(text).is_global
    assert forbidden(ip_address(text), named=True, networks=()) is not None


@given(st.ip_addresses())
def test_nothing_the_standard_library_calls_private_is_open_t33(address) -> None:
    if not address.is_global:
        assert special_range(address) is not None


@given(st.data())
def test_every_address_of_every_special_range_is_refused_t33(data) -> None:
    special = data.draw(st.sampled_from(SPECIAL))
    offset = data.draw(st.integers(0, special.network.num_addresses - 1))
    assert forbidden(special.network[offset], named=False, networks=()) is not None


@given(st.ip_addresses(v=6))
def test_ipv6_outside_the_assigned_unicast_range_is_refused_t33(address) -> None:
    if address not in ip_network("2000::/3"):
        assert forbidden(address, named=False, networks=()) is not None


@pytest.mark.parametrize("special", [special for special in SPECIAL if special.opens == "never"], ids=str)
def test_what_never_opens_is_not_opened_by_name_or_network_t33(special) -> None:
    found = forbidden(special.network[-1], named=True, networks=[special.network])
    assert found is not None
    assert found.opens == "never"


def test_a_name_opens_private_addresses_and_nothing_else() -> None:
    opened = {special.what for special in SPECIAL if not forbidden(special.network[-1], named=True, networks=())}
    assert opened == {"private", "private (unique local)", "loopback", "shared behind carrier NAT"}


def test_a_listed_network_opens_itself_and_not_its_neighbour() -> None:
    lab = [ip_network("198.18.5.0/24")]
    assert forbidden(ip_address("198.18.5.9"), named=False, networks=lab) is None
    assert forbidden(ip_address("198.18.6.9"), named=False, networks=lab) is not None


def test_a_nat64_address_opens_only_as_far_as_the_address_in_it_t33() -> None:
    nat64 = [ip_network("64:ff9b::/96")]
    assert forbidden(ip_address("64:ff9b::8.8.8.8"), named=False, networks=nat64) is None
    for hidden in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.0.0.192"):
        assert forbidden(ip_address(f"64:ff9b::{hidden}"), named=False, networks=nat64) is not None


def test_an_address_bound_to_an_interface_is_refused_t33() -> None:
    assert forbidden(ip_address("2606:4700::1%eth0"), named=True, networks=[ip_network("2606::/16")]) is not None


def test_the_reference_page_lists_exactly_this_table() -> None:
    rows = re.findall(r"^\| `([0-9a-f:./]+)` \| (.+?) \| (\w+) \|$", ELSEWHERE.read_text(), re.MULTILINE)
    assert rows == [(str(special.network), special.what, special.opens) for special in SPECIAL]
