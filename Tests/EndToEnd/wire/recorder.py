"""A model server that keeps what it is sent, to the byte, and answers as it is told."""
import asyncio
import dataclasses
import socket
import struct
import threading

from wire.message import Malformed, read_request

FENCE = "/fence"


@dataclasses.dataclass(frozen=True)
class Reply:
    """What is answered to a request, and what becomes of the connection then."""

    data: bytes
    # "open", "closed" (FIN), "reset" (RST).
    then: str = "open"
    # Answers as soon as the head is there, and reads on.
    at_head: bool = False
    # Seconds before the answer, so that what else is under way comes first.
    after: float = 0


def naming(request):
    """Says in the body which request this answers, so that a client sees when answers are mixed up."""
    body = b"" if request.method == "HEAD" else f"{request.method} {request.target}".encode()
    return Reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Loop:
    """The thread that all recorders share."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


class Recorder:
    """Listens on a port of its own. `reply(request)` says how a request is answered."""

    def __init__(self, loop, reply=naming):
        self.loop, self.reply = loop, reply
        self.forget()
        self.server = loop.run(self.open())
        self.address = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def open(self):
        return await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=256)

    def forget(self):
        # Whole requests in the order they came; and what else came: octets of a request that was broken off, or, as text,
        # what is wrong with one.
        self.requests, self.rests = [], []

    def take(self):
        """(requests, rests) since the last call, once everything that was sent before this call has been read."""
        self.loop.run(self.settle())
        requests, rests = self.requests, self.rests
        self.forget()
        return [request for request in requests if request.target != FENCE], rests

    async def settle(self):
        for _ in range(10):
            await asyncio.sleep(0)

    async def serve(self, reader, writer):
        data, is_answered = b"", False
        try:
            while piece := await reader.read(1 << 18):
                data += piece
                while data and (request := read_request(data)):
                    reply = self.reply(request)
                    if not is_answered and (request.is_whole or reply.at_head):
                        is_answered = True
                        await self.answer(reply, writer)
                    if not request.is_whole:
                        break
                    is_answered = False
                    self.requests.append(request)
                    data = data[request.length :]
        except OSError:
            pass  # Broken off; what came is noted below.
        except Malformed as problem:
            self.rests.append(f"{problem}: {data[:400]!r}")
            data = b""
        finally:
            if data:
                self.rests.append(data)
            writer.close()

    async def answer(self, reply, writer):
        if reply.after:
            await asyncio.sleep(reply.after)
        writer.write(reply.data)
        await writer.drain()
        if reply.then == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif reply.then == "closed":
            writer.close()
