"""How labels reach the networks: reduced codes with noise and dropout, replay, mode seeking, an auxiliary classifier."""

import json
from pathlib import Path

import pytest
import torch

from bowerbird.config import to_json
from bowerbird.data.dataset import Dataset
from bowerbird.errors import UsageError
from bowerbird.instrument import load
from bowerbird.networks import NETWORKS
from bowerbird.networks.mixture import Mixture
from bowerbird.networks.residual import ResidualGenerator, ResidualOptions
from bowerbird.networks.steering import Reduction, Steering, dropped
from bowerbird.objectives.terms import mode_seeking, selected, unlike
from bowerbird.presets import configure
from bowerbird.seeds import torch_random
from bowerbird.showing import tell
from bowerbird.training.judge import judge_of
from bowerbird.training.loop import train
from bowerbird.training.replay import Replay
from tests.conftest import TINY
from tests.test_families import SHAPE, SHAPES


def test_a_code_is_drawn_around_its_mean_while_training_and_is_the_mean_when_playing() -> None:
    torch.manual_seed(0)
    reduction, condition = Reduction(6, Steering(4, augmented=True)), torch.eye(6)[:2]
    draws = torch.stack([reduction.sample(condition, torch_random(k, "draw"))[0] for k in range(3000)])
    mean = reduction(condition)
    torch.testing.assert_close(draws.mean(0), mean, atol=0.1, rtol=0)
    assert reduction.log_sigma is not None
    torch.testing.assert_close(draws.std(0), reduction.log_sigma(condition).exp(), atol=0.1, rtol=0)
    again = reduction.sample(condition, torch_random(7, "draw"))[0]
    assert torch.equal(again, draws[7]), "chance is an argument"


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    torch.manual_seed(0)
    reduction, condition = Reduction(5, Steering(3, augmented=True)), torch.rand(4, 5)
    _, found = reduction.sample(condition, torch_random(0, "draw"))
    assert reduction.log_sigma is not None
    mine = torch.distributions.Normal(reduction(condition), reduction.log_sigma(condition).exp())
    normal = torch.distributions.Normal(torch.zeros(4, 3), torch.ones(4, 3))
    assert found.item() == pytest.approx(torch.distributions.kl_divergence(mine, normal).mean().item(), rel=1e-5)


