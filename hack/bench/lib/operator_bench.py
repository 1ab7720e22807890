"""The controller with many services: see hack/bench/operator."""
import argparse
import json
import os
import queue
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from api_server import GROUP, APIServer
from proxies import cpu_nanoseconds, private_kilobytes

BINARY = os.environ["PILOTLIGHT"]
NAMESPACES = 20

# Metric: unit, goal (None: none is set), what it is.
METRICS = {
    "empty_private_memory": ("MB", 8, "private memory of a controller without services"),
    "empty_ready": ("s", 1, "start of the process to /readyz, without services"),
    "first_round_requests": ("1/service", None, "API requests to make all that a new service consists of"),
    "first_round_bytes": ("B/service", None, "bytes of those requests and of what the watches told about them"),
    "synced": ("s", 15, "start of the process to /readyz, all services and Deployments read"),
    "memory": ("MB", 300, "private memory when every service has been looked at"),
    "start_writes": ("1", 0, "writes of a controller that starts and finds all in order, but for its Lease"),
    "rest_requests": ("1/min", None, "API requests at rest, all of them"),
    "rest_writes": ("1/min", 0, "writes at rest, but for the leader's Lease"),
    "rest_cpu": ("% of a core", None, "CPU at rest"),
    "change_p50": ("ms", None, "spec patch answered -> status with its generation seen by a watch"),
    "change_p99": ("ms", 100, "the same, 99th percentile"),
    "change_requests": ("1/change", None, "API requests for a change of a spec that changes its Deployments"),
    "change_bytes": ("B/change", None, "bytes of those requests and of the watches"),
    "decision_scale_writes": ("1/decision", 1, "writes of /scale for a wake"),
    "decision_status_writes": ("1/decision", 1, "status writes up to the one that tells of it"),
}


def service(name, namespace):
    """A service with both pools, as the controller makes both Deployments of it; suspended, so that no pod is made."""
    return {
        "apiVersion": "serving.pilotlight.dev/v1alpha1", "kind": "InferenceService",
        "metadata": {"name": name, "namespace": namespace, "labels": {"team": "bench"}},
        "spec": {
            "suspend": True, "dedicated": {"replicas": 1}, "burst": {"maxReplicas": 2},
            "model": {"name": "Qwen/Qwen3-8B", "aliases": [f"{name}-alias"]},
            "template": {"spec": {
                "containers": [{
                    "name": "server", "image": "vllm/vllm-openai:v0.9.1",
                    "args": ["--model", "Qwen/Qwen3-8B", "--max-model-len", "32768", "--gpu-memory-utilization", "0.92"],
                    "ports": [{"name": "http", "containerPort": 8000}],
                    "env": [{"name": "HF_HOME", "value": "/models"}, {"name": "VLLM_LOGGING_LEVEL", "value": "WARNING"}],
                    "resources": {"limits": {"nvidia.com/gpu": "1", "memory": "48Gi"}, "requests": {"cpu": "4"}},
                    "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
                    "volumeMounts": [{"name": "models", "mountPath": "/models"}]}],
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}]}}}}


