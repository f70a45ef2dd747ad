"""The two configurations: ModelConfig (what an instrument is, travels inside it) and TrainConfig (how it was made)."""

import dataclasses
import difflib
import itertools
import types
import typing
from dataclasses import dataclass, field
from typing import Any

import torch

from bowerbird.conditions import CONDITIONS
from bowerbird.conditions.interface import Condition
from bowerbird.conditions.joint import Joint
from bowerbird.conditions.text import Text
from bowerbird.errors import UsageError, known
from bowerbird.networks import NETWORKS
from bowerbird.networks.heads import HEADS
from bowerbird.networks.steering import Steering
from bowerbird.representations import MEASURED, REPRESENTATIONS, Representation

__all__ = ["PARTS", "ModelConfig", "TrainConfig", "changed", "model_from_json", "to_json", "train_from_json"]

PARTS = ("network", "representation", "steering")  # settings of the model carry their part's name: network.width


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to rebuild a generator and turn its pictures into sound."""

    representation: Representation
    network: Any  # the options of a network family
    conditions: tuple[Condition, ...] = ()
    joint: Joint = field(default_factory=Joint)  # of their labels
    steering: Steering = field(default_factory=Steering)

    @property
    def condition_width(self) -> int:
        """Length N of all encoded labels of one sound."""
        return sum(condition.width for condition in self.conditions)

    @property
    def code_width(self) -> int:
        """Length of what the generator gets of them."""
        return self.steering.reduction if self.conditions and self.steering.reduction else self.condition_width

    @property
    def spans(self) -> list[tuple[slice, bool]]:
        """The columns of each condition in what `encode` gives, and whether they are a signed vector."""
        ends = itertools.accumulate(condition.width for condition in self.conditions)
        return [(slice(end - c.width, end), isinstance(c, Text)) for end, c in zip(ends, self.conditions, strict=True)]

    def captions(self, text: Text) -> list[str]:
        """Those of a condition that come in the data, sorted."""
        place = self.conditions.index(text)
        return sorted({row[place] for row in self.joint.rows} - {""})

    def encode(self, labels: list[dict[str, str]]) -> torch.Tensor:
        """One dict of labels per sound, {condition name: label} -> (B, N); a label may be missing."""
        parts = [torch.from_numpy(c.encode([one.get(c.name, "") for one in labels])) for c in self.conditions]
        return torch.cat(parts, 1) if parts else torch.zeros(len(labels), 0)


def _setting(default: Any, low: float, high: float, what: str) -> Any:
    """A TrainConfig field with its allowed range and meaning."""
    return field(default=default, metadata={"low": low, "high": high, "what": what})


@dataclass(frozen=True)
class TrainConfig:
    """How a run trains. Progress is counted in examples seen; schedules follow `minutes` or `examples`."""

    minutes: float | None = _setting(None, 0.01, 1e6, "training time")
    examples: int | None = _setting(None, 1, 10**12, "training length in examples seen")
    seed: int = _setting(0, 0, 2**31, "seed of everything random")
    batch_size: int = _setting(16, 4, 1024, "sounds per step, a multiple of 4")
    learning_rate: float = _setting(8e-3, 1e-7, 1.0, "Adam's, at the start")
    adam_beta2: float = _setting(0.99, 0.5, 0.99999, "Adam's second decay")
    decay_fraction: float = _setting(0.3, 0.0, 1.0, "last part of training over which the rate falls")
    penalty: str = field(default="r1", metadata={"what": "gradient penalty of the discriminator"})
    penalty_weight: float = _setting(0.1, 0.0, 1e4, "weight of that penalty")
    penalty_every: int = _setting(16, 1, 1024, "steps between penalties")
    mismatch_weight: float = _setting(1.0, 0.0, 1e3, "weight of telling real sounds from real sounds under wrong labels")
    anchor_weight: float = _setting(30.0, 0.0, 1e4, "weight of drawing each training sound from its place in latent space")
    feature_weight: float = _setting(8.0, 0.0, 1e4, "weight of drawing each training sound near as the judge sees it")
    anchor_dimensions: int = _setting(32, 0, 4096, "latent numbers that say what a sound is beyond its label")
    ema_examples: float = _setting(16000.0, 1.0, 1e9, "half-life of the generator's moving average")
    augment: float = _setting(0.6, 0.0, 1.0, "probability of each discriminator augmentation, once risen")
    augment_rise: float = _setting(0.2, 0.0, 1.0, "first part of training over which that probability rises from 0")
    variants: int = _setting(0, 0, 100, "altered copies of each sound to learn as well")
    vary_semitones: float = _setting(1.0, 0.0, 12.0, "the most their pitch is changed")
    vary_stretch: float = _setting(0.08, 0.0, 0.5, "the most their length is changed, as a share")
    vary_gain_db: float = _setting(3.0, 0.0, 24.0, "the most their level is changed")
    vary_equaliser_db: float = _setting(4.0, 0.0, 24.0, "the most their colour is changed")
    condition_dropout: float = _setting(0.0, 0.0, 0.9, "share of a code's numbers left out in training")
    divergence_weight: float = _setting(2.0, 0.0, 1e3, "weight of the divergence of augmented conditions from a normal one")
    shared_reduction: bool = field(
        default=False, metadata={"what": "the judge is told what the generator's reduction makes of the labels"}
    )
    replay: bool = field(
        default=False, metadata={"what": "codes of earlier steps come again, as many as a quarter, with other latents"}
    )
    mode_seeking_weight: float = _setting(0.0, 0.0, 1e3, "weight of telling latents of one code apart in what is drawn")
    makers_weight: float = _setting(0.1, 0.0, 1e3, "weight of generators being told apart, where there are several")
    classifier_weight: float = _setting(1.0, 0.0, 1e3, "weight of the auxiliary classifier, where the head has one")
    balance: float = _setting(0.5, 0.0, 1.0, "0: classes as often as in the data, 1: equally often")
    objective: str = field(default="relativistic", metadata={"what": "adversarial loss"})
    head: str = field(default="projection", metadata={"what": "discriminator head"})
    checks: int = _setting(12, 0, 1000, "looks at the sounds over training, which keep the best and act on trouble")
    preview_minutes: float = _setting(3.0, 0.01, 1e6, "time between preview sheets")
    checkpoint_minutes: float = _setting(1.0, 0.01, 1e6, "time between checkpoints")

    def __post_init__(self) -> None:
        for setting in dataclasses.fields(self):
            value, limits = getattr(self, setting.name), setting.metadata
            if "low" in limits and value is not None and not limits["low"] <= value <= limits["high"]:
                raise UsageError(
                    f"{setting.name}={value} is out of range; {limits['what']} lies between "
                    f"{limits['low']:g} and {limits['high']:g}"
                )
        if self.batch_size % 4:  # the judge compares groups of four
            raise UsageError(f"batch_size={self.batch_size} does not fit; take a multiple of 4")
        if self.head not in HEADS:
            raise UsageError(f'there is no head "{self.head}"; {known(HEADS)}')


def changed(config: Any, key: str, value: Any) -> Any:
    """`config` (a frozen dataclass) with the field `key`, dotted for parts, set to `value` (text is converted)."""
    head, _, rest = key.partition(".")
    fields = {f.name: f for f in dataclasses.fields(config)}
    if head not in fields:
        close = difflib.get_close_matches(head, fields, n=1)
        hint = f'did you mean "{close[0]}"? ' if close else ""
        names = [*fields, *PARTS] if type(config) is TrainConfig else fields
        raise UsageError(f'there is no setting "{key}"; {hint}{known(names)}')
    if key in MEASURED and type(config) in REPRESENTATIONS.values():
        raise UsageError(f'"{key}" comes from the dataset and cannot be set; prepare the sounds otherwise')
    current = getattr(config, head)
    if rest or dataclasses.is_dataclass(current):
        if not rest or not dataclasses.is_dataclass(current):
            raise UsageError(f'"{key}" is not a single setting; write for example network.width=32')
        return dataclasses.replace(config, **{head: changed(current, rest, value)})
    kind = typing.get_type_hints(type(config))[head]
    return dataclasses.replace(config, **{head: _converted(key, kind, value)})


def _converted(key: str, kind: Any, value: Any) -> Any:
    choices = [c for c in typing.get_args(kind) if c is not type(None)] if isinstance(kind, types.UnionType) else [kind]
    if value is None and len(choices) < len(typing.get_args(kind)):
        return None
    if choices[0] is bool:
        said = {"true": True, "1": True, "false": False, "0": False}.get(str(value).casefold())
        if said is None:
            raise UsageError(f"{key}={value} is neither true nor false")
        return said
    if choices[0] not in (int, float, str):
        raise UsageError(f'"{key}" is measured from the data and cannot be set')
    try:
        number = float(value) if choices[0] in (int, float) else 0.0
        return choices[0](int(number)) if choices[0] is int and number == int(number) else choices[0](value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f'{key}="{value}" is not {"a whole number" if choices[0] is int else "a number"}') from None


def to_json(config: ModelConfig | TrainConfig) -> dict[str, Any]:
    """As plain values; the variants of a ModelConfig carry their table's name."""
    if isinstance(config, TrainConfig):
        return dataclasses.asdict(config)
    return {
        "representation": _named(REPRESENTATIONS, config.representation),
        "network": _named({name: family.options for name, family in NETWORKS.items()}, config.network),
        "conditions": [_named(CONDITIONS, condition) for condition in config.conditions],
        "joint": dataclasses.asdict(config.joint),
        "steering": dataclasses.asdict(config.steering),
    }


