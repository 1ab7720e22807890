"""HTTP/1.1 on bare sockets: a client that does as it is told, and a server that answers as a test wants it."""
import itertools
import socket
import struct
import threading


class Truncated(Exception):
    """The peer closed before the message was whole."""


class Wire:
    """The messages on one socket, in the order of their bytes."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = bytearray()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data):
        """Each byte in a segment of its own."""
        for byte in data:
            self.socket.sendall(bytes([byte]))

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST, as a process that was killed with unread data does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def fill(self, limit=1 << 18):
        """Waits for more bytes; False at the end."""
        data = self.socket.recv(limit)
        self.buffer += data
        return bool(data)

    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            if not self.fill():
                raise Truncated(f"end within a line: {bytes(self.buffer[:200])!r}")
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        return line.decode("latin-1")

    def head(self):
        """(first line, fields by lower-case name), or None where the peer closed instead of sending one."""
        if not self.buffer and not self.fill():
            return None
        first, fields = self.line(), {}
        while line := self.line():
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return first, fields

    def some(self, most):
        """At least one byte and at most `most`."""
        if not self.buffer and not self.fill():
            raise Truncated(f"{most} bytes or fewer are missing")
        data = bytes(self.buffer[:most])
        del self.buffer[:most]
        return data

    def exactly(self, count):
        """`count` bytes, in pieces."""
        while count:
            piece = self.some(count)
            count -= len(piece)
            yield piece

    def chunks(self):
        """The data of a chunked body, in pieces; its trailer fields are dropped."""
        while size := int(self.line().partition(";")[0], 16):
            yield from self.exactly(size)
            assert self.line() == "", "no line end after a chunk"
        while self.line():
            pass

    def until_end(self):
        yield bytes(self.buffer)
        self.buffer.clear()
        while self.fill():
            yield bytes(self.buffer)
            self.buffer.clear()

    def pieces(self, fields, *, is_request):
        """The body that comes after a head with these fields."""
        if fields.get("transfer-encoding", "").lower() == "chunked":
            return self.chunks()
        if "content-length" in fields:
            return self.exactly(int(fields["content-length"]))
        return iter(()) if is_request else self.until_end()


def head_bytes(first, fields):
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in fields.items()), "", ""]).encode("latin-1")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Response:
    def __init__(self, first, headers, body):
        self.status = int(first.split(" ", 2)[1])
        self.headers, self.body = headers, body

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:400]!r}"


class Client(Wire):
    """One connection of a caller."""

    def __init__(self, address, source=None, receive_buffer=None, timeout=20):
        host, port = address.rsplit(":", 1)
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(timeout)
        if source:
            sock.bind((source, 0))
        sock.connect((host, int(port)))
        super().__init__(sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, target, body=None, **headers):
        """Sends a request; header names are given with '_' for '-'."""
        fields = {"Host": "gateway.test"}
        if body is not None:
            fields["Content-Length"] = len(body)
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.send(head_bytes(f"{method} {target} HTTP/1.1", fields) + (body or b""))

    def response(self, method="GET"):
        """The next answer, whole. Interim ones are passed over."""
        while True:
            head = self.head()
            if head is None:
                raise Truncated("closed without an answer")
            first, fields = head
            status = int(first.split(" ", 2)[1])
            if status >= 200:
                break
        has_body = method != "HEAD" and status not in (204, 304)
        return Response(first, fields, b"".join(self.pieces(fields, is_request=False)) if has_body else b"")

    def ask(self, method, target, body=None, **headers):
        self.request(method, target, body, **headers)
        return self.response(method)

    def is_closed(self, within):
        """Reads to the end; False where the peer leaves the connection open for `within` seconds."""
        self.socket.settimeout(within)
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def ask(address, method, target, body=None, **headers):
    """One request on a connection of its own."""
    with Client(address) as client:
        return client.ask(method, target, body, **headers)


class Request:
    """A request that an upstream got, and the means to answer it."""

    def __init__(self, wire, connection, first, headers):
        self.wire, self.connection, self.headers = wire, connection, headers
        self.method, self.target, _ = first.split(" ")
        self.pieces = wire.pieces(headers, is_request=True)
        self.is_last = headers.get("connection", "").lower() == "close"
        self.is_over = threading.Event()

    def read(self):
        return b"".join(self.pieces)

    def send(self, data):
        self.wire.send(data)

    def start(self, status=200, **headers):
        """The head of an answer; chunked unless the headers say otherwise."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if not {"content-length", "connection", "upgrade"} & {name.lower() for name in fields}:
            fields["transfer-encoding"] = "chunked"
        self.send(head_bytes(f"HTTP/1.1 {status} Whatever", fields))

    def chunk(self, data):
        self.send(chunk(data))

    def finish(self):
        self.send(b"0\r\n\r\n")

    def respond(self, status=200, body=b"ok\n", **headers):
        fields = {"content-length": len(body)} | {name.replace("_", "-"): value for name, value in headers.items()}
        self.send(head_bytes(f"HTTP/1.1 {status} Whatever", fields) + body)

    def close(self):
        self.is_last = True
        self.wire.close()

    def reset(self):
        self.is_last = True
        self.wire.reset()


class Upstream:
    """A server that answers each request by `answer(request)`, with a thread for each connection."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda request: request.respond())
        self.requests = []
        self.problems = []
        self.wires = {}
        self.numbers = itertools.count()
        self.open()

    def open(self, port=0):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        number = next(self.numbers)
        self.wires[number] = wire = Wire(sock)
        try:
            while head := wire.head():
                request = Request(wire, number, *head)
                self.requests.append(request)
                try:
                    self.answer(request)
                    for _ in () if request.is_last else request.pieces:
                        pass
                finally:
                    request.is_over.set()
                if request.is_last:
                    break
        except (OSError, Truncated):
            pass  # The gateway, or the test, closed: what that means is the test's to say.
        except Exception as error:
            self.problems.append(error)
        finally:
            del self.wires[number]
            wire.close()

    @property
    def connections(self):
        return len(self.wires)

    def close(self):
        """Dies: refuses connections, and ends those that are open."""
        for sock in (self.listener, *(wire.socket for wire in list(self.wires.values()))):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It was closed already.
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        assert not self.problems, self.problems
