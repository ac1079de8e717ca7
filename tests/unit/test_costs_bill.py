"""The bill: its laws, machines and crossovers, and that it tells what it assumes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployment import estimate
from deployment.settings import SettingsError, deployment
from load_tests.costs import figures, plot, serverless
from load_tests.costs.crossovers import changes, crossovers
from load_tests.costs.instances import Load, TooLarge, database, fleet
from load_tests.costs.prices import Machine, prices
from load_tests.costs.stages import STAGES, Terms, bill
from load_tests.costs.table import lines, report
from load_tests.costs.usage import Usage, of_requests

PRICES = prices()
RULES = figures.assumptions()["servers"]
TEN_THOUSAND = Usage(Decimal(10_000))

stages = st.sampled_from(STAGES)
counts = st.decimals(0, 20, places=2)
usages = st.builds(
    Usage,
    users=st.integers(0, 300_000).map(Decimal),
    visits=counts,
    products=counts,
    chats=counts,
    checkouts=st.decimals(0, 2, places=2),
    orders=counts,
    sign_ins=st.decimals(0, 1, places=2),
    peak=st.decimals(1, 20, places=1),
)
few = settings(deadline=None, max_examples=40)
MORE = ("users", "visits", "products", "chats", "checkouts", "orders", "peak")


@given(stages, usages, st.sampled_from(MORE), st.decimals(1, 2, places=2))
@few
def test_more_use_never_lowers_a_bill(stage, usage, what, times):
    more = replace(usage, **{what: getattr(usage, what) * times})
    assert bill(stage, usage).total <= bill(stage, more).total


@given(stages, usages)
@few
def test_a_bill_is_the_sum_of_its_lines_to_the_cent(stage, usage):
    month = bill(stage, usage)
    names = {line.name for line in month.lines}
    assert month.total == sum(month.dollars(name) for name in names)
    assert all(line.dollars == round(line.dollars, 2) >= 0 for line in month.lines)


@given(stages, usages)
@few
def test_the_free_tier_never_raises_a_bill(stage, usage):
    free = Terms(PRICES.with_free_tier())
    assert bill(stage, usage, free).total <= bill(stage, usage).total


@given(st.sampled_from([3, 4]), usages)
@few
def test_a_function_does_not_cost_more_for_being_asked_in_bursts(stage, usage):
    flat = replace(usage, peak=Decimal(1))
    assert bill(stage, usage).total == bill(stage, flat).total


@given(usages)
@few
def test_asynchronous_is_not_cheaper(usage):
    assert bill(4, usage).total >= bill(3, usage).total


@given(
    st.decimals(0, 30, places=3),
    st.decimals(1, 20, places=2),
    st.integers(20, 3000).map(Decimal),
)
def test_a_fleet_carries_its_peak_with_a_zone_gone_and_its_memory_fits(
    mean, peak, worker
):
    load = Load(mean, mean * peak, worker)
    them = fleet(load, PRICES.instances, RULES)
    left = them.count - -(-them.count // 2)
    assert them.count >= 2
    assert load.peak <= left * them.machine.vcpus * RULES["cpu_used"]
    assert load.mean <= them.vcpus * them.machine.baseline
    held = RULES["system_mib"] + worker * them.machine.vcpus
    assert held <= them.machine.mib * RULES["memory_used"]


@pytest.mark.parametrize(
    ("worker_mib", "machine"),
    [(60, "t3.nano"), (127, "t3.micro"), (366, "t3.small"), (1200, "t3.medium")],
)
def test_memory_chooses_the_instance(worker_mib, machine):
    load = Load(Decimal("0.01"), Decimal("0.1"), Decimal(worker_mib))
    assert fleet(load, PRICES.instances, RULES).machine.name == machine


def test_cpu_chooses_the_number_of_instances():
    peak = Load(Decimal("0.1"), Decimal(6), Decimal(127))
    assert str(fleet(peak, PRICES.instances, RULES)) == "8 x t3.micro"


def test_steady_work_needs_more_burstable_instances_than_its_peak_does():
    burstable = [each for each in PRICES.instances if each.name == "t3.small"]
    peak_only = Load(Decimal("0.1"), Decimal(12), Decimal(127))
    assert fleet(peak_only, burstable, RULES).count == 16
    steady = Load(Decimal(12), Decimal(12), Decimal(127))
    assert fleet(steady, burstable, RULES).count == 30  # 12 / (2 x 0.20)


def test_what_fits_nowhere_says_what_to_do():
    with pytest.raises(TooLarge, match="enter a larger one"):
        fleet(Load(Decimal(1), Decimal(1), Decimal(10**6)), PRICES.instances, RULES)
    with pytest.raises(TooLarge, match="one database"):
        database(
            Load(Decimal(1), Decimal(50), Decimal(0)), PRICES.databases, Decimal(1)
        )


def test_an_address_of_each_instance_counts_when_fleets_are_compared():
    small = Machine("small", Decimal(1), Decimal(4096), Decimal(1), Decimal(1), True)
    large = replace(small, name="large", vcpus=Decimal(4), hourly=Decimal("4.01"))
    load = Load(Decimal(3), Decimal("3.2"), Decimal(100))
    assert fleet(load, [small, large], RULES).machine.name == "small"
    with_address = fleet(load, [small, large], RULES, Decimal("0.1"))
    assert with_address.machine.name == "large"


def test_the_strong_engine_needs_larger_instances_of_the_monolith_but_of_nlu_only():
    strong = Terms(engine="strong")
    details = [line.detail for line in bill(1, TEN_THOUSAND, strong).lines]
    assert "monolith: 2 x t3.small" in details
    light = {line.detail for line in bill(2, TEN_THOUSAND).lines}
    changed = {line.detail for line in bill(2, TEN_THOUSAND, strong).lines} - light
    assert {detail.partition(":")[0] for detail in changed} == {"nlu"}


def test_a_hundred_users_cost_less_without_servers_and_a_hundred_thousand_more():
    few = [bill(stage, replace(TEN_THOUSAND, users=Decimal(100))) for stage in STAGES]
    many = [
        bill(stage, replace(TEN_THOUSAND, users=Decimal(10**5))) for stage in STAGES
    ]
    assert few[2].total < few[0].total < few[1].total
    assert many[0].total < many[1].total < many[2].total
    assert many[2].dollars("Cognito (essentials)") == Decimal("1350.00")


@pytest.mark.parametrize("cognito", ["essentials", "none"])
def test_crossovers_are_where_the_order_changes(cognito):
    terms = Terms(cognito=cognito)
    found = crossovers(TEN_THOUSAND, terms)
    assert any((each.dearer, each.cheaper) == (3, 1) for each in found)
    for each in found:

        def total(stage, users):
            return bill(stage, replace(TEN_THOUSAND, users=Decimal(users)), terms).total

        assert total(each.dearer, each.users) > total(each.cheaper, each.users) or (
            each.dearer < each.cheaper
            and total(each.dearer, each.users) == total(each.cheaper, each.users)
        )
        before = each.users - 1
        assert total(each.dearer, before) <= total(each.cheaper, before)


@given(st.integers(101, 99_999), st.booleans())
def test_a_change_of_sign_is_found_exactly(at, rises):
    def difference(users):
        return Decimal(1 if (users >= at) == rises else -1)

    assert list(changes(difference, [100, 1000, 100_000])) == [(at, rises)]


def test_flat_and_bursty_are_in_the_report_with_everything_assumed():
    told = report(TEN_THOUSAND, Terms())
    for word in ("x 1 ", "x 50", "ASSUMED", "unverified", "costs more than stage 1"):
        assert word in told


def test_the_table_adds_up():
    *each, total = [
        [cell.strip() for cell in (row[:22], row[22:34])]
        for row in lines([bill(1, TEN_THOUSAND)]).splitlines()[1:]
    ]
    assert total[0] == "total"
    assert sum(Decimal(cells[1]) for cells in each) == Decimal(total[1])


def test_results_take_the_place_of_assumptions(tmp_path):
    machine = {"measured": "2026-12-01T00:00:00+00:00", "commit": "abc"}
    one = json.loads((figures.RESULTS / "stage1-bench.json").read_text())
    (tmp_path / "stage1-bench.json").write_text(json.dumps(one))
    parts = ("identity", "catalog", "nlu", "checkout", "notifications")
    two = {
        "machine": machine,
        "mix": {"cpu": {"services": dict.fromkeys(parts, 10.0)}},
        "memory": {"services": {name: {"proportional": 64.5} for name in parts}},
    }
    (tmp_path / "stage2-bench.json").write_text(json.dumps(two))
    call = {"operation": "order", "function": "checkout", "times": 1, "billed_ms": 31}
    three = {"machine": machine, "calls": [call]}
    (tmp_path / "stage3-calls.json").write_text(json.dumps(three))

    services = figures.services(results=tmp_path)
    assert "measured, 2026-12-01, commit abc" in services.basis[0]
    by_name = {service.name: service for service in services.services}
    assert by_name["nlu"].worker_mib == Decimal("64.5")
    assert 2 * by_name["nlu"].cpu_ms["chat"] == pytest.approx(10)
    visit = by_name["checkout"].cpu_ms
    whole = 2 * visit["chat"] + visit["checkout"] + visit["order"]
    assert whole == pytest.approx(10)
    functions = figures.functions(3, tmp_path)
    assert functions.calls[0].billed_ms == 31
    assert "calls: measured" in functions.basis[0]


def test_without_a_result_of_stage_1_it_says_what_to_run(tmp_path):
    with pytest.raises(figures.FiguresError, match="make bench STAGE=1"):
        figures.monolith(results=tmp_path)


@pytest.mark.parametrize(
    ("cpu", "wait", "memory", "billed"),
    [(10, 0, 1769, 10), (10, 0, 3538, 10), (10, 5, 512, 40), (0, "0.1", 128, 1)],
)
def test_a_part_of_a_processor_takes_longer(cpu, wait, memory, billed):
    assert figures.billed_ms(Decimal(cpu), Decimal(wait), Decimal(memory)) == billed


def test_memory_is_what_the_services_own_settings_say():
    assert figures.memory_of(3, "nlu") == 1024
    assert figures.memory_of(3, "catalog") == 512


def test_requests_become_guests_and_back():
    usage = of_requests(Decimal(1_000_000), TEN_THOUSAND)
    assert sum(usage.a_month().values()) == pytest.approx(1_000_000)
    with pytest.raises(ValueError, match="no requests"):
        of_requests(Decimal(1), replace(TEN_THOUSAND, visits=Decimal(0)))


@pytest.mark.parametrize("change", [{"users": Decimal(-1)}, {"peak": Decimal("0.9")}])
def test_impossible_usage_is_refused(change):
    with pytest.raises(ValueError, match="at least"):
        replace(TEN_THOUSAND, **change)


def test_the_estimate_of_a_deployment_is_the_models_bill():
    told = estimate.monthly(deployment(3, "dev", {"REQUESTS": "1000000"}))
    usage = of_requests(Decimal(1_000_000), Usage(Decimal(1), sign_ins=Decimal(0)))
    assert f"{bill(3, usage).total:.2f}" in told
    assert "1,000,000 requests" in told


def test_metrics_of_each_method_are_paid_for_by_those_who_asked_for_them():
    asked = bill(3, TEN_THOUSAND, Terms(detailed_metrics=True))
    extra = asked.total - bill(3, TEN_THOUSAND).total
    assert extra == asked.dollars("Metrics and alarms")
    assert 10 < extra <= 12
    told = estimate.monthly(deployment(3, "dev", {"API_DETAILED_METRICS": "true"}))
    assert "metrics" in told
    assert "metrics" not in estimate.monthly(deployment(3, "dev", {}))


@pytest.mark.parametrize("asked", ["many", "-5", "NaN", "Infinity"])
def test_an_estimate_of_no_number_is_refused(asked):
    with pytest.raises(SettingsError, match="REQUESTS="):
        estimate.monthly(deployment(3, "dev", {"REQUESTS": asked}))


def test_the_plot_shows_four_stages_twice_with_units(tmp_path):
    plot.draw(TEN_THOUSAND, Terms(), tmp_path / "bill.svg")
    drawn = (tmp_path / "bill.svg").read_text()
    assert len({look["color"] for look in plot.LOOKS.values()}) == len(STAGES)
    assert "US dollars a month" in drawn


def test_the_command_prints_four_bills_and_refuses_nonsense():
    command = [sys.executable, "-m", "load_tests.costs", "--users"]
    done = subprocess.run([*command, "10,000"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "4 asynchronous" in done.stdout
    wrong = subprocess.run([*command, "-1"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "at least 0" in wrong.stderr


# A bill reckoned by hand


def test_a_function_of_512_mb_that_reads_and_writes_once_costs_5_28_a_million():
    known = figures.functions(3)
    call = replace(
        known.calls[0],
        memory_mb=Decimal(512),
        billed_ms=Decimal(100),
        init_ms=Decimal(0),
        times=Decimal(1),
    )
    work = replace(
        known,
        calls=(call,),
        operations={"products": {"reads": Decimal(1), "writes": Decimal(1)}},
    )
    nothing = dict.fromkeys(("chats", "checkouts", "orders", "sign_ins"), Decimal(0))
    usage = Usage(Decimal(500_000), Decimal(2), products=Decimal(1), **nothing)
    month = serverless.bill(3, usage, work, PRICES, "none")
    own = ("Lambda, requests", "Lambda, time", "DynamoDB, writes", "DynamoDB, reads")
    exact = {line.name: line.exact for line in month.lines}
    api = PRICES["api_rest_requests"].of(Decimal(1_000_000))
    assert round(sum(exact[name] for name in own) + api, 2) == Decimal("5.28")
    preflights = usage.all_visits * work.rules["preflights_a_visit"]
    asked = Decimal(1_000_000) + preflights
    assert exact["API Gateway"] == PRICES["api_rest_requests"].of(asked)


def test_a_bill_of_servers_comes_out_as_on_paper():
    usage = Usage(Decimal(0))
    month = bill(1, usage)
    # 2 x t3.micro and an address each; a balancer with two; a database and 20 GB.
    on_paper = {
        "Instances": "22.48",  # 2 x (0.0104 + 0.005) x 730
        "Load balancers": "23.73",  # (0.0225 + 2 x 0.005) x 730
        "PostgreSQL (RDS)": "52.05",  # 0.065 x 730 + 20 x 0.23
        "Data out": "0.00",
        "E-mails (SES)": "0.00",
        "Logs": "0.00",
    }
    assert {line.name: str(line.dollars) for line in month.lines} == on_paper
    assert month.total == Decimal("98.26")
    assert abs(month.total - month.exact) <= Decimal("0.005") * len(month.lines)
