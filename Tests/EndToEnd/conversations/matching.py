"""Compares what was said with what the table expects.

An expected text may be a placeholder: `<uid>`, `<name>`, `<version>`, `<time>`, `<age>`, `<number>`, `<seconds>`, `<days>`, `<token>` or `<any>`.
`<version:v>` keeps what it matched, and `$v` stands for it afterwards.
"""
import json
import re
import urllib.parse

PATTERNS = {
    "uid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "version": r"[1-9][0-9]*",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z",
    "name": r"[a-z0-9.-]+",
    "age": r"\d+[smhd]",
    "number": r"\d+",
    "seconds": r"[1-9][0-9]*",
    "days": r"\d{4}-\d\d-\d\d(?:,\d{4}-\d\d-\d\d)*",
    "token": r".+",
    "any": r"(?s:.*)",
}
PLACEHOLDER = re.compile(r"<(%s)(?::(\w+))?>" % "|".join(PATTERNS))
# What the header names mean that kubectl sends, in its own words.
ACCEPT = {
    "JSON": "application/json",
    "JSON*": "application/json, */*",
    "TABLE": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    "PROTOBUF": "application/vnd.kubernetes.protobuf,application/json",
    "DISCOVERY": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
}


def filled(value, names):
    """`value` with each `$name` that is known replaced; others, as in `$patch`, stay."""
    if isinstance(value, dict):
        return {filled(k, names): filled(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, names) for v in value]
    if isinstance(value, str):
        return re.sub(r"\$(\w+)", lambda m: names.get(m.group(1), m.group(0)), value)
    return value


def text_matches(expected, actual, names):
    """Whether a text is the expected one; keeps what named placeholders matched."""
    if not PLACEHOLDER.search(expected):
        return expected == actual
    kept, pattern, end = [], "", 0
    for found in PLACEHOLDER.finditer(expected):
        pattern += re.escape(expected[end:found.start()]) + "(" + PATTERNS[found.group(1)].replace("(\\.", "(?:\\.") + ")"
        kept.append(found.group(2))
        end = found.end()
    match = re.fullmatch(pattern + re.escape(expected[end:]), actual)
    if match:
        names.update({name: text for name, text in zip(kept, match.groups()) if name})
    return bool(match)


def differences(expected, actual, names, whole, place="body"):
    """What differs, one line each. `whole`: what is not expected must not be there; otherwise it may."""
    if expected == "<absent>":
        return [f"{place}: there is {actual!r}"]
    if isinstance(expected, str) and isinstance(actual, str):
        return [] if text_matches(expected, actual, names) else [f"{place}: {actual!r} instead of {expected!r}"]
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key, value in expected.items():
            if key in actual:
                found += differences(value, actual[key], names, whole, f"{place}.{key}")
            elif value != "<absent>":
                found.append(f"{place}.{key} is missing")
        if whole:
            found += [f"{place}.{key}: unexpected {actual[key]!r}" for key in actual if key not in expected]
        return found
    if isinstance(expected, list) and isinstance(actual, list):
        if whole:
            if len(expected) != len(actual):
                return [f"{place}: {len(actual)} elements instead of {len(expected)}: {actual!r}"]
            return [d for i, (e, a) in enumerate(zip(expected, actual)) for d in differences(e, a, names, whole, f"{place}[{i}]")]
        return [d for i, e in enumerate(expected) for d in contained(e, actual, names, f"{place}[{i}]")]
    return [] if expected == actual and type(expected) is type(actual) else [f"{place}: {actual!r} instead of {expected!r}"]


def contained(expected, actual, names, place):
    """The differences from the nearest element of a list."""
    return min((differences(expected, a, names, False, place) for a in actual), key=len, default=[f"{place}: the list is empty"])


def split(target):
    """Path, and the query as a dictionary; the terms of a selector come in any order."""
    path, _, query = target.partition("?")
    items = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    if "fieldSelector" in items:
        items["fieldSelector"] = ",".join(sorted(items["fieldSelector"].split(",")))
    return path, items


def request_differences(exchange, said, names, bodies=True):
    """How a recorded request differs from the expected one."""
    method, target = filled(exchange["request"], names).split(" ", 1)
    (path, query), (said_path, said_query) = split(target), split(said.target)
    found = differences({"method": method, "path": path, "query": query},
                        {"method": said.method, "path": said_path, "query": said_query}, names, True, "request")
    accept = exchange.get("accept", "JSON")
    headers = {"accept": ACCEPT.get(accept, accept)}
    if "content" in exchange:
        headers["content-type"] = exchange["content"]
    found += differences(headers, said.headers, names, False, "headers")
    if bodies:
        body = json.loads(said.body) if said.body else None
        found += differences(filled(exchange.get("body"), names), body, names, True, "request body")
    return found


def answer_differences(exchange, answer, names):
    """How an answer differs from the expected one."""
    expected = exchange["answer"]
    found = differences(expected["status"], answer.status, names, True, "status")
    found += differences(expected.get("type", "application/json"), answer.kind, names, True, "Content-Type")
    if found:
        return found + [repr(answer)]
    if "text" in expected:
        return differences(filled(expected["text"], names), answer.body.decode(), names, True, "text")
    if "events" in expected:
        events = [json.loads(line) for line in answer.body.splitlines() if line]
        return differences(filled(expected["events"], names), events[:len(expected["events"])], names, False, "events")
    whole = "is" in expected
    body = expected.get("is", expected.get("has"))
    return [] if body is None else differences(filled(body, names), answer.json(), names, whole)
