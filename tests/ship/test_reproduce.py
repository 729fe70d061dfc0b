"""A kept training, trained again, gives its record; one edited by hand does not stand."""

import json
import re
import shutil

import pytest

from mnist_study import reproduce, results

pytestmark = pytest.mark.proof


def test_a_kept_training_is_reproduced(mnist_file, capsys):
    assert reproduce.retrain("sprint-seed1") == 0
    said = capsys.readouterr().out
    assert re.search(r"sprint-seed1 \| (identical|within)", said) and "Reproduced." in said
    assert reproduce.retrain("sprint-seed9") == 2
    assert "Choose from:" in capsys.readouterr().out


@pytest.mark.control(
    "a record edited by hand, and all that follows from it", "`make reproduce RECORD=…`"
)
def test_a_record_edited_by_hand_is_not_reproduced(
    mnist_file, tmp_path, monkeypatch, capsys, record_property
):
    [path] = results.FOLDER.glob("sprint-seed1-*.json")
    record = json.loads(path.read_text())
    record["result"]["test_accuracy"] += 0.01
    for name in ("metrics.json", "portability.json"):
        shutil.copy(results.FOLDER / name, tmp_path)  # where the tolerance comes from
    (tmp_path / path.name).write_text(json.dumps(record))
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(results.path_of, "__defaults__", (tmp_path,))
    assert reproduce.retrain("sprint-seed1") == 1
    said = capsys.readouterr().out
    assert "NOT REPRODUCED" in said
    record_property("said", re.search(r"sprint-seed1 \| (.*?) \|$", said, re.MULTILINE)[1])
