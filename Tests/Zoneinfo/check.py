"""Compares `TimeZones` with Python's zoneinfo: 20 zones from 1970 to 2069, and coarsely before, from the very same files.

    check.py PROBE FOLDER...       each folder holds compiled zones

Compared are the offset at an instant, and the first and the last instant at which clocks show a time: every 67 hours and
19 minutes, and around every change. Prints what differs and ends with 1.
"""
import array
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = """
Africa/Casablanca Africa/Monrovia America/Caracas America/New_York America/Nuuk America/Sao_Paulo America/St_Johns
Antarctica/Troll Asia/Gaza Asia/Kathmandu Asia/Kolkata Asia/Tehran Australia/Lord_Howe Europe/Berlin Europe/Dublin
Europe/London Pacific/Apia Pacific/Chatham Pacific/Kwajalein UTC
""".split()
EPOCH = datetime(1970, 1, 1)
STEP = 67 * 3600 + 19 * 60


def since_epoch(year):
    return int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp())


def offset_at(zone, instant):
    return int(datetime.fromtimestamp(instant, zone).utcoffset().total_seconds())


def change_between(zone, before, after):
    """The instant in (before, after] at which the offset becomes that of `after`."""
    wanted = offset_at(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == wanted:
            after = middle
        else:
            before = middle
    return after


def instants_of(zone, reading):
    """(first, last): of a reading that is left out, the instant of the change, twice."""
    local = EPOCH + timedelta(seconds=reading)
    first, last = (
        reading - int(local.replace(tzinfo=zone, fold=fold).utcoffset().total_seconds()) for fold in (0, 1)
    )
    if first > last:
        first = last = change_between(zone, last - 1, first + 1)
    return first, last


def values_for(zone):
    coarse = list(range(since_epoch(1880), since_epoch(1970), 97 * STEP))
    values = coarse + list(range(since_epoch(1970), since_epoch(2070), STEP))
    offsets = [offset_at(zone, value) for value in values]
    near = []
    for left, right, before, after in zip(values, values[1:], offsets, offsets[1:]):
        if before != after:
            change = change_between(zone, left, right)
            for shown in (change, change + before, change + after):
                near += [shown + seconds for seconds in (-3601, -1800, -1, 0, 1, 1799, 3600)]
    return values + near, len(near) // 21


def check(probe, path):
    with open(path, "rb") as file:
        zone = ZoneInfo.from_file(file)
    values, changes = values_for(zone)
    done = subprocess.run([probe, path], input=array.array("q", values).tobytes(), stdout=subprocess.PIPE, check=True)
    answers = array.array("q", done.stdout)
    assert len(answers) == 3 * len(values), f"{path}: {len(answers)} answers to {len(values)} values"
    wrong = []
    for index, value in enumerate(values):
        got = tuple(answers[3 * index : 3 * index + 3])
        wanted = (offset_at(zone, value), *instants_of(zone, value))
        if got != wanted:
            wrong.append(f"{path}: {value} ({EPOCH + timedelta(seconds=value)}): {got}, zoneinfo says {wanted}")
    return wrong, len(values), changes


def main():
    probe, folders = sys.argv[1], sys.argv[2:]
    wrong, count, changes = [], 0, 0
    for folder in folders:
        for name in ZONES:
            result = check(probe, os.path.join(folder, name))
            wrong += result[0]
            count += result[1]
            changes += result[2]
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    print(f"{len(ZONES)} zones in {len(folders)} folders: {count} instants and local times, {changes} changes, {len(wrong)} differ")
    sys.exit(1 if wrong or changes < 20 * len(folders) else 0)


main()
