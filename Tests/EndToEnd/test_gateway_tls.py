"""TLS at both ends of the gateway: certificates from files, by name, renewed while streams run; replicas that speak TLS."""
import os
import socket
import ssl
import subprocess
import threading

import pytest

from gateway import Gateway, service
from harness import eventually
from http_sockets import Client, Upstream, Wire

# How often a gateway looks at its files, with room for a slow machine; in seconds.
RELOADED_WITHIN = 40


class Authority:
    """A certificate authority in a folder, and what it signs."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.certificate, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    @staticmethod
    def run(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def sign(self, target, *names):
        """Writes tls.crt and tls.key for these DNS names or IP addresses into the folder `target`, as a Secret has them."""
        target.mkdir(parents=True, exist_ok=True)
        request, extensions = self.folder / "request.csr", self.folder / "extensions"
        kinds = [f"IP:{name}" if name[0].isdigit() else f"DNS:{name}" for name in names]
        extensions.write_text(f"subjectAltName={','.join(kinds)}\n")
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={names[0]}",
                 "-keyout", target / "tls.key", "-out", request)
        self.run("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                 "-extfile", extensions, "-out", target / "tls.crt")
        return target


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


class TLSClient(Client):
    """A caller by HTTPS, which takes no certificate but its authority's for this name."""

    def __init__(self, address, authority, name, version=None):
        super().__init__(address)
        context = ssl.create_default_context(cafile=str(authority.certificate))
        context.set_alpn_protocols(["h2", "http/1.1"])
        if version:
            # Python's own floor must not be what refuses it.
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    @property
    def names(self):
        return {name for _, name in self.socket.getpeercert()["subjectAltName"]}


