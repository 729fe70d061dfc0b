"""The chart of a training that goes on."""

import pytest

from mnist_study.errors import ParameterError
from mnist_study.notebook import live


# A chart of one epoch has a single point, which Matplotlib warns of.
@pytest.mark.filterwarnings("ignore:Attempting to set identical")
def test_training_is_shown_line_by_line(monkeypatch):
    shown = []
    for method in ("display", "update"):
        monkeypatch.setattr(live.DisplayHandle, method, lambda self, what: shown.append(what.data))
    monkeypatch.setattr(live, "SECONDS", -1)
    chart = live.LiveChart("cnn")
    chart.set_params({"epochs": 3})
    chart.on_train_begin()
    for epoch, logs in enumerate([{"val_accuracy": 0.9}, {}, {"val_accuracy": 0.95}]):
        chart.on_epoch_begin(epoch)
        chart.on_epoch_end(epoch, logs)  # validation images are not evaluated after each
    chart.on_train_end()
    lines = [text for text in shown if isinstance(text, str) and text]
    assert lines[:2] == ["**cnn** starts", "**cnn**, epoch 1 of 3: validation accuracy 90.00%"]
    assert lines[-1].startswith("**cnn**: 3 epochs in 0 s, validation accuracy 95.00%")
    pictures = [picture for picture in shown if isinstance(picture, bytes)]
    assert len(pictures) == 2 and pictures[0].startswith(b"\x89PNG")
    with pytest.raises(ParameterError, match="cnn is trained already: run the cell that makes it"):
        chart.on_train_begin()  # it would train on, and pass for a first training
