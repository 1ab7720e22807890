"""The ledger: books in ConfigMaps, `pilotlight report` and its formats, and a controller that is killed."""
import csv
import datetime
import io
import json
import os
import re
import signal
import subprocess

import pytest

from harness import BINARY, Sandbox, chat, eventually, service

FOCUS = """BilledCost BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeDescription ChargePeriodEnd
ChargePeriodStart ConsumedQuantity ConsumedUnit EffectiveCost ListCost ListUnitPrice PricingQuantity PricingUnit ResourceId
ServiceCategory ServiceName SubAccountId Tags""".split()
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:00:00Z")


@pytest.fixture(scope="module")
def place():
    sandbox = Sandbox()
    kubectl = sandbox.kubectl()
    settings = {"ledger": {"writeInterval": "5s"}, "economics": {"hourlyPrice": "3.6", "powerWatts": 500, "gridRegion": "eu-west-3"}}
    kubectl.run("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pilotlight", "namespace": "pilotlight-system"},
        "data": {"settings.json": json.dumps(settings)}}))
    kubectl.run("apply", "-f", "-", stdin=json.dumps(service("counted")))
    yield sandbox, kubectl
    sandbox.stop()


def report(sandbox, form, *options):
    done = subprocess.run(
        [str(BINARY), "report", "--kubeconfig", sandbox.kubeconfig, "-o", form, *options],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def counted(sandbox):
    """The model's line in the report; nil before the first book is stored."""
    models = json.loads(report(sandbox, "json"))["models"]
    return models[0] if models else None


def ask(sandbox, times):
    for _ in range(times):
        assert chat(sandbox.gateway(), "counted", headers={"Authorization": "Bearer key-of-a-tenant"})[0] == 200


def test_traffic_is_counted_once_through_a_kill(place):
    sandbox, kubectl = place
    eventually(lambda: kubectl.json("get", "infsvc", "counted").get("status"), "a status")
    ask(sandbox, 5)
    first = eventually(lambda: (counted(sandbox) or {}).get("requests") == 5 and counted(sandbox), "five requests in the report", 60)
    assert first["replica_seconds"] > 0 and first["cost"] > 0 and first["energy_kwh"] > 0
    controller = sandbox.describe()["controller"]
    os.kill(controller["pid"], signal.SIGKILL)
    ask(sandbox, 3)
    eventually(lambda: sandbox.describe()["controller"].get("pid") not in (None, controller["pid"]), "another controller", 60)
    ask(sandbox, 2)
    later = eventually(lambda: counted(sandbox)["requests"] >= 10 and counted(sandbox), "ten requests", 90)
    assert later["requests"] == 10
    assert later["replica_seconds"] >= first["replica_seconds"]
    assert {s["baseline"] for s in later["savings"]} == {"AlwaysOnPeak", "FloorPlusOnDemand"}
    books = kubectl.json("get", "configmaps", "-n", "pilotlight-system", "-l", "serving.pilotlight.dev/ledger=book")["items"]
    assert books and all(b["metadata"]["name"].startswith("pilotlight-ledger.default.") for b in books)
    assert kubectl.json("get", "infsvc", "counted")["status"]["savings"]["baseline"] == "AlwaysOnPeak"


def test_the_table_and_the_csv(place):
    sandbox, _ = place
    table = report(sandbox, "table")
    assert "NAMESPACE" in table and "counted" in table and "embodied emissions (M) are not known" in table
    rows = list(csv.DictReader(io.StringIO(report(sandbox, "csv"))))
    assert sum(int(row["requests"]) for row in rows) == 10
    assert {row["tenant"] for row in rows if row["requests"] != "0"} == {rows[0]["tenant"]} and len(rows[0]["tenant"]) >= 12
    assert {row["price_method"] for row in rows if row["cost"] != "0"} == {"settings"}
    assert "nothing of this period" in report(sandbox, "table", "--from", "2020-01-01", "--to", "2020-01-02")


@pytest.mark.parametrize("column", FOCUS)
def test_each_focus_column_keeps_its_rule(place, column):
    rows = list(csv.DictReader(io.StringIO(report(place[0], "focus"))))
    assert rows and list(rows[0]) == FOCUS and len(FOCUS) <= 20
    for row in rows:
        value = row[column]
        if column in ("BilledCost", "EffectiveCost", "ListCost"):
            assert abs(float(value) - float(row["PricingQuantity"]) * float(row["ListUnitPrice"])) < 1e-5
        elif column == "BillingCurrency":
            assert re.fullmatch("[A-Z]{3}", value)
        elif column in ("PricingQuantity", "ConsumedQuantity"):
            assert float(value) > 0 or float(row["ListCost"]) == 0
        elif column == "ListUnitPrice":
            assert float(value) == 3.6
        elif column in ("PricingUnit", "ConsumedUnit"):
            assert value == "Hours"
        elif column.endswith(("Start", "End")):
            assert TIME.fullmatch(value)
            kind = column.removesuffix("Start").removesuffix("End")
            begin, end = (datetime.datetime.fromisoformat(row[kind + side].replace("Z", "+00:00")) for side in ("Start", "End"))
            assert begin < end and (kind != "ChargePeriod" or end - begin == datetime.timedelta(hours=1))
            assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["BillingPeriodEnd"]
        elif column == "Tags":
            assert set(json.loads(value)) == {"pilotlight/model", "pilotlight/pool", "pilotlight/tenant"}
        elif column == "ResourceId":
            assert re.fullmatch("default/counted/(burst|dedicated|canary)", value)
        else:
            assert value in {
                "ChargeCategory": ("Usage",), "ChargeDescription": (f"Replicas of the {json.loads(row['Tags'])['pilotlight/pool']} pool",),
                "ServiceCategory": ("AI and Machine Learning",), "ServiceName": ("Pilotlight",), "SubAccountId": ("default",)}[column]


def test_books_past_their_retention_are_deleted(place):
    sandbox, kubectl = place
    day = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=410)).date().isoformat()
    kubectl.run("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"book.json": "{}"}, "metadata": {
            "name": f"pilotlight-ledger.default.{day}", "namespace": "pilotlight-system", "labels": {
                "serving.pilotlight.dev/ledger": "book", "serving.pilotlight.dev/ledger-day": day,
                "serving.pilotlight.dev/ledger-namespace": "default"}}}))
    sandbox.kill_controller()
    eventually(lambda: day not in kubectl.run("get", "configmaps", "-n", "pilotlight-system", "-o", "name").stdout, "the old book to go", 60)
