"""Holds the sources against the architecture: reads `swift package dump-package` on standard input.

Three rules, each with the reason it exists:
- Package.swift says what docs/architecture.md says, and a target imports only what its row reaches;
- nothing imports Foundation (FoundationEssentials is a quarter of its size and starts twice as fast);
- clocks are read only at the edges, so that every decision can be replayed.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SYSTEM_MODULES = {"Swift", "Glibc", "Synchronization", "FoundationEssentials"}
CLOCK_OWNERS = {"EventLoop", "CurlTransport", "pilotlight", "measure-decisions", "measure-ledger"}
CLOCK_READ = re.compile(
    r"\bDate\(\)|\bDate\.now\b|\bclock_gettime\b|\bgettimeofday\b|\bContinuousClock\b|\bSuspendingClock\b"
    r"|\bTask\.sleep\b|\bDispatchTime\b|(?<![\w.])time\(nil\)"
)
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |internal |private |package )?"
    r"import\s+(?:struct |class |enum |protocol |func |typealias |let |var )?(\w+)"
)


def dependencies_by_target(package):
    rows = {}
    for target in package["targets"]:
        names = set()
        for dependency in target["dependencies"]:
            for kind in ("byName", "target"):
                if kind in dependency:
                    names.add(dependency[kind][0])
        rows[target["name"]] = names
    return rows


def reachable(name, rows):
    seen, stack = set(), [name]
    while stack:
        for dependency in rows.get(stack.pop(), ()):
            if dependency not in seen:
                seen.add(dependency)
                stack.append(dependency)
    return seen


def documented_rows():
    """The table of targets in docs/architecture.md: `| \\`Target\\` | job | imports |`."""
    rows = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        names = re.findall(r"`([\w-]+)`", cells[0]) if len(cells) == 3 else []
        for name in names:
            rows[name] = set(re.findall(r"`(\w+)`", cells[2]))
    return rows


def main():
    problems = []
    rows = dependencies_by_target(json.load(sys.stdin))
    documented = documented_rows()
    for name, dependencies in sorted(rows.items()):
        if name.endswith("Tests"):
            continue
        if name not in documented:
            problems.append(f"docs/architecture.md: no row for target {name}")
        elif documented[name] != dependencies:
            problems.append(
                f"Package.swift: {name} depends on {sorted(dependencies)}, docs/architecture.md says {sorted(documented[name])}"
            )
    sources = [(path, path.relative_to(ROOT / "Sources").parts[0]) for path in (ROOT / "Sources").rglob("*.swift")]
    sources += [(path, "measure-decisions") for path in (ROOT / "Tests/DecisionCost").rglob("*.swift")]
    sources += [(path, "measure-ledger") for path in (ROOT / "Tests/LedgerCost").rglob("*.swift")]
    sources += [(path, "simulate-faults") for path in (ROOT / "Tests/FaultSimulation").rglob("*.swift")]
    for path, target in sorted(sources):
        allowed = reachable(target, rows) | SYSTEM_MODULES | {target}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}"
            match = IMPORT.match(line)
            if match and match.group(1) == "Foundation":
                problems.append(f"{where}: imports Foundation; use FoundationEssentials")
            elif match and match.group(1) not in allowed:
                problems.append(f"{where}: {target} may not import {match.group(1)}")
            code = line.split("//")[0]
            if target not in CLOCK_OWNERS and CLOCK_READ.search(code):
                problems.append(f"{where}: {target} reads a clock or sleeps; take Now or a ClockSource instead")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
