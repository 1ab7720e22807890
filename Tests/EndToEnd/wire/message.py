"""Takes HTTP/1.1 messages apart to the byte. Strict: what a gateway sends has one reading, or is a fault."""
import dataclasses
import re

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)[ \t]*")
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([!-~]+) HTTP/1\.1")
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t -~\x80-\xff]*)")


class Malformed(Exception):
    """The bytes can be read in more than one way, or in none."""


@dataclasses.dataclass(repr=False)
class Message:
    """A message as far as it came: the head is whole, the body only if `is_whole`. Text is Latin-1, names in lower case."""

    start: tuple
    fields: list
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    is_whole: bool = False
    # Bytes from the first of the head to the last of the message, where it is whole.
    length: int = 0

    def values(self, name):
        return [value for known, value in self.fields if known == name]

    @property
    def method(self):
        return self.start[0]

    @property
    def target(self):
        return self.start[1]

    @property
    def status(self):
        return int(self.start[0])

    def __repr__(self):
        end = "" if self.is_whole else " (cut)"
        return f"<{' '.join(self.start)} {self.fields} {self.body[:200]!r} {self.trailers}{end}>"


def read_request(data):
    """The request at the front of `data`; None while its head is not whole. - Raises: Malformed."""
    return read(data, REQUEST_LINE, lambda *_: "none", has_ended=False)


def read_response(data, *, is_head=False, has_ended=False):
    """The response at the front of `data`; None while its head is not whole. - Raises: Malformed."""

    def framing_without_fields(status, _):
        return "close" if int(status) >= 200 else "none"

    return read(data, STATUS_LINE, framing_without_fields, has_ended, is_head)


def read(data, start_line, framing_without_fields, has_ended, is_head=False):
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].split(b"\r\n")
    start = start_line.fullmatch(first)
    if not start:
        raise Malformed(f"the start line is {first[:200]!r}")
    message = Message(tuple(part.decode("latin-1") for part in start.groups()), [field(line) for line in lines])
    lengths, codings = message.values("content-length"), message.values("transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed(f"framed more than once: {message.fields}")
    rest = data[end + 4 :]
    if is_head or start_line is STATUS_LINE and message.status in (101, 204, 304):
        finish(message, b"", end + 4)
    elif codings:
        if codings != ["chunked"]:
            raise Malformed(f"Transfer-Encoding is {codings[0]!r}")
        read_chunks(message, rest, end + 4)
    elif lengths:
        if not re.fullmatch("0|[1-9][0-9]*", lengths[0]):
            raise Malformed(f"Content-Length is {lengths[0]!r}")
        message.body = rest[: int(lengths[0])]
        if len(message.body) == int(lengths[0]):
            finish(message, message.body, end + 4 + len(message.body))
    elif framing_without_fields(*message.start) == "none":
        finish(message, b"", end + 4)
    else:
        message.body = rest
        if has_ended:
            finish(message, rest, len(data))
    return message


def field(line):
    match = FIELD_LINE.fullmatch(line)
    if not match:
        raise Malformed(f"a field line is {line[:200]!r}")
    return match[1].decode().lower(), match[2].decode("latin-1")


def finish(message, body, length):
    message.body, message.length, message.is_whole = body, length, True


def read_chunks(message, rest, offset):
    """Extensions are no part of what a gateway sends: it drops them."""
    position = 0
    while (line_end := rest.find(b"\r\n", position)) >= 0:
        size = rest[position:line_end]
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
            raise Malformed(f"a chunk size is {size[:200]!r}")
        position = line_end + 2
        count = int(size, 16)
        if count == 0:
            return read_trailers(message, rest, position, offset)
        message.body += rest[position : position + count]
        position += count
        if len(rest) < position + 2:
            return None
        if rest[position : position + 2] != b"\r\n":
            raise Malformed(f"a chunk is followed by {rest[position:position + 2]!r}")
        position += 2
    return None


def read_trailers(message, rest, position, offset):
    while (line_end := rest.find(b"\r\n", position)) >= 0:
        line = rest[position:line_end]
        position = line_end + 2
        if not line:
            return finish(message, message.body, offset + position)
        message.trailers.append(field(line))
    return None
