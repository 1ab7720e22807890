"""The quickstart's story: drives a running sandbox with kubectl and with requests, and tells what happens as it happens.

Everything told is observed: replicas and states through `kubectl get -w`, decisions through Events, waits by the clients
themselves, and the two latencies inside the gateway and the controller through their own measurements.
"""
import argparse
import collections
import http.client
import json
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

PHASES = ("asleep", "held", "awake", "load", "burst", "idle", "asleep again")
LEDGER_SECONDS = 5  # how often the ledger is stored here, so that the report at the end is complete
PHASE_TIMEOUT = 90  # seconds; the slowest phase takes about ten on an idle machine


class Story:
    """The table: one line per event, stamped with the seconds since the start."""

    def __init__(self):
        self.start = time.monotonic()
        self.lock = threading.Lock()
        self.phases = {}

    def header(self):
        print(f"\n{'TIME':>7}  {'MODEL':<11} {'EVENT':<13} {'READY':<12} WHAT HAPPENED", flush=True)

    def tell(self, model, event, ready, text):
        with self.lock:
            if event in PHASES:
                self.phases.setdefault(event, time.monotonic() - self.start)
            print(f"{time.monotonic() - self.start:6.1f}s  {model:<11} {event:<13} {ready:<12} {text}", flush=True)


class Watch(threading.Thread):
    """`kubectl get KIND -w -o json`, object by object; started again when kubectl ends, until it is stopped."""

    def __init__(self, kubectl, arguments, handle):
        super().__init__(daemon=True)
        self.command = [*kubectl, *arguments, "-w", "-o", "json"]
        self.handle = handle
        self.process = None
        self.stopping = False

    def run(self):
        decoder = json.JSONDecoder()
        while not self.stopping:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            pending = ""
            for line in self.process.stdout:
                pending += line
                if not line.startswith("}"):  # an object ends with a brace in the first column
                    continue
                while pending.strip():
                    try:
                        value, end = decoder.raw_decode(pending.lstrip())
                    except ValueError:
                        break
                    pending = pending.lstrip()[end:]
                    self.handle(value)
            self.process.wait()
            if not self.stopping:
                time.sleep(0.2)

    def stop(self):
        self.stopping = True
        if self.process:
            self.process.terminate()


class Traffic:
    """Requests as an application sends them, each on its own connection; counts what became of them."""

    def __init__(self, gateway):
        url = urllib.parse.urlparse(gateway)
        self.host, self.port = url.hostname, url.port
        self.lock = threading.Lock()
        self.waits, self.failures, self.answers = [], [], collections.Counter()
        self.stop = threading.Event()

    def ask(self, model, tokens=16):
        """One chat completion; returns (status, pool, seconds held, seconds in total)."""
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello?"}], "max_tokens": tokens})
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
            connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            status, pool = response.status, response.getheader("pilotlight-pool", "")
            held = int(response.getheader("pilotlight-queued-ms", "0")) / 1000
            connection.close()
        except (OSError, http.client.HTTPException) as problem:
            status, pool, held, text = 0, "", 0.0, str(problem).encode()
        with self.lock:
            self.waits.append(held)
            self.answers[pool] += 1
            if status != 200:
                self.failures.append(f"{model}: {status} {text[:160].decode(errors='replace')}")
        return status, pool, held, time.monotonic() - begun

    def keep_asking(self, model, workers):
        """Starts `workers` clients that ask one question after the other until `stop` is set."""

        def work():
            while not self.stop.is_set():
                self.ask(model, tokens=24)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        return threads


