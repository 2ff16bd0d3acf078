"""The server under load: 200 open streams, 50 requests a second, long lists."""
