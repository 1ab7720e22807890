"""Two gateways and a controller, each of a version of its own, against the API of a sandbox; replaced as a Deployment does it."""
import functools
import json
import os
import pathlib
import random
import signal
import subprocess
import threading

from harness import Sandbox, eventually, request

NAMESPACE = "pilotlight-system"
SERVICE = "pilotlight-gateway"


ACCOUNTS = {"controller": "pilotlight-controller", "gateway": "pilotlight-gateway"}


class Process:
    """One pilotlight process and its log."""

    def __init__(self, folder, name, binary, *arguments):
        self.name, self.binary, self.log = name, binary, pathlib.Path(folder, f"{name}.log")
        environment = {**os.environ, "POD_NAME": name, "POD_NAMESPACE": NAMESPACE}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, *arguments, "--admin-listen", "127.0.0.1:0", "--identity", name, "--log-format", "json"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment)
        self.start = eventually(lambda: self.line(f"{arguments[0]} starts"), f"the start of {name}")
        self.admin = self.start["admin"]

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def line(self, message):
        assert self.process.poll() is None, f"{self.name} has ended: {self.log.read_text()[-2000:]}"
        return next((line for line in self.lines() if line["message"] == message), None)

    def is_ready(self):
        return request(f"http://{self.admin}", "GET", "/readyz")[0] == 200

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(120) == 0, f"{self.name} ended badly: {self.log.read_text()[-2000:]}"


@functools.cache
def knows(binary, command, flag):
    """Whether a version has a flag."""
    return flag in subprocess.run([binary, command, "--help"], capture_output=True, text=True, check=True).stdout


def speaks_tls(gateway):
    return gateway.start.get("fleet", "none") != "none"


class Fleet:
    """Callers reach a gateway that is ready, as kube-proxy would lead them."""

    def __init__(self, *, api, controller, gateways):
        self.sandbox = Sandbox("--without-controller", "--without-gateway", binary=api)
        self.kubectl = self.sandbox.kubectl()
        self.lock, self.number = threading.Lock(), 0
        self.processes, self.serving, self.leaving = [], [], []
        self.controller = self.start_controller(controller)
        for _ in range(2):
            self.add_gateway(gateways)

    def start(self, kind, binary, *arguments):
        self.number += 1
        account = pathlib.Path(self.sandbox.state, "serviceaccounts", ACCOUNTS[kind])
        process = Process(self.sandbox.state, f"{kind}-{self.number}", binary, kind, "--kubeconfig", str(account / "kubeconfig"), *arguments)
        self.processes.append(process)
        return process

    def start_controller(self, binary):
        token = pathlib.Path(self.sandbox.state, "serviceaccounts", ACCOUNTS["controller"], "gateway-token")
        return self.start("controller", binary, "--leader-election", "--gateway-token-file", str(token))

    def add_gateway(self, binary):
        # As in a cluster: the controller shows its token, over TLS where the gateway has a port for it.
        fleet = ["--fleet-listen", "127.0.0.1:0"] if knows(binary, "gateway", "--fleet-listen") else []
        gateway = self.start(
            "gateway", binary, "--listen", "127.0.0.1:0", "--admin-auth", "cluster", "--shutdown-delay", "5s", "--shutdown-drain", "60s", *fleet)
        eventually(gateway.is_ready, f"{gateway.name} ready")
        with self.lock:
            self.serving.append(gateway)
        self.publish()

    def remove_gateway(self, gateway):
        with self.lock:
            self.serving.remove(gateway)
        self.leaving.append(gateway)
        self.publish()
        gateway.terminate()
        self.leaving.remove(gateway)
        self.publish()

    def replace_gateways(self, binary):
        """One at a time: the new one is ready before an old one goes."""
        for gateway in list(self.serving):
            self.add_gateway(binary)
            self.remove_gateway(gateway)

    def replace_controller(self, binary):
        old, self.controller = self.controller, self.start_controller(binary)
        old.terminate()

    def publish(self):
        """The EndpointSlices of the gateways' Service: a slice for each, because here each has ports of its own."""
        slices = [self.slice(gateway) for gateway in self.serving + self.leaving]
        present = self.kubectl.json("get", "endpointslices", "-n", NAMESPACE)["items"]
        gone = {item["metadata"]["name"] for item in present} - {item["metadata"]["name"] for item in slices}
        self.kubectl.run("apply", "--validate=false", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": slices}))
        for name in sorted(gone):
            self.kubectl.run("delete", "endpointslice", name, "-n", NAMESPACE)

    def slice(self, gateway):
        is_leaving = gateway in self.leaving
        ports = {"http": gateway.start["listen"], "admin": gateway.admin}
        if speaks_tls(gateway):
            ports["fleet"] = gateway.start["fleet"]
        return {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{SERVICE}-{gateway.name}", "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": SERVICE}},
            "ports": [{"name": name, "port": int(address.rsplit(":", 1)[1]), "protocol": "TCP"} for name, address in ports.items()],
            "endpoints": [{
                "addresses": ["127.0.0.1"], "hostname": gateway.name,
                "targetRef": {"kind": "Pod", "name": gateway.name, "namespace": NAMESPACE},
                "conditions": {"ready": not is_leaving, "serving": True, "terminating": is_leaving},
            }],
        }

    @property
    def gateway(self):
        """The URL of one that is ready; another each time."""
        with self.lock:
            return "http://" + random.choice(self.serving).start["listen"]

    def unread(self):
        """Gateways that the controller does not read where it should: over TLS where both know it, else over plain HTTP."""
        state = json.loads(request(f"http://{self.controller.admin}", "GET", "/debug/state")[2])
        read = {gateway["address"] for gateway in state["gateways"] if gateway["isReadable"]}
        by_tls = knows(self.controller.binary, "controller", "--gateway-tls")
        return [gateway.name for gateway in self.serving
                if (gateway.start["fleet"] if by_tls and speaks_tls(gateway) else gateway.admin) not in read]

    def misunderstandings(self):
        """What one said of a message of another that it could not use."""
        return [
            (process.name, line) for process in self.processes for line in process.lines()
            if any(word in json.dumps(line) for word in ("fleet protocol version", "malformed fleet message"))
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.process.poll() is None:
                process.process.kill()
                process.process.wait()
        self.sandbox.stop()