def test_dropout_leaves_the_expected_code_as_it_is() -> None:
    code = torch.ones(4, 6)
    assert torch.equal(dropped(code, 0.0, torch_random(0, "drop")), code)
    many = torch.stack([dropped(code, 0.3, torch_random(k, "drop")) for k in range(2000)])
    assert many.mean().item() == pytest.approx(1, abs=0.02)
    assert (many == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_mode_seeking_rewards_differences_up_to_those_between_real_sounds() -> None:
    real, z = torch.randn(8, 1, 4, 4), torch.randn(10, 3)
    made = torch.randn(10, 1, 4, 4)
    alike = made.clone()
    alike[8:] = alike[6:8]
    assert mode_seeking(alike, z, real, 2).item() == pytest.approx(0, abs=1e-6)
    assert mode_seeking(made, z, real, 2) < -0.3
    assert mode_seeking(100 * made, z, real, 2).item() == pytest.approx(-1)


def test_an_auxiliary_classifier_is_told_of_any_labels() -> None:
    labels, plain = torch.tensor([[1.0, 0.0, 0.25], [0.0, 1.0, 0.75]]), [(slice(0, 3), False)]
    assert unlike(20 * (labels - 0.5), labels, plain) < unlike(-20 * (labels - 0.5), labels, plain)
    texts, signed = torch.tensor([[0.6, -0.8], [-1.0, 0.0]]), [(slice(0, 2), True)]
    assert unlike(texts, texts, signed).item() == pytest.approx(0, abs=1e-6)
    assert unlike(-texts, texts, signed).item() == pytest.approx(2, abs=1e-6)
    missing = labels * torch.tensor([[1.0], [0.0]])
    assert unlike(labels, missing, plain).item() == pytest.approx(unlike(labels[:1], labels[:1], plain).item())
    assert unlike(labels, torch.zeros(2, 3), plain).item() == 0


DEVICES = {
    "reduced": ["steering.reduction=4"],
    "augmented": ["steering.reduction=4", "steering.augmented=true", "condition_dropout=0.2"],
    "shared": ["steering.reduction=4", "shared_reduction=true"],
    "generators": ["steering.generators=3"],
    "shared_generators": ["steering.generators=3", "steering.shared=true", "steering.reduction=4"],
    "entry_input": ["network.entry=input"],
    "entry_blocks": ["network.entry=blocks"],
    "replay_and_seeking": ["replay=true", "mode_seeking_weight=1"],
    "replay": ["replay=true", "steering.reduction=4", "steering.augmented=true"],
    "matching_aware": ["penalty=matching_aware", "penalty_every=2", "penalty_weight=0.001", "steering.reduction=4"],
    "mode_seeking": ["mode_seeking_weight=1"],
    "classifier": ["head=classifier", "penalty_every=2"],
    "classifier_of_codes": ["head=classifier", "steering.reduction=4", "steering.augmented=true"],
    "two_scores": ["head=two_scores", "penalty_every=2"],
    "concatenation": ["head=concatenation", "penalty_every=2"],
    "input": ["head=input", "penalty_every=2"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_each_device_trains_resumes_and_plays(name: str, dataset: Dataset, tmp_path: Path) -> None:
    for examples in (16, 32):
        settings = [*TINY, "checks=0", *DEVICES[name], f"examples={examples}"]  # the last state, not the best
        model, config, _ = configure(dataset, "quick", None, settings)
        train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    straight = [*TINY, "checks=0", *DEVICES[name], "examples=32"]
    train(dataset, tmp_path / "straight", *configure(dataset, "quick", None, straight)[:2], "cpu", quiet=True)
    one, other = load(tmp_path / "run"), load(tmp_path / "straight")
    assert one.provenance["examples"] == 32
    assert one.fingerprint == other.fingerprint, "resumed is not as trained straight"
    assert one.model.steering == model.steering
    assert json.loads(json.dumps(to_json(model)))["steering"]["reduction"] == model.steering.reduction


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_one_of_several_generators_makes_each_sound(name: str, shared: bool) -> None:
    family, shape = NETWORKS[name], SHAPES.get(name, SHAPE)
    options = family.options(z_dim=8, width=8)
    torch.manual_seed(0)
    mixture = Mixture(lambda: family.generator(shape, 3, options), 3, 3, shared=shared)
    mixture.begin_at((-0.5,) * shape.channels)
    z, code = torch.randn(24, 8), torch.eye(3)[torch.arange(24) % 3]
    choice = mixture.choose(z, code)
    assert set(choice.tolist()) == {0, 1, 2}
    picture = mixture(z, code)
    alone = mixture.first(z, code)
    same = (picture - alone).abs().amax((1, 2, 3)) < 1e-5
    assert same[choice == 0].all()
    assert not same[choice != 0].any(), "all the same generator"
    torch.testing.assert_close(mixture(z[5:6], code[5:6])[0], picture[5], atol=1e-4, rtol=0)
    with torch.no_grad():
        mixture.selector.bias.copy_(torch.tensor([0.0, 50.0, 0.0]))  # type: ignore[union-attr]
    assert mixture.choose(z, code).eq(1).all(), "the code decides"
    weights = sum(p.numel() for p in mixture.first.parameters())
    others = sum(p.numel() for p in mixture.others.parameters())
    assert (others < 1.9 * weights) if shared else (others == 2 * weights)


def test_codes_of_earlier_steps_come_again_as_they_were() -> None:
    replay = Replay(3, 2)
    for step in range(100):
        code = torch.full((16, 3), float(step))
        replay.store(code, -code[:, :2])
    code, told = replay.draw(400, torch_random(0, "replay"))
    assert torch.equal(code[:, :2], -told), "both networks' codes of one sound"
    assert set(code[:, 0].tolist()) == set(map(float, range(36, 100))), "any of the last 1024"
    assert torch.equal(replay.draw(9, torch_random(1, "replay"))[0], replay.draw(9, torch_random(1, "replay"))[0])


@pytest.mark.parametrize(
    ("entry", "without_input", "without_blocks"), [("input", 0, 1), ("blocks", 1, 0), ("everywhere", 1, 1)]
)
def test_labels_enter_where_they_are_told_to(entry: str, without_input: int, without_blocks: int) -> None:
    torch.manual_seed(0)
    net = ResidualGenerator(SHAPE, 3, ResidualOptions(z_dim=8, width=8, style=16, entry=entry))
    z, codes = torch.randn(1, 8).expand(3, -1), torch.eye(3)

    def differs(silent: list[str]) -> int:
        kept = {name: weight.clone() for name, weight in net.named_parameters()}
        with torch.no_grad():
            for name, weight in net.named_parameters():
                if name.endswith("weight") and any(part in name for part in silent):
                    weight.zero_()
            found = net(z, codes).std(0).max() > 1e-4
            net.load_state_dict(kept, strict=False)
        return int(found)

    assert differs([]) == 1
    assert differs(["start"]) == without_input
    assert differs(["to_scale", "to_shift", "profiles", "envelopes"]) == without_blocks


def test_a_selector_learns_from_what_scored_well() -> None:
    shares = torch.full((4, 2), 0.5, requires_grad=True)
    selected(torch.tensor([1.0, 1.0, -1.0, -1.0]), shares, torch.tensor([0, 0, 1, 1])).backward()
    assert shares.grad is not None
    assert (shares.grad[:2, 0] < 0).all(), "likelier"
    assert (shares.grad[2:, 1] > 0).all(), "less likely"


@pytest.mark.slow
def test_what_each_generator_makes_can_be_read(dataset: Dataset, tmp_path: Path) -> None:
    settings = [*TINY, "steering.generators=2", "examples=16"]
    train(dataset, tmp_path / "run", *configure(dataset, "quick", None, settings)[:2], "cpu", quiet=True)
    text = tell(tmp_path / "run")[1]
    assert "generator 1 of 2" in text
    assert "generator 2 of 2" in text
    shares = load(tmp_path / "run").makers([{"class": "kick"}, {"class": "snare"}])
    assert [sum(one) for one in shares] == pytest.approx([1, 1])


def test_steering_that_makes_no_sense_is_refused(dataset: Dataset) -> None:
    for setting, trouble in (
        ("steering.augmented=true", "set steering.reduction too"),
        ("steering.generators=0", "out of range"),
        ("steering.reduction=-1", "out of range"),
        ("replay=perhaps", "neither true nor false"),
        ("steering=4", "not a single setting"),
        ("network.entry=window", "known: blocks, everywhere, input"),
        ("head=hydra", "known: classifier, concatenation, input, projection, two_scores"),
    ):
        with pytest.raises(UsageError, match=trouble):
            configure(dataset, "quick", None, [setting])
    settings = ["steering.augmented=true", "steering.reduction=8"]
    assert configure(dataset, "quick", None, settings).model == configure(dataset, "quick", None, settings[::-1]).model


def test_a_shared_reduction_learns_from_the_generator_alone(dataset: Dataset) -> None:
    settings = [*TINY, "steering.reduction=4", "shared_reduction=true", "examples=8"]
    model, config, _ = configure(dataset, "quick", None, settings)
    judge = judge_of(model, config)
    assert not any("reduction" in name for name, _ in judge.named_parameters())
    apart = judge_of(model, configure(dataset, "quick", None, [*settings, "shared_reduction=false"]).train)
    assert any("reduction" in name for name, _ in apart.named_parameters())
