"""Runs the suite that any cluster must pass; `hack/e2e` prepares what it needs."""
import argparse
import os
import pathlib
import shlex
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from cluster import Cluster, Problem  # noqa: E402
from harness import Sandbox  # noqa: E402
from report import Report  # noqa: E402

STUB = "pilotlight model-stub"


def parsed(arguments):
    parser = argparse.ArgumentParser(
        prog="hack/e2e", description="Tests Pilotlight in the cluster that KUBECONFIG names, or in a sandbox of its own.")
    parser.add_argument("--gateway-url", metavar="URL", help="where callers reach the gateway; default: kubectl port-forward to its Service")
    parser.add_argument("--gateway-service", metavar="NAMESPACE/NAME", default="pilotlight-system/pilotlight-gateway",
                        help="that Service (%(default)s)")
    parser.add_argument("--image", default="pilotlight", help="image of the model's pods (%(default)s; the sandbox needs none)")
    parser.add_argument("--command", default=STUB, type=shlex.split, metavar="WORDS",
                        help="what the pods run: any server with OpenAI's API; {name} becomes the name that it must serve "
                             f"({STUB}, whose pace and failures some tests set)")
    parser.add_argument("--port", type=int, default=8000, help="where it listens (%(default)s)")
    parser.add_argument("--health-path", default="/health", metavar="PATH", help="its readiness (%(default)s)")
    parser.add_argument("--namespace-prefix", default="pilotlight-e2e", metavar="TEXT", help="of the namespace that is made (%(default)s)")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="how long to wait for anything (60 in a sandbox, else 300)")
    parser.add_argument("-k", dest="selection", metavar="EXPRESSION", help="only tests whose name matches, as pytest's -k")
    parser.add_argument("-o", dest="output", choices=["text", "json"], default="text", help="form of the report (%(default)s)")
    return parser.parse_args(arguments)


def run(options, gateway_url):
    report = Report(options.output)
    with Cluster(options, gateway_url) as cluster:
        report.begin(cluster)
        selection = ["-k", options.selection] if options.selection else []
        arguments = [str(HERE), "--rootdir", str(HERE), "-p", "no:terminal", "-p", "no:cacheprovider", *selection]
        code = pytest.main(arguments, plugins=[report, cluster])
    report.end(code)
    return int(code)


def main(arguments):
    options = parsed(arguments)
    # A namespace must not stay behind because a job was cancelled.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if os.environ.get("KUBECONFIG"):
            return run(options, options.gateway_url)
        sandbox = Sandbox()
        try:
            os.environ["KUBECONFIG"] = sandbox.kubeconfig
            return run(options, options.gateway_url or sandbox.gateway())
        finally:
            sandbox.stop()
    except Problem as problem:
        print(f"hack/e2e: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
