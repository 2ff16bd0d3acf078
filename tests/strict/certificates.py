"""The SDKs read some hundred certificates for each client, although nothing here speaks TLS."""

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

END = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One that is trusted: to read all of them takes 15 ms, twice where a client has two ways."""
    every = Path(certifi.where()).read_text(encoding="utf-8")
    one = tmp_path_factory.mktemp("trusted") / "one.pem"
    one.write_text(every.partition(END)[0] + END, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(one))
        patch.delenv("SSL_CERT_DIR", raising=False)
        yield
