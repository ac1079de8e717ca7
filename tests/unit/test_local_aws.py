"""The local AWS, where it differs from MiniStack as it comes."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws import keeping, server
from sandbox.aws.unpacked import SharedZip, SharedZips


def words(name: str, state: Any) -> str:
    return json.dumps({name: state})


def kept(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def test_a_state_takes_the_place_of_what_was_kept_before(tmp_path):
    folder = tmp_path / "state"
    assert not keeping.is_there(folder)
    keeping.keep({"s3": lambda: 1, "sqs": lambda: 1}, folder, words)
    keeping.keep({"s3": lambda: 2, "sqs": lambda: None}, folder, words)
    assert kept(folder) == {"s3": {"s3": 2}, "sqs": {"sqs": 1}}
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_where_one_service_cannot_be_read_none_is_kept(tmp_path, monkeypatch):
    def changing() -> None:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(keeping, "PAUSE_SECONDS", 0)
    folder = tmp_path / "state"
    keeping.keep({"s3": lambda: 1}, folder, words)
    with pytest.raises(keeping.Unsettled, match="sqs"):
        keeping.keep({"s3": lambda: 2, "sqs": changing}, folder, words)
    assert kept(folder) == {"s3": {"s3": 1}}


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_what_was_written_whole_is_put_in_place_by_the_next_start(tmp_path, moved):
    folder, whole = tmp_path / "state", tmp_path / keeping.WHOLE
    keeping.keep({"s3": lambda: 1, "sqs": lambda: 1}, folder, words)
    whole.mkdir()
    for number, name in enumerate(("s3", "sqs")):
        place = folder if number < moved else whole
        (place / f"{name}.json").write_text(words(name, 2))
    keeping.settle(folder)
    assert kept(folder) == {"s3": {"s3": 2}, "sqs": {"sqs": 2}}


def test_what_was_not_written_whole_counts_for_nothing(tmp_path):
    folder, draft = tmp_path / "state", tmp_path / keeping.DRAFT
    keeping.keep({"s3": lambda: 1}, folder, words)
    draft.mkdir()
    (draft / "s3.json").write_text('{"s3"')
    keeping.settle(folder)
    assert kept(folder) == {"s3": {"s3": 1}}
    keeping.keep({"s3": lambda: 3}, folder, words)
    assert kept(folder) == {"s3": {"s3": 3}}


def test_a_function_is_unpacked_once_for_all_its_workers(tmp_path):
    def worker(number: int) -> Path:
        """Unpack as MiniStack does it, in a folder of its own."""
        own = tmp_path / str(number)
        (own / "code").mkdir(parents=True)
        with zipfile.ZipFile(own / "code.zip", "w") as package:
            package.writestr("app.py", "handler = None")
        with SharedZip(own / "code.zip") as package:
            package.extractall(str(own / "code"))
        return own / "code" / "app.py"

    with ThreadPoolExecutor(8) as crowd:
        files = list(crowd.map(worker, range(20)))
    assert {path.read_text() for path in files} == {"handler = None"}
    assert len({path.stat().st_ino for path in files}) == 1
    assert not list(tmp_path.glob("*/code.zip"))


def test_another_package_and_a_folder_in_use_are_left_alone(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name / "code").mkdir(parents=True)
        with zipfile.ZipFile(tmp_path / name / "code.zip", "w") as package:
            package.writestr("app.py", name)
    (tmp_path / "other" / "code" / "here.txt").touch()
    for name in ("one", "other"):
        with SharedZips.ZipFile(tmp_path / name / "code.zip") as package:
            package.extractall(tmp_path / name / "code")
        assert (tmp_path / name / "code" / "app.py").read_text() == name
    assert not (tmp_path / "other" / "code").is_symlink()
    assert SharedZips().BadZipFile is zipfile.BadZipFile


@pytest.mark.parametrize(("wanted", "there_are"), [(2, 2), (4, 4), (12, 4), (5, 4)])
def test_a_queue_has_few_workers_at_once(monkeypatch, wanted, there_are):
    monkeypatch.setattr(server, "allowed", lambda *mapping: wanted)
    assert server.at_once({}, {}, {}) == there_are


def test_ministack_still_asks_how_many_may_work_at_once():
    mapping = {"ScalingConfig": {"MaximumConcurrency": 12}}
    assert server.allowed(mapping, {}, {}) == 12
    assert server.at_once(mapping, {}, {}) == server.AT_ONCE
