"""The gateway beside nginx and HAProxy: see hack/bench/gateway."""
import argparse
import json
import os
import signal
import statistics
import sys
import time

from load import Callers, Model, post, wrk
from proxies import DESCRIPTORS, LOAD_CORE, PROXIES, Pilotlight, cpu_nanoseconds, private_kilobytes, raise_descriptors, upstream

CONNECTIONS = 64
STREAMS, EVENTS_PER_SECOND = 50, 5000
IDLE_STREAMS, IDLE_CONNECTIONS, HELD = 5000, 10_000, 2000
HELD_CONCURRENCY = 64
POST_SCRIPT = """wrk.method = "POST"; wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"m","messages":[{"role":"user","content":"Hello, how are you today?"}],"max_tokens":64}'"""
UPLOAD_SCRIPT = """wrk.method = "POST"; wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", 1048576)"""

# Metric, unit, what it is.
METRICS = {
    "cpu_us_per_request": "CPU per small GET, 64 connections (µs)",
    "requests_per_second": "small GETs per second",
    "p50_ms": "latency of those, median (ms)",
    "p99_ms": "latency of those, 99th percentile (ms)",
    "cpu_us_per_post": "CPU per small POST; pilotlight finds `model` in the body (µs)",
    "cpu_us_per_sse_event": f"CPU per event of {STREAMS} streams, {EVENTS_PER_SECOND} events/s (µs)",
    "cpu_us_per_1mb_response": "CPU per answer of 1 MB (µs)",
    "cpu_us_per_1mb_upload": "CPU per request of 1 MB (µs)",
    "kb_per_idle_stream": f"user memory per silent stream of {IDLE_STREAMS} (KB)",
    "kb_per_idle_connection": f"user memory per idle connection of {IDLE_CONNECTIONS} (KB)",
    "kb_per_held_request": f"user memory per held request of {HELD} (KB)",
    "first_release_ms": "endpoint appears -> first held answer (ms)",
    "last_release_ms": f"endpoint appears -> last of {HELD} held answers (ms)",
    "held_lost": f"held requests not answered, of {HELD}",
    "max_concurrency_seen": f"requests at the replica at once; maxConcurrency is {HELD_CONCURRENCY}",
}
THROUGHPUT = ["cpu_us_per_request", "requests_per_second", "p50_ms", "p99_ms"]
HOLD = ["kb_per_held_request", "first_release_ms", "last_release_ms", "held_lost", "max_concurrency_seen"]
HIGHER_IS_BETTER = {"requests_per_second"}


