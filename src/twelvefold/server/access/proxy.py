"""A proxy in front of us signs people in, and says who they are in a header.

Everybody can send a header. So it counts from the addresses of the proxy alone, and a request that
carries it from elsewhere is refused, never taken for somebody weaker.
"""

import logging
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fastapi import Request

from twelvefold.exceptions import ConfigurationError, NotSignedIn
from twelvefold.notices import visible
from twelvefold.server.access.around import around
from twelvefold.server.principal import SCOPES, Principal, Scope
from twelvefold.thread import DEFAULT_TENANT

log = logging.getLogger("twelvefold.server")

NAME_CHARS_MAX = 200


class TrustedProxy:
    """Whoever the proxy names.

    - `header`: who it is: a name or an address that the directory knows.
    - `networks`: the addresses of the proxy, such as `["10.0.0.7", "10.1.0.0/24"]`; never those of
      people. uvicorn must not replace the peer's address: run it with `proxy_headers=False`.
    - `tenant_header`: the header with the tenant; without it, all are in `tenant`.
    - `scopes`: what those it names may do.

    The proxy must remove these headers from what it is sent. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        header: str = "X-Forwarded-User",
        *,
        networks: Iterable[str],
        tenant_header: str | None = None,
        tenant: str = DEFAULT_TENANT,
        scopes: Iterable[Scope] = SCOPES,
    ) -> None:
        self.header, self.tenant_header, self.tenant = header, tenant_header, tenant
        self.scopes = frozenset(scopes)
        try:
            self.networks = [ip_network(network) for network in networks]
        except ValueError as error:
            raise ConfigurationError(f"TrustedProxy(networks=): {error}.") from error
        if not self.networks or any(network.prefixlen == 0 for network in self.networks):
            raise ConfigurationError(
                "TrustedProxy(networks=) names the addresses of the proxy alone: with none or all"
                " of them, anybody could say who they are."
            )

    async def principal(self, request: Request) -> Principal | None:
        self.refuse_strangers(request)
        if not self._given(request, self.header):
            if self.tenant_header and self._given(request, self.tenant_header):
                raise NotSignedIn(f"{self.tenant_header} came without {self.header}.")
            return None
        name, tenant = self._one(request, self.header), self.tenant
        if self.tenant_header is not None:
            tenant = self._one(request, self.tenant_header)
        person = await around(request).known_person(name, tenant)
        return Principal(person, person=person, tenant=tenant, scopes=self.scopes)

    def refuse_strangers(self, request: Request) -> None:
        """Raises `NotSignedIn` when our headers come from elsewhere, whatever else comes along."""
        peer = request.client.host if request.client else ""
        carried = [h for h in (self.header, self.tenant_header) if h and h in request.headers]
        if carried and not self._is_proxy(peer):
            log.warning("%s from %s, which is no trusted proxy: refused", carried[0], peer)
            raise NotSignedIn(
                f"{carried[0]} counts from the proxy alone, and {peer or 'this peer'} is not it."
                " Come through the proxy, or send a key as `Authorization: Bearer <key>`."
            )

    def _given(self, request: Request, header: str) -> list[str]:
        return request.headers.getlist(header)

    def _one(self, request: Request, header: str) -> str:
        """The one name in a header. Raises `NotSignedIn`."""
        values = self._given(request, header)
        if len(values) != 1 or not _is_name(values[0]):
            raise NotSignedIn(
                f"The proxy sent {header} {len(values)} times, or with no name in it"
                f" ({visible(', '.join(values)[:NAME_CHARS_MAX])}). It must set it to one name."
            )
        return values[0].strip()

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(_plain(address) in network for network in self.networks)


def _is_name(value: str) -> bool:
    """One name: a proxy that adds its header to a client's own leaves a comma between the two."""
    name = value.strip()
    return bool(name) and len(name) <= NAME_CHARS_MAX and name.isprintable() and "," not in name


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """A dual-stack socket shows IPv4 peers as ::ffff:10.0.0.7."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
