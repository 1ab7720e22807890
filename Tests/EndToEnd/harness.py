"""What the end-to-end tests share: a sandbox of their own, the kubectls that are found, and requests to a gateway."""
import functools
import glob
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PILOTLIGHT", ROOT / ".build/release/pilotlight"))


def eventually(test, what, timeout=60, interval=0.1):
    """Returns the first true value of `test()`; fails with `what` when none came within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout} s (last: {value!r})")
        time.sleep(interval)


class Kubectl:
    """One kubectl binary against one sandbox."""

    def __init__(self, binary, kubeconfig, home):
        self.binary, self.kubeconfig, self.home = binary, kubeconfig, home
        self.is_old = (version_of(binary) or (1, 0)) < (1, 27)

    def command(self, *arguments):
        if self.is_old and arguments[0] == "apply":  # it validates by /openapi/v2; the server validates all the same
            arguments = ("apply", "--validate=false", *arguments[1:])
        return [self.binary, "--kubeconfig", self.kubeconfig, *arguments]

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.home, "KUBECONFIG": self.kubeconfig}

    def run(self, *arguments, stdin=None, check=True, timeout=60):
        """Runs kubectl to its end; with `check`, a failure is the test's failure, with all it said."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=timeout, env=self.environment()
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def out(self, *arguments, **options):
        return self.run(*arguments, **options).stdout

    def json(self, *arguments, **options):
        return json.loads(self.out(*arguments, "-o", "json", **options))

    def start(self, *arguments):
        """Starts a kubectl that goes on, such as `get -w` or `logs -f`."""
        return subprocess.Popen(
            self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment()
        )


@functools.cache
def version_of(binary):
    """(major, minor) of a kubectl, or None when it is none."""
    try:
        done = subprocess.run([binary, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=30)
        version = json.loads(done.stdout)["clientVersion"]
        return int(version["major"]), int(re.match(r"\d+", version["minor"]).group())
    except (OSError, ValueError, KeyError, AttributeError, subprocess.TimeoutExpired):
        return None


def found_kubectls():
    """Each minor version once: what is on PATH, what lies beside it, what PILOTLIGHT_KUBECTLS names (colon-separated)."""
    candidates = []
    on_path = shutil.which("kubectl")
    if on_path:
        candidates += sorted(glob.glob(os.path.join(os.path.dirname(os.path.realpath(on_path)), "kubectl*")))
        candidates.append(on_path)
    candidates += [path for path in os.environ.get("PILOTLIGHT_KUBECTLS", "").split(":") if path]
    found = {}
    for path in candidates:
        version = version_of(path)
        if version:
            found.setdefault(version, path)
    return found


def modern_kubectl():
    """The newest kubectl found."""
    found = found_kubectls()
    if not found:
        raise AssertionError("no kubectl found: install one, or name it in PILOTLIGHT_KUBECTLS")
    return found[max(found)]


class Sandbox:
    """A running `pilotlight sandbox` on ports of its own, in a folder of its own."""

    def __init__(self, *arguments, binary=BINARY):
        self.state = tempfile.mkdtemp(prefix="pilotlight-test.")
        self.log = open(os.path.join(self.state, "stdout.log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [binary, "sandbox", "--state-dir", self.state, "--http-port", "0", *arguments],
            stdout=self.log, stderr=subprocess.STDOUT, cwd=ROOT,
        )
        path = os.path.join(self.state, "sandbox.json")
        eventually(lambda: self.process.poll() is not None or os.path.exists(path), "the sandbox's start")
        assert self.process.poll() is None, open(self.log.name, encoding="utf-8").read()

    def describe(self):
        """The sandbox's description of itself, as of now: pids change when a child is restarted."""
        with open(os.path.join(self.state, "sandbox.json"), encoding="utf-8") as file:
            return json.load(file)

    @property
    def kubeconfig(self):
        return self.describe()["kubeconfig"]

    @property
    def token(self):
        """The bearer token of kubectl's kubeconfig."""
        with open(self.kubeconfig, encoding="utf-8") as file:
            return json.load(file)["users"][0]["user"]["token"]

    def audit(self):
        """A line for each request that the API has answered."""
        with open(self.describe()["auditLog"], encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def kubectl(self, binary=None):
        home = os.path.join(self.state, "home-" + os.path.basename(binary or "kubectl"))
        os.makedirs(home, exist_ok=True)
        return Kubectl(binary or modern_kubectl(), self.kubeconfig, home)

    def controller_pid(self, other_than=None):
        """Waits while there is none: between the end of one and the start of the next."""
        return eventually(lambda: (p := self.describe()["controller"].get("pid")) != other_than and p, "a controller")

    def kill_controller(self):
        """Returns the pid that was killed."""
        pid = self.controller_pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_gateway(self, index):
        os.kill(self.describe()["gateways"][index]["pid"], signal.SIGKILL)

    def gateway(self, index=0):
        return self.describe()["gateways"][index]["url"]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.state, ignore_errors=True)


def connect(gateway, timeout=120):
    """A connection to a gateway's URL, by its scheme."""
    url = urllib.parse.urlparse(gateway)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    return kind(url.hostname, url.port, timeout=timeout)


def request(gateway, method, path, body=None, headers=None, timeout=120):
    """(status, headers in lower case, body) of one request on a connection of its own."""
    connection = connect(gateway, timeout)
    try:
        text = json.dumps(body) if isinstance(body, (dict, list)) else body
        prefix = urllib.parse.urlparse(gateway).path.rstrip("/")
        connection.request(method, prefix + path, text, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        data = response.read()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, data
    finally:
        connection.close()


def chat(gateway, model, **options):
    body = {"model": model, "messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 8}
    return request(gateway, "POST", "/v1/chat/completions", body, **options)


def service(name, namespace="default", arguments=(), load="300ms", **spec):
    """An InferenceService that runs the model stub, which takes `load` to get ready."""
    container = {
        "name": "model",
        "image": "pilotlight/model-stub",
        "command": ["pilotlight", "model-stub"],
        "args": [f"--load-time={load}", "--ttft=10ms", "--tbt=1ms", *arguments],
        "ports": [{"name": "http", "containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1},
    }
    return {
        "apiVersion": "serving.pilotlight.dev/v1alpha1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [container]}}, **spec},
    }


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


FAST = {"stableWindow": "6s", "panicWindow": "2s", "scaleDownDelay": "0s"}
