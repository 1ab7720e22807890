"""A sandbox as its API clients see it: plain requests, and a proxy that records what passes through it."""
import base64
import http.client
import http.server
import json
import ssl
import tempfile
import threading
import urllib.parse


class Answer:
    """Status, content type and body; a watch's body is its first lines."""

    def __init__(self, status, kind, body):
        self.status, self.kind, self.body = status, kind, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.kind}: {self.body[:2000]!r}"


class Cluster:
    """The API server that a kubeconfig names, reached as its user."""

    def __init__(self, kubeconfig):
        with open(kubeconfig, encoding="utf-8") as file:
            document = json.load(file)
        cluster = document["clusters"][0]["cluster"]
        self.address = urllib.parse.urlparse(cluster["server"]).netloc
        self.token = document["users"][0]["user"]["token"]
        self.tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())

    def connect(self):
        return http.client.HTTPSConnection(self.address, context=self.tls, timeout=60)

    def ask(self, method, target, headers=None, body=None, lines=None):
        """Sends one request as it is. With `lines`, reads no more than so many lines of a watch."""
        connection = self.connect()
        try:
            connection.request(method, target, body, {"Authorization": f"Bearer {self.token}", **(headers or {})})
            response = connection.getresponse()
            data = response.read() if lines is None else b"".join(response.readline() for _ in range(lines))
            return Answer(response.status, response.headers.get("Content-Type"), data)
        finally:
            connection.close()


class Exchange:
    """One recorded request with its answer."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.answer = None

    def __repr__(self):
        return f"{self.method} {self.target} {self.body[:300]!r}"


class RecordingProxy:
    """Listens in plain text on loopback, passes everything on to a cluster as its user, and keeps what was said.

    `fault`, if set, is asked for each path, and its `(status, content type, body)` is answered in the cluster's stead.
    """

    def __init__(self, cluster):
        self.exchanges = []
        self.fault = None
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "authorization", "accept-encoding")}
                exchange = Exchange(self.command, self.path, {n.lower(): v for n, v in headers.items()}, body)
                proxy.exchanges.append(exchange)
                wrong = proxy.fault and proxy.fault(self.path)
                if wrong:
                    exchange.answer = Answer(*wrong)
                    self.send_response(wrong[0])
                    self.send_header("Content-Type", wrong[1])
                    self.send_header("Content-Length", str(len(wrong[2])))
                    self.end_headers()
                    self.wfile.write(wrong[2])
                    return
                connection = cluster.connect()
                try:
                    connection.request(self.command, self.path, body or None, {**headers, "Authorization": f"Bearer {cluster.token}"})
                    response = connection.getresponse()
                    self.send_response(response.status)
                    for name, value in response.getheaders():
                        if name.lower() not in ("transfer-encoding", "content-length", "connection", "date"):
                            self.send_header(name, value)
                    exchange.answer = Answer(response.status, response.headers.get("Content-Type"), b"")
                    if response.status == 304:  # it has no body to mark the end of
                        self.end_headers()
                        return
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    while piece := response.read1(65536):
                        exchange.answer.body += piece
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")
                except (OSError, http.client.HTTPException):  # either side has gone
                    self.close_connection = True
                finally:
                    connection.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def kubeconfig(self, namespace="default"):
        """A file that leads a client through the proxy."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.server.server_port}"}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
            }, file)
        return file.name

    def take(self):
        taken, self.exchanges = self.exchanges, []
        return taken

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
