"""A model's end of streams and held requests: an epoll loop of few lines, run as a process on the load's core.

usage: streams.py steady EVENTS_PER_SECOND | once | slow MILLISECONDS | sink
  steady  answers each request with an event stream, and sends one event a turn on each
  once    answers each request with an event stream of one event that then stays silent
  sink    answers each request when it has all of its body
  slow    answers after a while, and counts how many requests it has at once
The first line printed is the port; `slow` prints the most it had at once whenever that grows.
"""
import re
import resource
import select
import socket
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}\n\n')
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Model:
    def __init__(self, mode, number):
        self.mode, self.number = mode, number
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8192)
        self.listener.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.listener.fileno(), select.EPOLLIN)
        self.connections, self.received = {}, {}
        self.streams, self.due, self.missing = [], [], {}
        self.most = 0

    def run(self):
        print(self.listener.getsockname()[1], flush=True)
        begun, turns = time.monotonic(), 0
        while True:
            for descriptor, _ in self.epoll.poll(self.patience(begun, turns)):
                if descriptor == self.listener.fileno():
                    self.accept()
                else:
                    self.read(descriptor)
            now = time.monotonic()
            if self.mode == "steady":
                while self.streams and (now - begun) * self.number > turns:
                    self.send(self.streams[turns % len(self.streams)], CHUNK)
                    turns += 1
                if not self.streams:
                    begun, turns = now, 0
            while self.due and self.due[0][0] <= now:
                self.send(self.due.pop(0)[1], OK)

    def patience(self, begun, turns):
        if self.mode == "steady" and self.streams:
            return max(0, begun + turns / self.number - time.monotonic())
        return max(0, self.due[0][0] - time.monotonic()) if self.due else 1

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except BlockingIOError:
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[connection.fileno()] = connection
            self.received[connection.fileno()] = b""
            self.epoll.register(connection.fileno(), select.EPOLLIN)

    def read(self, descriptor):
        try:
            piece = self.connections[descriptor].recv(65536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            return self.close(descriptor)
        if self.missing.get(descriptor):
            self.missing[descriptor] -= len(piece)
            if not self.missing[descriptor]:
                self.answer(descriptor)
            return
        data = self.received[descriptor] + piece
        while b"\r\n\r\n" in data:
            head, rest = data.split(b"\r\n\r\n", 1)
            length = re.search(rb"content-length: *(\d+)", head, re.I)
            wanted = int(length.group(1)) if length else 0
            if len(rest) < wanted:
                if self.mode == "sink":
                    self.missing[descriptor], data = wanted - len(rest), b""
                break
            data = rest[wanted:]
            self.answer(descriptor)
        self.received[descriptor] = data

    def answer(self, descriptor):
        if self.mode == "slow":
            self.due.append((time.monotonic() + self.number / 1000, descriptor))
            if len(self.due) > self.most:
                self.most = len(self.due)
                print(self.most, flush=True)
            return
        self.send(descriptor, OK if self.mode == "sink" else HEAD + CHUNK)
        if self.mode == "steady":
            self.streams.append(descriptor)

    def send(self, descriptor, octets):
        try:
            self.connections[descriptor].send(octets)
        except (OSError, KeyError):
            self.close(descriptor)

    def close(self, descriptor):
        connection = self.connections.pop(descriptor, None)
        if connection is None:
            return
        if descriptor in self.streams:
            self.streams.remove(descriptor)
        self.due = [(at, who) for at, who in self.due if who != descriptor]
        self.epoll.unregister(descriptor)
        connection.close()


if __name__ == "__main__":
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    Model(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0).run()
