"""Evaluates CEL rules over values: JSON lines {path, cel, self, expected} on standard input, one verdict at the end.

What Kubernetes' CEL has and cel-python lacks is registered here: `sum()` of a list, Go's form of durations, and `in` for
lists of mixed types, in which values of different types are unequal instead of an error.
"""

import json
import re
import sys

import celpy
from celpy import celtypes

UNITS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


class Milliseconds(celtypes.IntType):
    """What duration() gives: comparable, nothing else is needed. Go's whole numbers with units; anything else is an error."""


def duration(text):
    parts = re.findall(r"([0-9]+)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return celpy.CELEvalError(f"invalid duration {text!r}")
    return Milliseconds(sum(int(number) * UNITS[unit] for number, unit in parts))


def total(values):
    return celtypes.IntType(sum(int(value) for value in values))


def is_in(value, container):
    return celtypes.BoolType(any(type(value) is type(entry) and value == entry for entry in container))


FUNCTIONS = {"duration": duration, "sum": total, "_in_": is_in}


def main():
    environment = celpy.Environment()
    programs, outcomes, failures = {}, {}, []
    count = 0
    for line in sys.stdin:
        case = json.loads(line)
        count += 1
        rule = case["cel"]
        if rule not in programs:
            programs[rule] = environment.program(environment.compile(rule), functions=FUNCTIONS)
        where = f"{case['path']}: {rule}\n    self = {json.dumps(case['self'])}"
        try:
            verdict = programs[rule].evaluate({"self": celpy.json_to_cel(case["self"])})
        except celpy.CELEvalError as error:
            failures.append(f"{where}\n    could not be evaluated: {error}")
            continue
        outcomes.setdefault((case["path"], rule), set()).add(case["expected"])
        if bool(verdict) != case["expected"]:
            failures.append(f"{where}\n    CEL says {bool(verdict)}, Swift {case['expected']}")
    for (path, rule), seen in outcomes.items():
        if seen != {True, False}:
            failures.append(f"{path}: {rule}\n    is not tried with a good and a bad value")
    if not count:
        failures.append("there were no cases to try")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{count} values, {len(outcomes)} rules in {len(programs)} forms, {len(failures)} disagreements")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
