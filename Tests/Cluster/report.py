"""What the suite prints: a line for each test as it ends, and at the end what was skipped and why. Or all of it as JSON."""
import json
import time


class Report:
    def __init__(self, form):
        self.form, self.tests, self.begun = form, [], time.monotonic()

    def say(self, text):
        if self.form == "text":
            print(text, flush=True)

    def begin(self, cluster):
        self.cluster = cluster.description
        self.say(f"server {self.cluster['server']}, namespace {self.cluster['namespace']}, gateway {self.cluster['gateway']}")

    def pytest_configure(self, config):
        config.option.tbstyle = "short"  # pytest's terminal, which has the flag for it, is off

    def pytest_collectreport(self, report):
        if report.failed:
            self.add("collecting the tests", "failed", 0, str(report.longrepr))

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.outcome == "passed":
            return
        name = report.nodeid.partition("::")[2].removeprefix("test_").replace("_", " ")
        reason = ""
        if report.skipped:
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        elif report.failed:
            reason = report.longreprtext
        self.add(name, report.outcome, report.duration, reason)

    def add(self, name, outcome, seconds, reason):
        self.tests.append({"name": name, "outcome": outcome, "seconds": round(seconds, 1), "reason": reason})
        self.say(f"{outcome:<8} {seconds:5.1f} s  {name}" + (f"\n{reason}" if outcome == "failed" else ""))

    def end(self, code):
        count = {outcome: sum(test["outcome"] == outcome for test in self.tests) for outcome in ("passed", "failed", "skipped")}
        seconds = round(time.monotonic() - self.begun, 1)
        if self.form == "json":
            print(json.dumps({**self.cluster, **count, "seconds": seconds, "exitCode": int(code), "tests": self.tests}, indent=2))
            return
        for test in self.tests:
            if test["outcome"] == "skipped":
                self.say(f"skipped: {test['name']}\n         needs {test['reason']}")
        self.say(", ".join(f"{number} {outcome}" for outcome, number in count.items()) + f" in {seconds} s")