def _named(table: dict[str, Any], variant: Any) -> dict[str, Any]:
    kind = next(name for name, cls in table.items() if type(variant) is cls)
    return {"kind": kind, **dataclasses.asdict(variant)}


def _built(what: str, table: dict[str, Any], values: dict[str, Any]) -> Any:
    values = dict(values)
    kind = values.pop("kind", None)
    if kind not in table:
        raise UsageError(f'there is no {what} "{kind}"; {known(table)}')
    try:
        return table[kind](**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except TypeError as error:
        raise UsageError(f"a {what} does not fit this version of bowerbird: {error}") from None


def model_from_json(values: dict[str, Any]) -> ModelConfig:
    """The inverse of `to_json`; UsageError for unknown kinds or keys."""
    options = {name: family.options for name, family in NETWORKS.items()}
    try:
        return ModelConfig(
            _built("representation", REPRESENTATIONS, values["representation"]),
            _built("network", options, values["network"]),
            tuple(_built("condition", CONDITIONS, condition) for condition in values["conditions"]),
            Joint(tuple(map(tuple, values["joint"]["rows"])), tuple(values["joint"]["counts"])),
            Steering(**values["steering"]),
        )
    except KeyError as error:
        raise UsageError(f"the model's description lacks {error}") from None


def train_from_json(values: dict[str, Any]) -> TrainConfig:
    """The inverse of `to_json`."""
    config = TrainConfig()
    for key, value in values.items():
        config = changed(config, key, value)
    return config
