"""Settings: precedence, conversion, and errors that name what is known."""

import json
from pathlib import Path

import pytest

from bowerbird.config import TrainConfig, changed, to_json, train_from_json
from bowerbird.data.dataset import Dataset
from bowerbird.errors import UsageError
from bowerbird.presets import configure


def test_preset_then_file_then_set(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"batch_size": 8, "seed": 3, "network": {"width": 16}}))
    model, train = configure(dataset, "standard", file, ["seed=4"])[:2]
    assert (train.batch_size, train.seed, model.network.width) == (8, 4, 16)


def test_length_given_last_wins(dataset: Dataset) -> None:
    _, train = configure(dataset, "standard", None, ["examples=100"])[:2]
    assert (train.minutes, train.examples) == (None, 100)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("batch_sise=8", 'did you mean "batch_size"'),
        ("batch_size=eight", "not a whole number"),
        ("batch_size=2.5", "not a whole number"),
        ("batch_size=0", "lies between 4 and 1024"),
        ("learning_rate=nan", "lies between"),
        ("network=32", "known: progressive"),
        ("representation=mp3", "known: .*log_magnitude"),
        ("network=wavegan", "representation=waveform"),
        ("penalty=high", "known: both"),
        ("network.width.more=32", "not a single setting"),
        ("network.wide=32", 'no setting "wide"'),
        ("network.width=0", "lies between"),
        ("representation.bands=7", "multiple of 16"),
        ("representation.hop=100", "divides"),
        ("representation.channels=2", "comes from the dataset"),
        ("batch_size=6", "multiple of 4"),
        ("objective=magic", "known: hinge, relativistic"),
        ("head=magic", "known: .*projection"),
        ("seed", "key=value"),
        ("steering.shared=true", "several generators"),
    ],
)
def test_wrong_setting_is_one_sentence(dataset: Dataset, setting: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        configure(dataset, "standard", None, [setting])


def test_what_is_printed_is_accepted(dataset: Dataset, tmp_path: Path) -> None:
    first = configure(dataset, "quick", None, ["network.width=8", "representation.iterations=4", "examples=80"])[:2]
    file = tmp_path / "printed.json"
    file.write_text(json.dumps({"model": to_json(first[0]), "train": to_json(first[1])}))
    assert configure(dataset, "standard", file, [])[:2] == first


def test_unknown_preset_and_file(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="quick, standard"):
        configure(dataset, "fast", None, [])
    with pytest.raises(UsageError, match="no configuration file"):
        configure(dataset, "quick", tmp_path / "none.json", [])
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(UsageError, match="JSON object"):
        configure(dataset, "quick", tmp_path / "list.json", [])


def test_train_config_survives_json() -> None:
    config = changed(TrainConfig(minutes=3), "learning_rate", "1e-3")
    assert train_from_json(json.loads(json.dumps(config.__dict__))) == config