class Bench:
    def __init__(self, options):
        self.options = options
        self.samples = {}
        self.notes = []

    def note(self, proxy, metric, value):
        self.samples.setdefault(metric, {}).setdefault(proxy, []).append(value)

    def wants(self, *metrics):
        return any(metric in self.options.only for metric in metrics)

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    # Throughput: all proxies run beside each other, and are measured in turn.

    def throughput(self):
        if not self.wants(*THROUGHPUT, "cpu_us_per_post", "cpu_us_per_1mb_response"):
            return
        model = upstream()
        proxies = [make(model.port) for make in PROXIES]
        try:
            for number in range(self.options.rounds):
                self.say(f"small requests and 1 MB answers, round {number + 1} of {self.options.rounds}")
                for proxy in proxies:
                    self.one_round(proxy)
        finally:
            for server in [*proxies, model]:
                server.stop()

    def one_round(self, proxy):
        seconds = self.options.seconds
        if self.wants(*THROUGHPUT):
            for metric, value in zip(THROUGHPUT, wrk(proxy, "/v1/x", seconds, CONNECTIONS)):
                self.note(proxy.name, metric, value)
        if self.wants("cpu_us_per_post"):
            # By another host than the service's own, so that only the body names the model.
            script = POST_SCRIPT + '\nwrk.headers["Host"] = "gateway.example.com"'
            self.note(proxy.name, "cpu_us_per_post", wrk(proxy, "/v1/chat/completions", seconds, CONNECTIONS, script)[0])
        if self.wants("cpu_us_per_1mb_response"):
            self.note(proxy.name, "cpu_us_per_1mb_response", wrk(proxy, "/big/1mb", seconds, 16)[0])

    def uploads(self):
        if not self.wants("cpu_us_per_1mb_upload"):
            return
        # A server that reads the body before it answers, as a model does.
        model = Model("sink")
        proxies = [make(model.port) for make in PROXIES]
        try:
            for number in range(self.options.rounds):
                self.say(f"uploads of 1 MB, round {number + 1} of {self.options.rounds}")
                for proxy in proxies:
                    cost = wrk(proxy, "/upload", self.options.seconds, 16, UPLOAD_SCRIPT)[0]
                    self.note(proxy.name, "cpu_us_per_1mb_upload", cost)
        finally:
            for server in [*proxies, model]:
                server.stop()

    # Streams.

    def events(self):
        if not self.wants("cpu_us_per_sse_event"):
            return
        for number in range(self.options.rounds):
            self.say(f"events, round {number + 1} of {self.options.rounds}")
            for make in PROXIES:
                model = Model("steady", EVENTS_PER_SECOND)
                proxy = make(model.port)
                callers = Callers(proxy, STREAMS, post(b"/v1/chat/completions"))
                try:
                    callers.listen(0.5)
                    callers.total(b"finish_reason")
                    before = cpu_nanoseconds(proxy.pid)
                    callers.listen(self.options.seconds)
                    spent = cpu_nanoseconds(proxy.pid) - before
                    events = callers.total(b"finish_reason")
                    if events < 0.7 * EVENTS_PER_SECOND * self.options.seconds:
                        self.notes.append(f"{proxy.name}: only {events / self.options.seconds:.0f} events/s came through")
                    self.note(proxy.name, "cpu_us_per_sse_event", spent / 1000 / events)
                finally:
                    callers.close()
                    proxy.stop()
                    model.stop()

    def memory(self, metric, count, settle, mode, request, expected):
        """Growth of a fresh process by connections that stay."""
        if not self.wants(metric):
            return
        # HAProxy sets two descriptors aside for each connection, whether it is proxied or not.
        most = DESCRIPTORS // 2 - 200
        if count > most:
            self.notes.append(
                f"{metric}: {most} instead of {count}: a process may open {DESCRIPTORS} descriptors here, and HAProxy reserves "
                "two a connection")
            count = most
        for number in range(min(3, self.options.rounds)):
            self.say(f"{metric}, round {number + 1} of {min(3, self.options.rounds)}")
            for make in PROXIES:
                model = Model("once") if mode == "once" else upstream()
                proxy = make(model.port)
                warm = Callers(proxy, 50, request)
                warm.listen(0.5)
                warm.close()
                time.sleep(0.2)
                before = private_kilobytes(proxy.pid)
                callers = Callers(proxy, count, request)
                try:
                    callers.listen(30, lambda callers: callers.count(expected) == count)
                    answered = callers.count(expected)
                    if answered != count:
                        raise SystemExit(f"{proxy.name}: {answered} of {count} connections were answered")
                    time.sleep(settle)
                    self.note(proxy.name, metric, (private_kilobytes(proxy.pid) - before) / count)
                finally:
                    callers.close()
                    proxy.stop()
                    model.stop()

    # Held requests: nginx and HAProxy have nothing of the kind.

    def held(self):
        if not self.wants(*HOLD):
            return
        for number in range(min(3, self.options.rounds)):
            self.say(f"held requests, round {number + 1} of {min(3, self.options.rounds)}")
            self.hold(upstream(), self.note_release)
            self.hold(Model("slow", 2), self.note_concurrency)

    def hold(self, model, measure):
        proxy = Pilotlight(None, max_concurrency=HELD_CONCURRENCY)
        warm = Callers(proxy, 50, post(b"/v1/chat/completions"))
        warm.listen(0.5)
        warm.close()
        time.sleep(0.3)
        before = private_kilobytes(proxy.pid)
        callers = Callers(proxy, HELD, post(b"/v1/chat/completions"))
        try:
            time.sleep(1)
            memory = (private_kilobytes(proxy.pid) - before) / HELD
            proxy.show(model.port)
            begun = time.perf_counter()
            proxy.process.send_signal(signal.SIGHUP)
            moments = callers.listen(30, lambda callers: all(callers.received.values()))
            measure(model, memory, begun, moments, callers.count(b"HTTP/1.1 200"))
        finally:
            callers.close()
            proxy.stop()
            model.stop()

    def note_release(self, _, memory, begun, moments, answered):
        first, last = moments
        self.note("pilotlight", "kb_per_held_request", memory)
        self.note("pilotlight", "held_lost", HELD - answered)
        if first:
            self.note("pilotlight", "first_release_ms", (first - begun) * 1000)
            self.note("pilotlight", "last_release_ms", (last - begun) * 1000)

    def note_concurrency(self, model, memory, begun, moments, answered):
        self.note("pilotlight", "held_lost", HELD - answered)
        self.note("pilotlight", "max_concurrency_seen", int(model.lines(2)[-1]))

    # The whole.

    def run(self):
        self.throughput()
        self.uploads()
        self.events()
        self.memory("kb_per_idle_stream", IDLE_STREAMS, 0.5, "once", post(b"/v1/chat/completions"), b"finish_reason")
        self.memory(
            "kb_per_idle_connection", IDLE_CONNECTIONS, 0.5, "upstream",
            b"GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"finish_reason")
        self.held()

    def rows(self):
        for metric in self.options.only:
            by_proxy = self.samples.get(metric, {})
            for proxy, values in by_proxy.items():
                median = statistics.median(values)
                base = statistics.median(by_proxy["nginx"]) if "nginx" in by_proxy else None
                yield {
                    "proxy": proxy, "metric": metric, "median": round(median, 4), "min": round(min(values), 4),
                    "max": round(max(values), 4), "ratio_to_nginx": round(median / base, 3) if base else None}

    def table(self):
        cells = {(row["metric"], row["proxy"]): row for row in self.rows()}
        names = [make.name for make in PROXIES]
        lines = [["metric", *names, "to nginx", "to haproxy"]]
        for metric in self.options.only:
            row = cells.get((metric, "pilotlight"))
            if not row:
                continue
            other = cells.get((metric, "haproxy"))
            lines.append([
                metric, *(figure(cells.get((metric, name))) for name in names),
                f"{row['ratio_to_nginx']:.2f}" if row["ratio_to_nginx"] is not None else "-",
                f"{row['median'] / other['median']:.2f}" if other and other["median"] else "-"])
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        for line in lines:
            print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
        print("\nMedians, in brackets least and most. nginx and haproxy run without access log; nginx without buffering.")
        for metric in self.options.only:
            if metric in self.samples:
                print(f"  {metric}: {METRICS[metric]}")
        noisy = [
            f"{metric} of {name}" for (metric, name), row in cells.items()
            if metric not in HOLD and row["median"] and (row["max"] - row["min"]) / row["median"] > 0.25]
        if noisy:
            print("Spread above 25 %, so good for no more than that: " + ", ".join(noisy) + ".")
        for text in self.notes:
            print(text)


def figure(row):
    if row is None:
        return "-"
    return f"{number(row['median'])} ({number(row['min'])}-{number(row['max'])})"


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def options():
    parser = argparse.ArgumentParser(prog="hack/bench/gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement, interleaved (5); memory has 3")
    parser.add_argument("--seconds", type=int, default=2, help="length of one measurement (2)")
    parser.add_argument("--only", default=",".join(METRICS), help="metrics, separated by commas: " + ", ".join(METRICS))
    parser.add_argument("-o", dest="output", choices=["table", "json"], default="table")
    chosen = parser.parse_args()
    chosen.only = chosen.only.split(",")
    for metric in chosen.only:
        if metric not in METRICS:
            parser.error(f"--only: '{metric}' is none of {', '.join(METRICS)}")
    if chosen.rounds < 1 or chosen.seconds < 1:
        parser.error("--rounds and --seconds must be 1 or more")
    return chosen


def main():
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    raise_descriptors()
    os.sched_setaffinity(0, {LOAD_CORE})
    bench = Bench(chosen)
    try:
        bench.run()
    except KeyboardInterrupt:
        sys.exit(130)
    if chosen.output == "json":
        print(json.dumps(list(bench.rows()), indent=1))
    else:
        bench.table()


if __name__ == "__main__":
    main()