class TLSUpstream(Upstream):
    """A replica that speaks TLS."""

    def __init__(self, folder, answer=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        super().__init__(answer)

    def serve(self, sock):
        try:
            sock = self.context.wrap_socket(sock, server_side=True)
        except OSError:
            return sock.close()
        super().serve(sock)


def as_secret(mount, source):
    """Shows the files of `source` in `mount` as the kubelet shows a Secret: through links that are swapped in one step."""
    mount.mkdir(exist_ok=True)
    for name in ("tls.crt", "tls.key"):
        if not (mount / name).is_symlink():
            (mount / name).symlink_to(f"..data/{name}")
    (mount / "..new").symlink_to(source, target_is_directory=True)
    os.replace(mount / "..new", mount / "..data")
    return mount


def test_a_caller_by_https_is_served_and_the_replica_told(authority, tmp_path):
    folder = authority.sign(tmp_path / "tls", "models.test")
    with Upstream() as upstream, Gateway([service("m", upstream.address)], f"--tls-dir={folder}") as gateway:
        with TLSClient(gateway.address, authority, "models.test") as client:
            assert client.socket.version() == "TLSv1.3" and client.socket.selected_alpn_protocol() == "http/1.1"
            assert [client.ask("GET", "/default/m/x").status for _ in range(3)] == [200] * 3
            body = os.urandom(3_000_000)
            assert client.ask("POST", "/default/m/x", body).status == 200
        assert upstream.requests[0].headers["x-forwarded-proto"] == "https"
        assert "proto=https" in upstream.requests[0].headers["forwarded"]
        with TLSClient(gateway.address, authority, "models.test", ssl.TLSVersion.TLSv1_2) as client:
            assert client.ask("GET", "/default/m/x").status == 200


def test_old_versions_and_plain_text_are_refused(authority, tmp_path):
    folder = authority.sign(tmp_path / "tls", "models.test")
    with Upstream() as upstream, Gateway([service("m", upstream.address)], f"--tls-dir={folder}") as gateway:
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                TLSClient(gateway.address, authority, "models.test", version)
        with Client(gateway.address) as client:
            client.send(b"GET /default/m/x HTTP/1.1\r\nHost: models.test\r\n\r\n")
            assert client.is_closed(within=10)
        assert not upstream.requests


def test_each_name_is_shown_its_own_certificate(authority, tmp_path):
    one = authority.sign(tmp_path / "one", "one.test", "other.test")
    wild = authority.sign(tmp_path / "wild", "*.models.test")
    flags = (f"--tls-dir={one}", f"--tls-cert={wild / 'tls.crt'}", f"--tls-key={wild / 'tls.key'}")
    with Upstream() as upstream, Gateway([service("m", upstream.address)], *flags) as gateway:
        for name, names in {"one.test": {"one.test", "other.test"}, "other.test": {"one.test", "other.test"},
                            "a.models.test": {"*.models.test"}}.items():
            with TLSClient(gateway.address, authority, name) as client:
                assert client.names == names
                assert client.ask("GET", "/default/m/x").status == 200
        # A name that none holds is shown the first, and is the caller's to refuse.
        with pytest.raises(ssl.SSLCertVerificationError, match="one.test|mismatch"):
            TLSClient(gateway.address, authority, "unknown.test")


def test_a_renewed_certificate_is_used_and_no_stream_is_cut(authority, tmp_path):
    mount = as_secret(tmp_path / "mount", authority.sign(tmp_path / "old", "models.test", "old.test"))
    goes_on, last = threading.Event(), threading.Event()

    def stream(request):
        if request.target != "/stream":
            return request.respond()
        request.start(content_type="text/event-stream")
        for number, event in enumerate((None, goes_on, last)):
            assert event is None or event.wait(120)
            request.chunk(b"data: %d\n\n" % number)
        request.finish()

    with Upstream(stream) as upstream, Gateway([service("m", upstream.address)], f"--tls-dir={mount}") as gateway:
        with TLSClient(gateway.address, authority, "models.test") as client:
            client.request("GET", "/default/m/stream")
            assert client.head()[0].startswith("HTTP/1.1 200")
            events = client.chunks()
            assert next(events) == b"data: 0\n\n"
            as_secret(mount, authority.sign(tmp_path / "new", "models.test", "new.test"))
            eventually(lambda: gateway.lines("certificates reloaded"), "the new certificate", timeout=RELOADED_WITHIN)
            with TLSClient(gateway.address, authority, "models.test") as other:
                assert "new.test" in other.names
                assert other.ask("GET", "/default/m/x").status == 200
            goes_on.set()
            assert next(events) == b"data: 1\n\n"
            # One that cannot be used changes nothing, and is named.
            broken = tmp_path / "broken"
            broken.mkdir()
            (broken / "tls.crt").write_text("no certificate")
            (broken / "tls.key").write_bytes((tmp_path / "new/tls.key").read_bytes())
            as_secret(mount, broken)
            eventually(lambda: gateway.lines(level="error"), "the complaint", timeout=RELOADED_WITHIN)
            assert "tls.crt" in gateway.lines(level="error")[0]["problem"]
            with TLSClient(gateway.address, authority, "models.test") as other:
                assert "new.test" in other.names
            last.set()
            assert list(events) == [b"data: 2\n\n"]


def test_a_silent_handshake_is_cut(authority, tmp_path):
    folder = authority.sign(tmp_path / "tls", "models.test")
    with Gateway([service("m")], f"--tls-dir={folder}", "--head-timeout=500ms") as gateway, Client(gateway.address) as client:
        assert client.is_closed(within=10)


def websocket(request):
    assert request.headers["upgrade"] == "websocket"
    request.start(101, upgrade="websocket", connection="Upgrade")
    request.is_last = True
    while request.wire.buffer or request.wire.fill():
        request.send(bytes(request.wire.buffer[::-1]))
        request.wire.buffer.clear()


def test_a_tunnel_through_tls_at_both_ends(authority, tmp_path):
    folder = authority.sign(tmp_path / "tls", "models.test", "127.0.0.1")
    tls = {"caFile": str(authority.certificate)}
    with TLSUpstream(folder, websocket) as upstream:
        endpoint = {"address": upstream.address, "tls": tls}
        with Gateway([service("m", endpoints=[endpoint])], f"--tls-dir={folder}") as gateway:
            with TLSClient(gateway.address, authority, "models.test") as client:
                client.request("GET", "/default/m/x", Upgrade="websocket", Connection="Upgrade")
                assert client.head()[0].startswith("HTTP/1.1 101")
                for word in (b"abc", b"x" * 100_000):
                    client.send(word)
                    assert b"".join(client.exactly(len(word))) == word[::-1]


@pytest.mark.parametrize("case", ["trusted", "named", "unknown authority", "another name", "insecure", "plain"])
def test_a_replica_that_speaks_tls(case, authority, tmp_path):
    other = Authority(tmp_path, "other")
    folder = authority.sign(tmp_path / "tls", *(["replica.test"] if case in ("named", "another name") else ["127.0.0.1"]))
    tls = {
        "trusted": {"caFile": str(authority.certificate)},
        "named": {"caFile": str(authority.certificate), "serverName": "replica.test"},
        "unknown authority": {"caFile": str(other.certificate)},
        "another name": {"caFile": str(authority.certificate), "serverName": "elsewhere.test"},
        "insecure": {"insecureSkipVerify": True},
        "plain": {"caFile": str(authority.certificate)},
    }[case]
    is_good = case in ("trusted", "named", "insecure")
    with (Upstream() if case == "plain" else TLSUpstream(folder)) as upstream:
        # A connection is check enough for what is no secret; whether it is trusted shows in the request.
        with Gateway([service("m", endpoints=[{"address": upstream.address, "tls": tls}], queue={"maxWait": "2s"})]) as gateway:
            answer = gateway.ask("POST", "/default/m/x", b"secret")
            if is_good:
                assert answer.status == 200
                assert gateway.ask("GET", "/default/m/x").status == 200
            else:
                assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
                assert not upstream.requests


def test_a_certificate_that_cannot_be_used_stops_the_start(authority, tmp_path):
    folder = authority.sign(tmp_path / "tls", "models.test")
    other = authority.sign(tmp_path / "other", "models.test")
    for flags, words in {
        (f"--tls-dir={tmp_path}/none",): [f"{tmp_path}/none/tls.crt"],
        (f"--tls-cert={folder}/tls.crt",): ["--tls-cert", "--tls-key"],
        (f"--tls-cert={folder}/tls.crt", f"--tls-key={other}/tls.key"): ["tls.key"],
    }.items():
        with pytest.raises(AssertionError) as failure:
            Gateway([service("m")], *flags)
        assert all(word in str(failure.value) for word in words), failure.value


def test_a_reload_that_asks_for_tls_uses_no_plain_connection_again():
    with Upstream() as upstream, Gateway([service("m", upstream.address)]) as gateway:
        assert gateway.ask("GET", "/default/m/x").status == 200
        gateway.reload([service("m", endpoints=[{"address": upstream.address, "tls": True}], queue={"maxWait": "1s"})])
        eventually(lambda: gateway.lines("services reloaded"), "the reload")
        assert gateway.ask("POST", "/default/m/x", b"secret").status == 503
        assert len(upstream.requests) == 1
