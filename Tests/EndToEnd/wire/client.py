"""A client that sends what it is told, byte for byte, and takes apart what comes back."""
import socket

from wire.case import AFTER_CONTINUE
from wire.message import read_response
from wire.recorder import FENCE

# Nothing takes this long but what will never come.
PATIENCE = 10


class Client:
    """One connection. `address` is host:port, or the path of a Unix socket."""

    def __init__(self, address):
        if "/" in address:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address)
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE)
        self.data = b""
        self.has_ended = False
        # Statuses of interim answers so far.
        self.interim = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """A peer that has closed shows in what is read."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def end_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has been reset.

    def send_all(self, case, wait):
        """Sends a row's pieces; calls `wait` where it waits for 100 (Continue)."""
        for piece in case.pieces:
            if piece is AFTER_CONTINUE:
                wait()
            else:
                self.send(piece)
        if case.ends_sending:
            self.end_sending()

    def receive(self):
        """Takes what has come, waiting for it; False at the end."""
        if self.has_ended:
            return False
        try:
            piece = self.socket.recv(1 << 18)
        except TimeoutError as error:
            raise AssertionError(f"nothing came for {PATIENCE} s; so far: {self.data[:400]!r}") from error
        except ConnectionResetError:
            piece = b""
        self.data += piece
        self.has_ended = not piece
        return bool(piece)

    def read_continue(self):
        while b"\r\n\r\n" not in self.data and self.receive():
            pass
        response = read_response(self.data)
        assert response and response.status == 100, f"no 100 (Continue) but {self.data[:400]!r}"
        self.data = self.data[response.length :]
        self.interim.append(100)

    def response(self, *, is_head=False):
        """The next answer that is not interim, cut where the connection has ended within it; None: there is none."""
        while True:
            response = read_response(self.data, is_head=is_head, has_ended=self.has_ended)
            if response and response.is_whole:
                self.data = self.data[response.length :]
                if response.status >= 200 or response.status == 101:
                    return response
                self.interim.append(response.status)
            elif self.has_ended:
                assert response or not self.data, f"the connection ended within a head: {self.data[:400]!r}"
                return response
            else:
                self.receive()

    def rest(self):
        """Everything up to the end of the connection."""
        while self.receive():
            pass
        rest, self.data = self.data, b""
        return rest


def fence(address):
    """A request of its own, through the proxy and back: what was sent to the proxy before has been read by then."""
    with Client(address) as client:
        client.send(f"GET {FENCE} HTTP/1.1\r\nHost: owl.test\r\nConnection: close\r\n\r\n".encode())
        response = client.response()
        assert response and response.status == 200 and response.body.endswith(FENCE.encode()), f"after the row: {response}"
