"""Idle windows, objectives and speed on request traces: see hack/bench/decisions."""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile

BINARY = os.environ["PILOTLIGHT"]
CLIENTS = "servegen-2025-m-small-clients.csv"
BURSTY = {"azure-llm-2023-code": "azure-llm-2023-code.csv", "mooncake-2025-conversation": "mooncake-2025-conversation.jsonl"}
IDLE_POLICIES = "pilotlight-auto,pilotlight-predictive,best-fixed,fixed:10m,kpa,keda,hybrid-histogram,optimum"
OBJECTIVE_POLICIES = "pilotlight,kpa,keda,always-on"
# One replica runs at most this many at once, as in the examples of the resource; see --max-concurrency.
OBJECTIVE_FLAGS = ["--max-replicas", "40", "--max-concurrency", "16", "--objective", "2s", "--percentile", "99"]


def simulate(*arguments):
    """The JSON report, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([BINARY, "simulate", *arguments, "-o", "json"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"pilotlight simulate {' '.join(arguments)}: {run.stderr.strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(run.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows_of(report, price=None, trace=None):
    for row in report["policies"]:
        yield {"trace": trace, "cold_start_price": price, **row}


def idle_windows(path, prices):
    rows = []
    for price in prices:
        print(f"idle windows at {price} replica-seconds per cold start", file=sys.stderr)
        report, _ = simulate("--trace", path, "--max-client-rate", "0.2", "--seed", "1",
                             "--policies", IDLE_POLICIES, "--cold-start-price", str(price))
        best = next(row["cost"] for row in report["policies"] if row["policy"] == "best-fixed")
        for row in rows_of(report, price, CLIENTS):
            rows.append({**row, "cost_ratio_to_best_fixed": row["cost"] / best})
    return rows


def objectives(directory):
    rows = []
    for name, file in BURSTY.items():
        path = os.path.join(directory, file)
        if not os.path.exists(path):
            print(f"{path} is missing: left out", file=sys.stderr)
            continue
        print(f"objective on {name}", file=sys.stderr)
        report, _ = simulate("--trace", path, "--policies", OBJECTIVE_POLICIES, *OBJECTIVE_FLAGS)
        rows += rows_of(report, trace=name)
    return rows


def speed():
    """Generic CSV, the fixed policy, CPU seconds; and wc -l of the same file, the least that reading it takes."""
    rows = []
    for models in (1000, 10_000):
        count = 5_000_000
        print(f"speed: {count} requests of {models} models", file=sys.stderr)
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write("model,time,prompt_tokens,output_tokens\n")
            # A fixed stride visits the models in an order that no cache foresees.
            file.writelines(f"model-{index * 7919 % models},{index * 0.01:.2f},{index % 2000},{index % 300}\n"
                            for index in range(count))
            file.flush()
            report, used = simulate("--trace", file.name, "--policies", "fixed")
            assert report["requests"] == count
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(["wc", "-l", file.name], capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            rows.append({"models": models, "requests_per_cpu_second": count / used,
                         "times_wc": used / max(1e-9, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)})
    return rows


def decision():
    """CPU per decision of the production policy: a busy model of four replicas is asked once a second."""
    models, seconds = 10_000, 60
    print(f"decision: {models} models, {seconds} s", file=sys.stderr)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("model,time,duration\n")
        for start in (0, seconds):
            file.writelines(f"model-{index},{start},{2 * seconds}\n" for index in range(models))
        file.flush()
        flags = ["--trace", file.name, "--max-replicas", "4", "--load-time", "1"]
        _, ours = simulate(*flags, "--policies", "pilotlight")
        _, none = simulate(*flags, "--policies", "always-on")
    ticks = models * 3 * seconds
    each = max(0.0, ours - none) / ticks
    return [{"models": models, "microseconds_per_decision": each * 1e6, "percent_of_a_core_at_10000": each * 10_000 * 100}]


def table(title, rows, columns):
    print(f"\n{title}")
    lines = [columns] + [[text(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def text(value):
    if value is None:
        return "-"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--traces", default=os.environ.get("TRACES"))
    parser.add_argument("--prices", default="60,300,900,3600")
    parser.add_argument("--only", default="idle,objective,speed,decision")
    parser.add_argument("-o", dest="output", choices=["table", "json"], default="table")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    results = {}
    directory = arguments.traces
    if directory is None and {"idle", "objective"} & set(wanted):
        print("no --traces: only what needs none is measured", file=sys.stderr)
    if directory and "idle" in wanted and os.path.exists(os.path.join(directory, CLIENTS)):
        results["idle_windows"] = idle_windows(os.path.join(directory, CLIENTS), arguments.prices.split(","))
    if directory and "objective" in wanted:
        results["objectives"] = objectives(directory)
    if "speed" in wanted:
        results["speed"] = speed()
    if "decision" in wanted:
        results["decision"] = decision()
    if arguments.output == "json":
        print(json.dumps(results, indent=2))
        return
    columns = {
        "idle_windows": ["cold_start_price", "policy", "replica_hours", "cold_starts", "waiting_share", "wait_p99_seconds",
                         "cost_ratio_to_best_fixed", "cost_ratio_to_optimum", "note"],
        "objectives": ["trace", "policy", "replica_hours", "objective_attainment", "objective_met", "first_token_p99_seconds",
                       "cold_starts"],
        "speed": ["models", "requests_per_cpu_second", "times_wc"],
        "decision": ["models", "microseconds_per_decision", "percent_of_a_core_at_10000"],
    }
    for key, rows in results.items():
        table(key.replace("_", " "), rows, columns[key])


if __name__ == "__main__":
    main()
