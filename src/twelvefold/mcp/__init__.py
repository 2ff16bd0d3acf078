"""The Model Context Protocol, both ways, for `pip install 'twelvefold[mcp]'`.

The server offers the agents of an application as tools; `client` makes the tools of other servers
into steps. The SDK (`mcp`) is imported where one of them is first used, never by the import of
`twelvefold` or of this package.
"""