class Observer:
    """What `kubectl get infsvc -w` says, as the story's events."""

    def __init__(self, story):
        self.story = story
        self.condition = threading.Condition()
        self.services = {}

    def see(self, service):
        name, status = service["metadata"]["name"], service.get("status", {})
        before = self.services.get(name, {})
        state = status.get("display", {}).get("state")
        # Told before whoever waits for it goes on, so that the table keeps the order of events.
        if state and state != before.get("display", {}).get("state"):
            self._tell_state(name, state, status, before)
        lit = status.get("burst", {}).get("readyReplicas", 0)
        if state == "Bursting" and lit > before.get("burst", {}).get("readyReplicas", 0):
            self.story.tell(name, "burst", self.ready(status), f"{lit} burst replica{'s' if lit > 1 else ''} beside the dedicated pool")
        with self.condition:
            self.services[name] = status
            self.condition.notify_all()

    def _tell_state(self, name, state, status, before):
        ready = self.ready(status)
        message = next((c["message"] for c in status.get("conditions", []) if c["type"] == "Ready"), "")
        event = {"Asleep": "asleep", "Waking": "waking", "Bursting": "bursting", "Draining": "draining"}.get(state, state.lower())
        if state == "Asleep" and before:
            event = "asleep again"
        if state == "Serving" and before.get("display", {}).get("state") in ("Waking", None):
            event = "awake"
        self.story.tell(name, event, ready, message)

    @staticmethod
    def ready(status):
        display = status.get("display", {})
        return f"{display.get('dedicated', '-')} + {display.get('burst', '-')}"

    def wait_for(self, name, what, test):
        """Waits until `test(status)` holds; a phase that never comes ends the story."""
        deadline = time.monotonic() + PHASE_TIMEOUT
        with self.condition:
            while not test(self.services.get(name, {})):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise SystemExit(f"{name}: {what} did not come within {PHASE_TIMEOUT} s; status: {json.dumps(self.services.get(name))}")
                self.condition.wait(left)
        return self.services[name]


def state_is(*states):
    return lambda status: status.get("display", {}).get("state") in states


def logged(paths, field):
    """All values of a numeric field in logs of JSON lines."""
    values = []
    for path in paths:
        try:
            lines = open(path, encoding="utf-8", errors="replace").read().splitlines()
        except OSError:
            continue
        for line in lines:
            try:
                value = json.loads(line).get(field)
            except (ValueError, AttributeError):
                continue
            if value is not None:
                values.append(float(value))
    return values


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def tell_decisions(story, since):
    """Events of the controller about scaling, each once."""
    seen = set()

    def handle(event):
        about = event.get("involvedObject", {})
        if about.get("kind") != "InferenceService" or not event.get("reason", "").startswith("Scaled"):
            return
        key = (event["metadata"]["uid"], event.get("count"))
        if key in seen:
            return
        seen.add(key)
        story.tell(about["name"], "decision", "", event.get("message", ""))

    return handle


def run(options):
    sandbox = json.load(open(options.sandbox, encoding="utf-8"))
    kubectl = [options.kubectl, "--kubeconfig", sandbox["kubeconfig"]]
    gateway = sandbox["gateways"][0]["url"]
    story, traffic = Story(), Traffic(gateway)
    observer = Observer(story)

    settings = {"ledger": {"writeInterval": f"{LEDGER_SECONDS}s"}}
    place = {"name": "pilotlight", "namespace": "pilotlight-system"}
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": {"settings.json": json.dumps(settings)}}
    subprocess.run([*kubectl, "apply", *options.apply_flags.split(), "-f", "-"], input=json.dumps(document), text=True, check=True, stdout=subprocess.DEVNULL)
    print(f"$ kubectl apply -f {options.sample}", flush=True)
    apply = subprocess.run([*kubectl, "apply", *options.apply_flags.split(), "-f", options.sample], text=True)
    if apply.returncode:
        raise SystemExit("kubectl apply failed")
    story.header()
    watches = [
        Watch(kubectl, ["get", "infsvc", "-n", "default"], observer.see),
        Watch(kubectl, ["get", "events", "-n", "default"], tell_decisions(story, time.time())),
    ]
    for watch in watches:
        watch.start()
    try:
        tell(story, traffic, observer)
    finally:
        traffic.stop.set()
        for watch in watches:
            watch.stop()
    return summarise(options, story, traffic, observer, sandbox)


