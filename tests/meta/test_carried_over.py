"""Stages differ where the lesson is, and a service knows no other."""

from __future__ import annotations

import ast
import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest

from tests.meta import carry
from tests.meta.carried_over import (
    CARRIED,
    CONSEQUENCES,
    LESSONS,
    LIBRARY,
    ORIGINS,
    PACKAGES,
    REPOSITORY,
    STAGES,
    WHOLE,
    carried,
    copies,
    homes,
    placed,
    seams,
    siblings,
    sources,
)
from tests.meta.diff import Comparison

HOMES = [home for stage in PACKAGES for home in homes(stage)]
SERVICES = [home for stage in PACKAGES if stage > 1 for home in homes(stage)]
# The product stands without them.
NOT_PRODUCT = {"sandbox", "tests", "load_tests"}
# Gunicorn and Alembic run these by their path, so that they belong to no package.
BY_PATH = {"gunicorn.conf.py", "env.py"}

every_home = pytest.mark.parametrize("home", HOMES)
every_service = pytest.mark.parametrize("service", SERVICES)


def modules(home, root=REPOSITORY):
    return sorted((root / home).rglob("*.py"))


def imports(module):
    """Return what a module imports: the dots before the name, and the name."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [a.name for a in node.names]
            yield from ((node.level, name) for name in names)


def strangers(home, root=REPOSITORY):
    """Return what a package imports of other packages, or of its own by its full name.

    A relative import that leaves the package is one of another package.
    """
    own = Path(home).name
    ours = {name for names in PACKAGES.values() for name in names} | NOT_PRODUCT
    found = set()
    for module in modules(home, root):
        parts = module.relative_to(root / home).parts
        depth = len(parts) - (parts[0] == LIBRARY)
        for dots, name in imports(module):
            first = name.partition(".")[0]
            allowed = {own} if module.name in BY_PATH else set()
            if dots > depth or (dots == 0 and first in ours - allowed):
                found.add(f"{module.name} imports {'.' * dots}{name}")
    return found


def different(root=REPOSITORY):
    """Return the copies that are missing or not the same as their original."""
    return {
        str(copy.relative_to(root))
        for original, copy in copies(root)
        if not copy.exists() or copy.read_bytes() != original.read_bytes()
    }


def unlisted(root=REPOSITORY):
    """Return what lies in more than one package though no table has it there."""
    where = {}
    for home in HOMES:
        for name in sources(root / home):
            where.setdefault(name, set()).add(home)
    table = carried(root)
    found = set()
    for name, at in where.items():
        for one, other in combinations(sorted(at), 2):
            if not originals(table, name, one) & originals(
                table, name, other
            ) and not is_seam(name, one, other):
                found |= {f"{one}/{name}", f"{other}/{name}"}
    return found


def originals(table, name, home):
    """Return the packages from which a package's file of this name is carried."""
    return {group[0] for group in table.get(name, []) if home in group}


def is_seam(name, one, other):
    """Tell whether a name may differ between two packages.

    Where a stage made several of what had been one, they differ among themselves.
    """
    before, after = sorted(stage_of(home) for home in (one, other))
    return name in seams(before if before < after else 1, after)


def stage_of(home):
    """Return the number of a package's stage."""
    return next(n for n, folder in STAGES.items() if home.startswith(f"{folder}/"))


def database_names(service, root=REPOSITORY):
    """Return the variables of databases that a service's sources name."""
    text = "\n".join(module.read_text("utf-8") for module in modules(service, root))
    found = re.findall(r"\b(?:\w+_)?database_url\b", text, re.IGNORECASE)
    return {name.upper() for name in found}


def tables(home):
    """Return the tables that a package declares."""
    text = "\n".join(module.read_text("utf-8") for module in modules(home))
    declared = r"""(?:\bTable\(|CREATE TABLE(?: IF NOT EXISTS)?)\s*["']?(\w+)"""
    return set(re.findall(declared, text))


def tables_spoken_to(home):
    """Return the tables that the SQL in a package's own strings is about."""
    said = set()
    for module in modules(home):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                statement = r"\b(?:FROM|INTO|UPDATE|JOIN)\s+(\w+)"
                said |= set(re.findall(statement, node.value))
    return said


def test_what_is_carried_over_is_the_same_file_everywhere():
    assert different() == set(), "run `make carry`"


def test_a_name_that_two_packages_share_is_in_a_table():
    assert unlisted() == set(), "add it to tests/meta/carried_over.py"


def test_what_is_carried_from_one_stage_to_the_next_is_no_seam_between_them():
    for stage in LESSONS:
        between = seams(stage - 1, stage)
        for name, groups in carried().items():
            if name in between:
                for group in set(groups) - set(WHOLE):
                    assert not {stage - 1, stage} <= set(map(stage_of, group)), name


def test_the_tables_name_nothing_that_is_not_there():
    for row in CARRIED:
        home = REPOSITORY / row.homes[0]
        assert all(placed(home, file).is_file() for file in row.files)
    names = {name for home in HOMES for name in sources(REPOSITORY / home)}
    folders = {p.name for at in STAGES.values() for p in (REPOSITORY / at).iterdir()}
    told = {n for table in (*LESSONS.values(), *CONSEQUENCES.values()) for n in table}
    origins = {
        name for table in ORIGINS.values() for pair in table.items() for name in pair
    }
    assert told | origins <= names | folders


@every_home
def test_a_package_imports_its_own_by_relative_imports_and_no_other(home):
    assert strangers(home) == set()


