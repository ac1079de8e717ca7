"""Every variable that is read is in the reference page and in `.env.example`."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from deployment import values
from sandbox.runner.stages import STAGES as RUNNABLE
from tests.meta.carried_over import PACKAGES, REPOSITORY, STAGES

PAGE = REPOSITORY / "docs" / "reference" / "configuration.md"
SANDBOX = REPOSITORY / "sandbox"
DEPLOYMENT = REPOSITORY / "deployment"
READ = re.compile(
    r"""(?:environ(?:\.\w+\(|\[)|\btold\()\s*["'](\w+)["'](?:,\s*["']([^"']*)["'])?"""
)
ASKED = re.compile(r'\basked\("(\w+)", ("[^"]*"|MAIL_FROM)\)')
MODULES = {"config.py", "gunicorn.conf.py"}
# What `run-stage` alone tells the sandbox.
INNER = {"RUN_DIR", "POSTGRES_OWNERS", "UPSTREAMS_FILE"}


@dataclass(frozen=True)
class Program:
    """Something that reads settings.

    Attributes:
        stage: whose `.env.example` lists them.
        home: its folder, with its gunicorn.conf.py.
        package: what has its `config` module; the gateway has none.
        sections: of the page, which together list what it reads.
    """

    stage: int
    home: Path
    package: str | None
    sections: tuple[str, ...]

    @property
    def is_deployment(self):
        """Whether it is told what others shall read, which are deployed by it."""
        return self.home == DEPLOYMENT

    @property
    def fields(self):
        """The fields of its settings, by their variables."""
        if self.package is None:
            return {}
        settings = importlib.import_module(f"{self.package}.config").Settings
        return {field.encode_name: field for field in msgspec.structs.fields(settings)}

    @property
    def read_elsewhere(self):
        """What is read outside the settings' own module, with the defaults there."""
        if self.is_deployment:
            return dict.fromkeys(values.decided_by(self.stage), "") | dict(_asked())
        return {
            name: default
            for path in self.home.rglob("*.py")
            if path.name != "config.py"
            for name, default in READ.findall(path.read_text(encoding="utf-8"))
            if name not in INNER
        }

    @property
    def variables(self):
        """Everything that it reads."""
        return self.fields.keys() | self.read_elsewhere.keys()

    @property
    def defaults(self):
        """What each variable is that is not set, as one would write it."""
        found = {name: at for name, at in self.read_elsewhere.items() if at}
        for name, field in self.fields.items():
            if field.default is not None and field.default is not msgspec.NODEFAULT:
                found[name] = _written(field.default)
        return found

    @property
    def rows(self):
        """Its rows on the page."""
        return {n: row for part in self.sections for n, row in PARTS[part].items()}


def _written(default):
    if str(default).startswith(str(REPOSITORY)):
        return str(Path(default).relative_to(REPOSITORY))
    return f"{default:g}" if isinstance(default, float) else str(default)


def _asked():
    """Return what a deployment asks the environment for, with the defaults."""
    for path in DEPLOYMENT.glob("*.py"):
        for name, default in ASKED.findall(path.read_text(encoding="utf-8")):
            yield (
                name,
                values.MAIL_FROM if default == "MAIL_FROM" else default.strip('"'),
            )


def _parts():
    """Return the rows of each section of the page, by the variable's name."""
    parts, heading = {}, ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ").replace("`", "")
            parts[heading] = {}
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            assert cells[0] not in parts[heading], f"{cells[0]} is there twice"
            parts[heading][cells[0].strip("| `")] = cells
    return parts


PARTS = _parts()
PROGRAMS = {
    "monolith": Program(
        1, REPOSITORY / STAGES[1], "concierge", ("Stage 1: the monolith",)
    ),
    **{
        name: Program(2, REPOSITORY / STAGES[2] / name, name, ("Every service", name))
        for name in PACKAGES[2]
    },
    "gateway": Program(2, SANDBOX / "nginx", None, ("The gateway",)),
    **{
        f"deployment of stage {stage}": Program(
            stage, DEPLOYMENT, None, ("Deploying stages 3 and 4", *more)
        )
        for stage, more in {3: (), 4: ("Of stage 4 alone",)}.items()
    },
}
every_program = pytest.mark.parametrize(
    "program", PROGRAMS.values(), ids=PROGRAMS.keys()
)
every_stage = pytest.mark.parametrize("stage", STAGES)


def examples(stage):
    """Return the variables of a stage's `.env.example` and their values."""
    text = (REPOSITORY / STAGES[stage] / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))


def of_stage(stage):
    return [program for program in PROGRAMS.values() if program.stage == stage]


def test_the_reading_of_variables_is_found_in_the_sources():
    server = {"WEB_CONCURRENCY", "WEB_THREADS"}
    for name, program in PROGRAMS.items():
        if name != "gateway" and not program.is_deployment:
            assert server <= program.read_elsewhere.keys()
    assert {"PORT", "PARTNER_API_KEY"} <= PROGRAMS["gateway"].read_elsewhere.keys()


@every_program
def test_the_page_lists_exactly_the_variables_that_are_read(program):
    assert program.rows.keys() == program.variables


def test_a_variable_that_is_not_on_the_page_is_found(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text('environ.get("A_NEW_SETTING", "7")\n')
    planted = Program(1, tmp_path, "concierge", ("Stage 1: the monolith",))
    assert planted.variables - planted.rows.keys() == {"A_NEW_SETTING"}


@every_stage
def test_the_example_lists_exactly_the_variables_that_are_read(stage):
    read = {name for program in of_stage(stage) for name in program.variables}
    counted = {"REPLICAS"} if RUNNABLE[stage].services else set()
    assert examples(stage).keys() == read | counted


@every_stage
def test_nothing_in_the_example_is_set(stage):
    text = (REPOSITORY / STAGES[stage] / ".env.example").read_text(encoding="utf-8")
    assert all(not line or line.startswith("#") for line in text.splitlines())


@every_program
def test_only_the_settings_and_the_server_read_the_environment(program):
    readers = {p.name for p in program.home.rglob("*.py") if "environ" in _code(p)}
    if program.is_deployment:
        # What Chalice and generators are started with, and where the local AWS is.
        started = {"packaging.py", "sdk.py", "__main__.py"}
        # This one writes the word, into Chalice's settings of a function.
        written = {"folder.py"}
        assert readers == {"settings.py", "values.py"} | started | written
    else:
        assert readers <= (MODULES if program.package else {"__main__.py"})


@every_program
def test_the_page_has_the_defaults(program):
    for name, default in program.defaults.items():
        assert f"`{default}`" in program.rows[name][3], name


@every_program
def test_the_example_has_the_defaults(program):
    for name, default in program.defaults.items():
        value = examples(program.stage)[name]
        assert value.removeprefix("../") == default, name


@every_stage
def test_the_programs_of_a_stage_agree_on_a_default(stage):
    agreed = {}
    for program in of_stage(stage):
        for name, default in program.defaults.items():
            assert agreed.setdefault(name, default) == default, name


@pytest.mark.parametrize("service", RUNNABLE[2].services, ids=lambda at: at.name)
def test_a_service_is_told_the_secrets_that_it_must_know_and_no_others(service):
    fields = PROGRAMS[service.name].fields
    must = {n for n, field in fields.items() if field.default is msgspec.NODEFAULT}
    secret = {name for other in RUNNABLE[2].services for name in other.secrets}
    assert must & secret <= set(service.secrets) <= fields.keys()


@pytest.mark.parametrize("part", [part for part in PARTS if PARTS[part]])
def test_each_row_says_meaning_unit_and_default(part):
    for name, cells in PARTS[part].items():
        assert len(cells) == 4, name
        assert all(cell.strip("| ") for cell in cells), name


def test_the_page_lists_what_the_runner_and_the_sandbox_read():
    read = {
        name
        for path in SANDBOX.rglob("*.py")
        for name, _ in READ.findall(path.read_text(encoding="utf-8"))
    }
    ports = {port.variable for stage in RUNNABLE.values() for port in stage.ports}
    listed = PARTS["run-stage and the sandbox"].keys() | PARTS["The gateway"].keys()
    assert listed == (read | ports | {"REPLICAS"}) - {"PYTHONPATH"}


def _code(source):
    """Return a source without its comments and docstrings, roughly."""
    text = re.sub(r'""".*?"""', "", source.read_text(), flags=re.DOTALL)
    return re.sub(r"#.*", "", text)