class Controller:
    """A controller process, and what it counts of itself."""

    def __init__(self, server, *options):
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "controller", "--kubeconfig", server.kubeconfig, "--admin-listen", "127.0.0.1:0", "--leader-election",
             "--identity", f"bench-{time.monotonic_ns()}", "--log-format", "json", *options],
            stderr=subprocess.PIPE, text=True)
        self.admin = None
        while self.admin is None:
            line = self.process.stderr.readline()
            if not line:
                raise SystemExit("the controller did not start")
            self.admin = re.search(r'"admin":"([^"]+)"', line)
        self.admin = f"http://{self.admin.group(1)}"
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()
        while not self.is_ready():
            time.sleep(0.01)
        self.ready_after = time.perf_counter() - self.begun

    @property
    def pid(self):
        return self.process.pid

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.admin}/readyz", timeout=10):
                return True
        except OSError:
            return False

    def counters(self):
        """Requests in all, writes that are not of Leases by PUT, bytes, writes of /scale and of statuses."""
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=30) as answer:
            text = answer.read().decode()

        def total(name, labels=""):
            return sum(float(value) for value in re.findall(rf"^{name}{labels} (\S+)$", text, re.M))

        requests = "pilotlight_api_requests_total"
        # The election renews its Lease with PUT, and nothing else is written that way.
        return {
            "requests": total(requests, r"\{[^}]*\}"),
            "writes": sum(total(requests, rf'\{{[^}}]*method="{method}"[^}}]*\}}') for method in ["POST", "PATCH", "DELETE"]),
            "renewals": total(requests, r'\{[^}]*method="PUT"[^}]*\}'),
            "bytes": total("pilotlight_api_sent_bytes_total") + total("pilotlight_api_received_bytes_total"),
            "scales": total("pilotlight_scale_writes_total"), "statuses": total("pilotlight_status_writes_total")}

    def settle(self, quiet=3.0, limit=600):
        """Waits until nothing but the Lease was written for a while."""
        last, since, deadline = None, time.monotonic(), time.monotonic() + limit
        while time.monotonic() - since < quiet:
            now = self.counters()
            now = (now["writes"], now["requests"] - now["renewals"])
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise SystemExit(f"the controller did not come to rest within {limit} s")
            time.sleep(0.2)

    def come_to_rest(self, limit=600):
        """Waits until it has looked at everything: what needs no write is not seen by counting requests."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            before = cpu_nanoseconds(self.pid)
            time.sleep(2)
            if cpu_nanoseconds(self.pid) - before < 2e9 * 0.05:
                return
        raise SystemExit(f"the controller still computes after {limit} s")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            print("the controller did not end within 30 s and was killed", file=sys.stderr)
            self.process.kill()
            self.process.wait()


def difference(before, after):
    return {name: after[name] - before[name] for name in after}


class Bench:
    def __init__(self, options):
        self.options = options
        self.values = {}
        self.names = [(f"bench-{index % NAMESPACES}", f"model-{index:05}") for index in range(options.services)]

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def path(self, place):
        return f"{GROUP}/namespaces/{place[0]}/inferenceservices/{place[1]}"

    def run(self):
        server = APIServer(BINARY)
        try:
            self.empty(server)
            self.fill(server)
            self.first_round(server)
            controller = self.start(server)
            try:
                self.rest(controller)
                self.changes(server, controller)
                self.decisions(server, controller)
            finally:
                controller.stop()
        finally:
            server.stop()

    def empty(self, server):
        self.say("a controller without services")
        controller = Controller(server)
        time.sleep(3)
        self.values["empty_ready"] = controller.ready_after
        self.values["empty_private_memory"] = private_kilobytes(controller.pid) / 1024
        controller.stop()

    def fill(self, server):
        self.say(f"{self.options.services} services are created")
        for index in range(NAMESPACES):
            server.request("POST", "/api/v1/namespaces", {"metadata": {"name": f"bench-{index}"}})
        server.for_each(self.names, lambda place: server.request(
            "POST", f"{GROUP}/namespaces/{place[0]}/inferenceservices", service(place[1], place[0])), self.say)

    def first_round(self, server):
        """A controller that finds them makes everything; then they are let sleep."""
        self.say("their Deployments are made")
        # Nobody waits for the API server's sake: what is measured here are counts.
        controller = Controller(server, "--kube-api-qps", "10000", "--kube-api-burst", "100000")
        controller.settle(limit=1800)
        counted = controller.counters()
        self.values["first_round_requests"] = counted["requests"] / self.options.services
        self.values["first_round_bytes"] = counted["bytes"] / self.options.services
        server.for_each(self.names, lambda place: server.patch(
            self.path(place), {"spec": {"suspend": False, "dedicated": {"replicas": 0}}}), self.say)
        controller.settle(limit=1800)
        controller.stop()
        count = len(server.request("GET", "/apis/apps/v1/deployments")["items"])
        if count != 2 * self.options.services:
            raise SystemExit(f"{count} Deployments were made, not {2 * self.options.services}")

    def start(self, server):
        self.say("a controller starts and reads them")
        controller = Controller(server)
        self.values["synced"] = controller.ready_after
        controller.settle()
        controller.come_to_rest()
        self.values["start_writes"] = controller.counters()["writes"]
        self.values["memory"] = private_kilobytes(controller.pid) / 1024
        return controller

    def rest(self, controller):
        self.say(f"at rest for {self.options.rest} s")
        before, cpu = controller.counters(), cpu_nanoseconds(controller.pid)
        time.sleep(self.options.rest)
        counted = difference(before, controller.counters())
        minutes = self.options.rest / 60
        self.values["rest_cpu"] = (cpu_nanoseconds(controller.pid) - cpu) / 1e9 / self.options.rest * 100
        self.values["rest_requests"] = counted["requests"] / minutes
        self.values["rest_writes"] = counted["writes"] / minutes

    def changes(self, server, controller):
        """One change after the other, each timed to the status that has taken it in."""
        self.say(f"{self.options.changes} changes, one by one")
        version = server.request("GET", f"{GROUP}/inferenceservices?limit=1")["metadata"]["resourceVersion"]
        seen = queue.SimpleQueue()

        def follow():
            for moment, event in server.watch(f"{GROUP}/inferenceservices", version):
                status, metadata = event["object"].get("status", {}), event["object"]["metadata"]
                seen.put((moment, metadata["name"], status.get("observedGeneration", 0)))

        threading.Thread(target=follow, daemon=True).start()
        before, times = controller.counters(), []
        for index in range(self.options.changes):
            place = self.names[index * 7919 % len(self.names)]
            template = {"metadata": {"annotations": {"bench": str(index)}}}
            changed = server.patch(self.path(place), {"spec": {"template": template}})
            patched, generation = time.perf_counter(), changed["metadata"]["generation"]
            while True:
                moment, name, observed = seen.get(timeout=30)
                if name == place[1] and observed >= generation:
                    break
            times.append(max(0, moment - patched) * 1000)
        controller.settle(quiet=1)
        counted = difference(before, controller.counters())
        quantiles = statistics.quantiles(times, n=100)
        self.values["change_p50"], self.values["change_p99"] = statistics.median(times), quantiles[98]
        self.values["change_requests"] = (counted["requests"] - counted["renewals"]) / self.options.changes
        self.values["change_bytes"] = counted["bytes"] / self.options.changes

    def decisions(self, server, controller):
        """Models are woken by activation Leases, as a gateway writes them."""
        places = self.names[: min(50, len(self.names))]
        self.say(f"{len(places)} models are woken")
        before = controller.counters()
        version = server.request("GET", f"{GROUP}/inferenceservices?limit=1")["metadata"]["resourceVersion"]
        events = server.watch(f"{GROUP}/inferenceservices", version)
        leases = "/apis/coordination.k8s.io/v1/namespaces/pilotlight-system/leases"
        for namespace, name in places:
            server.request("POST", leases, {
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {
                    "name": f"{namespace}.{name}", "labels": {"serving.pilotlight.dev/activation": "true"},
                    "annotations": {
                        "serving.pilotlight.dev/service-namespace": namespace,
                        "serving.pilotlight.dev/service-name": name}},
                "spec": {"holderIdentity": "bench", "leaseDurationSeconds": 60}})
        writes, told = 0, set()
        for _, event in events:
            name, decision = event["object"]["metadata"]["name"], event["object"]["status"].get("lastDecision", {})
            if name in told:
                continue  # what follows tells of the pod: that no GPU is free
            writes += 1
            if decision.get("reason") == "Activated":
                told.add(name)
            if len(told) == len(places):
                break
        controller.settle(quiet=1)
        counted = difference(before, controller.counters())
        self.values["decision_scale_writes"] = counted["scales"] / len(places)
        self.values["decision_status_writes"] = writes / len(places)


def options():
    parser = argparse.ArgumentParser(prog="hack/bench/operator", description=__doc__)
    parser.add_argument("--services", type=int, default=10_000, help="InferenceServices; twice as many Deployments (10000)")
    parser.add_argument("--changes", type=int, default=300, help="changes that are timed one by one (300)")
    parser.add_argument("--rest", type=int, default=60, help="seconds at rest (60)")
    parser.add_argument("-o", dest="output", choices=["table", "json"], default="table")
    chosen = parser.parse_args()
    if chosen.services < 1 or chosen.changes < 2 or chosen.rest < 1:
        parser.error("--services and --rest must be 1 or more, --changes 2 or more")
    return chosen


def table(values):
    rows = [("metric", "value", "unit", "goal", "what it is")]
    for metric, (unit, goal, words) in METRICS.items():
        value = values[metric]
        mark = "" if goal is None else f"{'met' if value <= goal else 'MISSED'} (<= {goal})"
        rows.append((metric, f"{value:,.0f}" if value >= 1000 else f"{value:.3g}", unit, mark, words))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def main():
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(chosen)
    try:
        bench.run()
    except KeyboardInterrupt:
        sys.exit(130)
    if chosen.output == "json":
        print(json.dumps(
            [{"metric": name, "value": bench.values[name], "unit": unit} for name, (unit, _, _) in METRICS.items()],
            indent=1))
    else:
        table(bench.values)


if __name__ == "__main__":
    main()