@every_home
def test_what_a_package_imports_of_its_own_is_there(home):
    for module in modules(home):
        if module.parent == placed(REPOSITORY / home, "wire.py").parent:
            for name in siblings(module):
                beside = module.with_name(name)
                assert beside.is_dir() or beside.with_suffix(".py").is_file(), (
                    f"{module.name} imports {name}"
                )


@every_service
def test_a_service_reads_only_the_address_of_its_own_database(service):
    own = f"{Path(service).name.upper()}_DATABASE_URL"
    assert database_names(service) <= {own}


@every_service
def test_a_service_speaks_of_no_other_services_tables(service):
    others = {t for home in SERVICES if home != service for t in tables(home)}
    assert tables_spoken_to(service) & (others - tables(service)) == set()


# --- that these tests see what they are for -----------------------------------------


@pytest.fixture
def repository(tmp_path):
    """A copy of the stages, to spoil."""
    for stage in STAGES.values():
        shutil.copytree(
            REPOSITORY / stage,
            tmp_path / stage,
            ignore=shutil.ignore_patterns("__pycache__", "deployments"),
        )
    return tmp_path


NLU, CATALOG = homes(2, "nlu", "catalog")
LAMBDA_NLU = homes(3, "nlu")[0]


def test_a_copy_that_was_edited_is_seen_and_carried_again(repository):
    copy = repository / NLU / "dialogue.py"
    copy.write_text(copy.read_text() + "\n")
    (repository / NLU / "wire.py").unlink()
    (repository / LAMBDA_NLU / LIBRARY / "web.py").unlink()
    assert {
        f"{NLU}/dialogue.py",
        f"{NLU}/wire.py",
        f"{LAMBDA_NLU}/{LIBRARY}/web.py",
    } <= different(repository)
    carry.carry(repository)
    assert different(repository) == set()


def test_what_a_carried_module_begins_to_import_is_carried_too(repository):
    original = repository / homes(1)[0]
    (original / "birds.py").write_text('"""Birds."""\n')
    (original / "slots.py").write_text("from . import birds\n")
    carry.carry(repository)
    assert (repository / NLU / "birds.py").exists()


def test_a_shared_name_that_no_table_has_is_seen(repository):
    for home in (NLU, CATALOG):
        (repository / home / "tides.py").write_text('"""Tides."""\n')
    (repository / NLU / "payments.py").write_text('"""Not those of checkout."""\n')
    assert {f"{NLU}/tides.py", f"{CATALOG}/tides.py"} <= unlisted(repository)
    assert f"{NLU}/payments.py" in unlisted(repository)


@pytest.mark.parametrize(
    "line",
    [
        "import catalog.products",
        "from catalog import products",
        "from nlu import wire",
        "from ..catalog import products",
        "from tests import guest",
        "def later():\n    from concierge import wire",
    ],
)
def test_an_import_that_is_not_relative_or_leaves_the_package_is_seen(repository, line):
    (repository / NLU / "spy.py").write_text(f"{line}\n")
    assert len(strangers(NLU, repository)) == 1


def test_another_services_database_is_seen(repository):
    (repository / NLU / "spy.py").write_text('URL = "CHECKOUT_DATABASE_URL"\n')
    assert database_names(NLU, repository) == {"CHECKOUT_DATABASE_URL"}


# --- make diff ----------------------------------------------------------------------


def test_the_difference_shows_the_seams_and_only_names_the_rest():
    told = list(Comparison(1, 2).told())
    assert "dialogue.py -> nlu" in told
    assert "--- stage1_monolith/concierge/nlu.py" in told
    assert "+++ stage2_split_services/nlu/nlu.py" in told
    assert not [line for line in told if line.endswith("/dialogue.py")]
    assert not [line for line in told if line.startswith("class Purchases")]


def test_an_entrypoint_is_compared_with_the_routes_that_it_took_over():
    told = list(Comparison(2, 3, "catalog").told())
    assert "--- stage2_split_services/catalog/routes.py" in told
    assert "+++ stage3_serverless/catalog/app.py" in told
    assert "+++ stage3_serverless/catalog/chalicelib/reservations.py" in told


def test_what_several_services_have_alike_is_told_of_once():
    told = "\n".join(Comparison(1, 2).told())
    assert told.count("Who is calling: a guest") == 1


@pytest.mark.parametrize("before", [1, 2, 3])
def test_every_module_of_both_stages_is_told_of(before):
    told = "\n".join(Comparison(before, before + 1).told())
    for stage in (before, before + 1):
        for home in homes(stage):
            for name in sources(REPOSITORY / home):
                ways = (
                    rf"^{re.escape(name)} -> ",
                    rf"^{re.escape(name)} \(.*{Path(home).name}",
                    rf"^(?:--- |\+\+\+ )?{home}/(?:{LIBRARY}/)?{re.escape(name)}\b",
                    rf"^==== (?:\S+, once )?{re.escape(name)}: ",
                )
                assert re.search("|".join(ways), told, re.MULTILINE), f"{home}/{name}"


def test_the_difference_can_keep_to_one_service_and_show_what_is_new():
    told = "\n".join(Comparison(1, 2, "nlu", in_full=True).told())
    assert "stage2_split_services/nlu/nlu.py" in told
    assert "class Purchases" in told
    assert "+++ stage2_split_services/catalog/" not in told


@pytest.mark.parametrize("stage", [3, 4])
def test_a_service_of_the_cloud_names_one_table_and_no_other_service_does(stage):
    named = {}
    for home in homes(stage):
        settings = placed(REPOSITORY / home, "config.py").read_text("utf-8")
        named[home] = re.findall(r"^    (\w+_table): str$", settings, re.MULTILINE)
    assert [len(names) for names in named.values()] == [1] * len(named)
    assert len({names[0] for names in named.values()}) == len(named)
