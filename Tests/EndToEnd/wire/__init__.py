"""Cases of HTTP/1.1 on the wire: what a client or a model server sends, and what the gateway must make of it."""
