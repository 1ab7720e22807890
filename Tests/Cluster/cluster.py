"""The cluster under test: kubectl as its user has set it up, a namespace of the suite's own, and the gateway's URL."""
import functools
import json
import secrets
import subprocess

import pytest

from features import Features
from harness import FAST, chat, eventually, modern_kubectl, request, version_of
from port_forward import PortForward

API = "serving.pilotlight.dev"
STUB_DEFAULTS = ("--load-time=300ms", "--ttft=10ms", "--tbt=1ms")


class Problem(Exception):
    """Why the suite cannot run here, for whoever called it."""


class Cluster:
    """Leaving its `with` block deletes the namespace and waits until it is gone."""

    def __init__(self, options, gateway_url):
        self.options, self.given_url = options, gateway_url
        try:
            self.binary = modern_kubectl()
        except AssertionError as problem:
            raise Problem(problem) from None
        self.is_old = version_of(self.binary) < (1, 27)
        self.namespace = f"{options.namespace_prefix}-{secrets.token_hex(3)}"
        self.forward = None

    # A fixture: the suite is run with this object as a plugin.
    @pytest.fixture(scope="session")
    def cluster(self):
        return self

    def __enter__(self):
        self.check_installation()
        try:
            self.kubectl("create", "namespace", self.namespace)
            if not self.given_url:
                self.forward = PortForward(self.binary, self.options.gateway_service)
            self.check_gateway()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.forward:
            self.forward.stop()
        done = self.run("delete", "namespace", self.namespace, "--ignore-not-found", f"--timeout={self.timeout:.0f}s")
        if done.returncode:
            raise Problem(f"namespace {self.namespace} is left behind: {done.stderr.strip()}")

    def check_installation(self):
        version = self.run("version", "-o", "json")
        if version.returncode:
            raise Problem(f"the cluster that KUBECONFIG names does not answer: {version.stderr.strip()}")
        self.server_version = json.loads(version.stdout)["serverVersion"]
        self.features = Features(self)
        if self.run("get", "crd", f"inferenceservices.{API}").returncode:
            raise Problem(f"Pilotlight is not installed in this cluster: it has no inferenceservices.{API}")

    def check_gateway(self):
        try:
            status = self.request("GET", "/v1/models")[0]
        except OSError as problem:
            where = self.given_url or self.options.gateway_service
            raise Problem(f"the gateway at {where} does not answer ({problem}); say where it is with --gateway-url") from None
        if status != 200:
            raise Problem(f"GET {self.gateway}/v1/models answers {status}, not 200: is this Pilotlight's gateway? See --gateway-url")

    @property
    def gateway(self):
        return self.given_url.rstrip("/") if self.given_url else self.forward.url

    @property
    def timeout(self):
        return self.options.timeout or (60 if self.features.is_sandbox else 300)

    # kubectl

    def run(self, *arguments, stdin=None):
        if self.is_old and arguments[0] == "apply":  # it validates by /openapi/v2; the server validates all the same
            arguments = ("apply", "--validate=false", *arguments[1:])
        return subprocess.run(
            [self.binary, *arguments], input=stdin, capture_output=True, text=True, timeout=self.timeout_of_commands())

    def timeout_of_commands(self):
        return 30 + (self.options.timeout or 300)

    def kubectl(self, *arguments, stdin=None):
        """What kubectl prints; a failure is the test's failure, with all it said."""
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def __call__(self, *arguments, **options):
        """kubectl in the suite's namespace."""
        return self.kubectl(*arguments, "-n", self.namespace, **options)

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def apply(self, *documents):
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        self("apply", "-f", "-", stdin=listed if self.is_old else "\n---\n".join(json.dumps(document) for document in documents))

    def refusal(self, document):
        """What kubectl says of a document that must not be taken."""
        done = self.run("apply", "-n", self.namespace, "-f", "-", stdin=json.dumps(document))
        assert done.returncode, f"it was taken: {done.stdout}"
        return done.stderr

    def delete(self, name):
        self("delete", "infsvc", name, "--wait=false")

    # InferenceServices

    @property
    def runs_the_stub(self):
        return "model-stub" in self.options.command

    def service(self, name, arguments=(), **spec):
        """An InferenceService. `arguments` are the stub's; another server is given none."""
        container = {
            "name": "model",
            "image": self.options.image,
            "command": [word.replace("{name}", name) for word in self.options.command],
            "ports": [{"name": "http", "containerPort": self.options.port}],
            "readinessProbe": {"httpGet": {"path": self.options.health_path, "port": "http"}, "periodSeconds": 1},
        }
        if self.runs_the_stub:
            given = dict(argument.partition("=")[::2] for argument in (*STUB_DEFAULTS, *arguments))
            container["args"] = [f"{name}={value}" if value else name for name, value in given.items()]
        return {
            "apiVersion": f"{API}/v1alpha1", "kind": "InferenceService", "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"template": {"spec": {"containers": [container]}}, "scaling": FAST, **spec},
        }

    def get(self, name):
        return self.json("get", "infsvc", name)

    def status(self, name):
        return self.get(name).get("status", {})

    def state(self, name):
        return self.status(name).get("display", {}).get("state")

    def condition(self, name, kind):
        return next((c for c in self.status(name).get("conditions", []) if c["type"] == kind), {})

    def pods(self, name):
        """UID and name of each pod that is not on its way out."""
        items = self.json("get", "pods", "-l", f"{API}/service={name}")["items"]
        return {item["metadata"]["uid"]: item["metadata"]["name"] for item in items if "deletionTimestamp" not in item["metadata"]}

    def eventually(self, test, what):
        return eventually(test, what, self.timeout, interval=0.3)

    def until_state(self, name, *states):
        return self.eventually(lambda: (state := self.state(name)) in states and state, f"{name} {' or '.join(states)}")

    def until_condition(self, name, kind, status):
        return self.eventually(lambda: (c := self.condition(name, kind)).get("status") == status and c, f"{kind}={status} of {name}")

    # Requests

    def model(self, name):
        """A name that no other service of the cluster can have."""
        return f"{self.namespace}/{name}"

    def chat(self, name, **options):
        return chat(self.gateway, self.model(name), timeout=self.timeout, **options)

    def request(self, method, path, body=None, headers=None):
        return request(self.gateway, method, path, body, headers, timeout=self.timeout)

    @functools.cached_property
    def description(self):
        return {
            "server": self.server_version["gitVersion"], "namespace": self.namespace, "gateway": self.gateway,
            "command": self.options.command,
        }
