"""The rows of the tables, and how they are written.

Text stands for bytes in Latin-1. The client sends to `owl.test`, a service that is found by its host, unless a row says
otherwise; `/default/owl/...` is the same service found by its path, and `lark` one that is found by `model` in the body.
"""
import dataclasses

HOST = "Host: owl.test"
CHUNKED = "Transfer-Encoding: chunked"

# In a row's pieces: the client waits for 100 (Continue) before it sends the next one.
AFTER_CONTINUE = None


@dataclasses.dataclass(frozen=True)
class Sees:
    """A request as the model server must see it."""

    method: str
    target: str
    body: str = ""
    # Field lines by name in lower case: exactly one with this value.
    has: dict = dataclasses.field(default_factory=dict)
    # Names of fields that must not be there.
    lacks: tuple = ()
    trailers: tuple = ()


@dataclasses.dataclass(frozen=True)
class Case:
    """What a client sends, and what becomes of it."""

    # Where the verdict comes from: RFC and section.
    section: str
    name: str
    pieces: tuple
    # What the model server must see, in order. It answers each with 200.
    sees: tuple = ()
    # The status that the gateway answers by itself, after the answers to what was forwarded; several: any of them.
    statuses: tuple = ()
    # "open": another request on the same connection is served; "closed": the gateway ends it; "either".
    then: str = "open"
    # The client ends its sending half after the last piece.
    ends_sending: bool = False
    # Why this is forwarded although nginx and HAProxy both refuse it.
    differs: str = ""

    @property
    def may_see_continue(self):
        """Where the client asks for 100 (Continue); and where it ends its sending half, by which the gateway finds out
        whether it is still there."""
        return self.ends_sending or any(b"expect" in piece.lower() for piece in self.pieces if piece)


def refused(section, name, statuses, *pieces, after=(), **options):
    """An error, and the end of the connection; no whole request reaches the model server but those in `after`."""
    return Case(section, name, encoded(pieces), tuple(after), listed(statuses), "closed", **options)


def rejected(section, name, statuses, *pieces, **options):
    """An error about a request whose end is clear, so that the connection may stay; nothing reaches the model server."""
    return Case(section, name, encoded(pieces), (), listed(statuses), "either", **options)


def dropped(section, name, *pieces, **options):
    """The client goes before its request is whole: nothing is answered, and no whole request reaches the model server."""
    return Case(section, name, encoded(pieces), then="closed", ends_sending=True, **options)


def answered(section, name, statuses, *pieces, **options):
    """The gateway answers by itself."""
    return Case(section, name, encoded(pieces), statuses=listed(statuses), **options)


def forwarded(section, name, pieces, *sees, **options):
    """The model server sees these requests, and nothing else."""
    return Case(section, name, encoded(pieces if isinstance(pieces, tuple) else (pieces,)), sees, **options)


def encoded(pieces):
    return tuple(piece if piece is AFTER_CONTINUE else piece.encode("latin-1") for piece in pieces)


def listed(statuses):
    return statuses if isinstance(statuses, tuple) else (statuses,)


def message(start, *fields, body=""):
    return "\r\n".join([start, *fields, "", body])


def get(*fields, target="/g", host=HOST):
    return message(f"GET {target} HTTP/1.1", host, *fields)


def post(*fields, target="/p", host=HOST, body=""):
    return message(f"POST {target} HTTP/1.1", host, *fields, body=body)


def sized(body, *fields, **options):
    """A POST with this body and its length."""
    return post(f"Content-Length: {len(body)}", *fields, body=body, **options)


def chunked(body, *fields):
    """A POST whose body is this, chunked coding included."""
    return post(CHUNKED, *fields, body=body)


def the_get(**what):
    return Sees(what.pop("method", "GET"), what.pop("target", "/g"), **what)


def the_post(body="", **what):
    return Sees(what.pop("method", "POST"), what.pop("target", "/p"), body, **what)


def bytewise(text):
    return tuple(text)