def tell(story, traffic, observer):
    owl, desk = "night-owl", "front-desk"
    observer.wait_for(owl, "sleep", state_is("Asleep"))
    observer.wait_for(desk, "its dedicated replica", state_is("Serving"))

    # A model at zero: its first request is held while it wakes.
    def first_request():
        status, pool, held, total = traffic.ask(owl)
        story.tell(owl, "answered", "", f"{status} from {pool or '-'}: held {held:.2f} s, {total:.2f} s in all")

    caller = threading.Thread(target=first_request)
    caller.start()
    status = observer.wait_for(owl, "a held request", lambda s: s.get("load", {}).get("held", 0) > 0 or state_is("Serving", "Bursting")(s))
    story.tell(owl, "held", observer.ready(status), "a request waits at the gateway; nobody was refused")
    observer.wait_for(owl, "waking", state_is("Serving", "Bursting"))
    caller.join()

    # A peak: more than the dedicated replica takes.
    story.tell(desk, "load", "", "14 clients ask without pause")
    clients = traffic.keep_asking(desk, 14)
    observer.wait_for(desk, "a burst", lambda s: state_is("Bursting")(s) and s.get("burst", {}).get("readyReplicas", 0) > 0)
    time.sleep(6)
    traffic.stop.set()
    for client in clients:
        client.join()
    pools = ", ".join(f"{count} by {pool}" for pool, count in sorted(traffic.answers.items()) if pool)
    story.tell(desk, "idle", "", f"the clients have stopped; answered so far: {pools}")

    observer.wait_for(owl, "sleep", state_is("Asleep"))
    observer.wait_for(desk, "the end of the burst", lambda s: state_is("Serving")(s) and s.get("burst", {}).get("replicas", 0) == 0)
    story.tell(desk, "asleep again", "", "the burst pool is at zero; the dedicated replica stays on")

    # Waking again, a few times, for the latencies: each is one more cold start.
    for _ in range(2):
        traffic.ask(owl)
        observer.wait_for(owl, "sleep", state_is("Asleep"))


def summarise(options, story, traffic, observer, sandbox):
    missing = [phase for phase in PHASES if phase not in story.phases]
    waited = [wait for wait in traffic.waits if wait > 0]
    patch = logged([sandbox["controller"]["log"]], "requestToPatchMs")
    first = [1000 * seconds for seconds in logged([g["log"] for g in sandbox["gateways"]], "readyToFirstByteSeconds")]
    print("\nWhat it took")
    print(f"  held requests            {len(waited)} of {len(traffic.waits)}; wait of all p50 {percentile(traffic.waits, .5):.2f} s, p99 {percentile(traffic.waits, .99):.2f} s")
    for label, values in (("request -> scale patch  ", patch), ("pod ready -> first byte ", first)):
        told = f"median {statistics.median(values):.1f} ms over {len(values)}" if values else "not measured"
        print(f"  {label} {told}")
    # Books are stored every few seconds here; the last one follows what was told above.
    time.sleep(LEDGER_SECONDS + 2)
    print("What it used and saved (pilotlight report)")
    print(subprocess.run([options.pilotlight, "report", "--kubeconfig", sandbox["kubeconfig"], "-n", "default"], capture_output=True, text=True, check=True).stdout)
    for failure in traffic.failures[:5]:
        print(f"  failed: {failure}", file=sys.stderr)
    if missing:
        print(f"phases that never came: {', '.join(missing)}", file=sys.stderr)
    return len(traffic.waits), len(traffic.failures), bool(missing) or not patch or not first


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", required=True, help="the sandbox's description of itself (sandbox.json)")
    parser.add_argument("--pilotlight", default="pilotlight", help="the binary, for `pilotlight report`")
    parser.add_argument("--kubectl", default="kubectl")
    parser.add_argument("--apply-flags", default="", help="for a kubectl that needs more, such as --validate=false")
    parser.add_argument("--sample", default="Manifests/samples/quickstart.yaml")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parser.parse_args()
    requests, failed, incomplete = run(options)
    print(f"{requests} requests, {failed} failed", flush=True)
    sys.exit(1 if failed or incomplete else 0)


main()
