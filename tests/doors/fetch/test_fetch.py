"""Evidence is fetched from where a person says, and from nowhere else."""

import pytest

from loopback import answer, certificate_for, serving
from sealwright.doors.fetch import fetch
from sealwright.engines import OutboundFailed, OutboundRefused
from sealwright.kernel import InvalidInput


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory):
    return certificate_for(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_document_inside_is_fetched_when_a_person_types_its_address(tls, host: str) -> None:
    with serving(lambda _: answer(200, b'{"a": 1}'), tls=tls) as server:
        assert fetch(f"https://{host}:{server.port}/evidence.json", ca=tls.ca) == b'{"a": 1}'


def test_an_answer_that_leads_elsewhere_is_not_followed_t33(tls, canary) -> None:
    there = f"https://127.0.0.1:{canary.port}/"
    with (
        serving(lambda _: answer(302, Location=there), tls=tls) as server,
        pytest.raises(OutboundRefused, match="redirect"),
    ):
        fetch(f"https://localhost:{server.port}/", ca=tls.ca)


@pytest.mark.parametrize(
    "address",
    ["http://localhost/", "https://169.254.169.254/latest/meta-data", "https://u:p@localhost/", "https://0x7f.1/", "evidence.json",
     "https://[::ffff:127.0.0.1]/", "file:///etc/passwd"],
)  # fmt: skip
def test_what_no_person_means_is_refused_t33(address: str) -> None:
    with pytest.raises(OutboundRefused):
        fetch(address)


def test_a_server_that_says_no_or_is_not_believed_is_told_apart(tls) -> None:
    with serving(lambda _: answer(404), tls=tls) as server:
        with pytest.raises(InvalidInput, match="404"):
            fetch(f"https://localhost:{server.port}/", ca=tls.ca)
        with pytest.raises(OutboundFailed, match="certificate"):
            fetch(f"https://localhost:{server.port}/")
