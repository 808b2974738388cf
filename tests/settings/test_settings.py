"""Mistakes in a config: one line each, which names the field and the way out."""

import pytest

from configs import base
from gaug_jax.errors import UserError
from gaug_jax.gan.spec import make_spec
from gaug_jax.settings import check_same_run, read_settings


def settings_with(**overrides):
    config = base.get_config()
    for name, value in overrides.items():
        section, field = name.split("__")
        config[section][field] = value
    return read_settings(config.to_dict())


def spec_with(**overrides):
    return make_spec(settings_with(**overrides), num_classes=2)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("data__image_size", 48, r"data.image_size=48 is not 4\*2\^n: give 8, 16, 32, 64"),
        ("data__channels", 2, r"data.channels=2 is not known: choose one of 1, 3"),
        (
            "data__resize",
            "crop",
            r"data.resize='crop' is not known: choose one of 'stretch', 'pad'",
        ),
        ("data__fold", 5, r"data.fold=5 is not known: choose one of 0, 1, 2, 3, 4"),
        ("data__num_folds", 1, r"data.num_folds=1: give 2 or more, or 0"),
        ("data__validation_fraction", 1.0, r"data.validation_fraction=1.0 is not a fraction"),
        ("data__train_size", 0, r"data.train_size=0 is too small: give 1 or more"),
        ("model__width", 0, r"model.width=0 is too small"),
        ("model__labels", "all", r"model.labels='all' .* 'none', 'per_class', 'conditional'"),
        ("model__upsampling", "cubic", r"model.upsampling='cubic' .* 'transposed', 'nearest'"),
        ("train__growing_steps", -1, r"train.growing_steps=-1 is too small: give 0 or more"),
        ("train__ema_half_life", -1, r"train.ema_half_life=-1.0 is too small"),
        ("train__batch_size", 0, r"train.batch_size=0 is too small"),
        ("train__learning_rate", 0.0, r"train.learning_rate=0.0 must be above 0"),
        ("train__precision", "float16", r"train.precision='float16' .* 'float32', 'bfloat16'"),
        ("train__on_divergence", "retry", r"train.on_divergence='retry'"),
        ("train__patience", -1, r"train.patience=-1 is too small: give 0 or more"),
        ("train__patience", 3, r"train.patience=3 needs scores .*: set config.evaluate.every"),
        ("train__beta1", 1.0, r"train.beta1=1.0 is not a fraction"),
        ("objective__critic_steps", 0, r"objective.critic_steps=0 is too small"),
        ("objective__gradient_penalty", -1.0, r"objective.gradient_penalty=-1.0 is too small"),
        ("objective__r1_every", 0, r"objective.r1_every=0 is too small"),
        ("objective__lecam", -1.0, r"objective.lecam=-1.0 is too small"),
        ("objective__classifier_weight", -0.1, r"objective.classifier_weight=-0.1 is too small"),
        ("model__classifier_width", 0, r"model.classifier_width=0 is too small"),
        ("train__classifier_learning_rate", 0.0, r"train.classifier_learning_rate=0.0 must be"),
        ("objective__label_smoothing", 1.0, r"objective.label_smoothing=1.0 is not a fraction"),
        ("train__discriminator_learning_rate", 0.0, r"train.discriminator_learning_rate=0.0 must"),
        ("augment__probability", 1.5, r"augment.probability=1.5 is no probability"),
        ("augment__target", 1.0, r"augment.target=1.0 is not a fraction"),
        ("augment__adaptation_images", 0.0, r"augment.adaptation_images=0.0 must be above"),
        ("objective__discriminator_norm", "layer", r"objective.discriminator_norm='layer'"),
        ("classify__architecture", "vgg", r"classify.architecture='vgg' .*'auto', 'pixels'"),
        ("classify__candidates", ("cnn", "auto"), r"classify.candidates='auto' .*'pixels', 'lin"),
        ("classify__learning_rates", (0.01, 0.0), r"classify.learning_rates=0.0 must be above 0"),
        ("classify__penalties", (0.0,), r"classify.penalties=0.0 must be above 0"),
        ("classify__steps", 0, r"classify.steps=0 is too small"),
        ("classify__copies", 0, r"classify.copies=0 is too small"),
        ("classify__widenings", -1, r"classify.widenings=-1 is too small: give 0 or more"),
        ("classify__step_widenings", -1, r"classify.step_widenings=-1 is too small"),
        ("classify__layer_decay", 0.0, r"classify.layer_decay=0.0 must be above 0, and 1 or less"),
        ("classify__regions", ("lungs",), r"classify.regions='lungs' .*'whole', 'middle', 'bor"),
    ],
)
def test_a_value_that_is_not_allowed(field, value, message):
    with pytest.raises(UserError, match=f"^config.{message}") as error:
        settings_with(**{field: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"objective__preset": "wgan"}, r"config.objective.preset='wgan' .*'wgan_gp'"),
        ({"objective__loss": "mse"}, r"config.objective.loss='mse' .* 'hinge'"),
        (
            {"objective__gradient_penalty": 10.0},
            r"config.objective.gradient_penalty=10.0 .*discriminator_norm='none'",
        ),
        ({"objective__r1": 1.0}, r"config.objective.r1=1.0 .*discriminator_norm='none'"),
        (
            {"objective__label_smoothing": 0.1, "objective__loss": "hinge"},
            r"config.objective.label_smoothing=0.1 .*not of 'hinge'",
        ),
        (
            {"objective__classifier_weight": 0.1, "model__labels": "per_class"},
            r"config.objective.classifier_weight=0.1 .*set config.model.labels",
        ),
        ({"augment__adaptive": True}, r"config.augment.adaptive=True has nothing to make"),
        (
            {
                "augment__adaptive": True,
                "augment__policy": "cutout",
                "objective__preset": "wgan_gp",
            },
            r"config.augment.adaptive=True goes by the sign",
        ),
    ],
)
def test_objectives_that_do_not_fit(overrides, message):
    with pytest.raises(UserError, match=message):
        spec_with(**overrides)


def test_unknown_and_missing_fields():
    values = base.get_config().to_dict()
    values["train"]["epoch"] = 1
    with pytest.raises(UserError, match="config.train.epoch is not a field: see docs/config.md"):
        read_settings(values)
    values = base.get_config().to_dict()
    del values["model"]["width"], values["embed"]
    assert read_settings(values) == read_settings(base.get_config().to_dict())
    with pytest.raises(UserError, match="config.seed is missing"):
        read_settings({})
    values = base.get_config().to_dict()
    values["trian"] = {}
    with pytest.raises(UserError, match="config.trian is not a section"):
        read_settings(values)


def test_the_config_of_a_work_folder_from_before_a_field_was_added():
    before, now = base.get_config().to_dict(), base.get_config().to_dict()
    del before["train"]["patience"]
    assert read_settings(before).train.patience == 0
    check_same_run(read_settings(before), read_settings(now), "W")


@pytest.mark.parametrize(
    "arms", [["real,classical", "gan"], ["real,classical,gan"], ["real, classical ,gan"]]
)
def test_words_with_commas_are_several(arms):
    classify = {"arms": arms, "endpoint_arm": "gan"}
    settings = read_settings({"seed": 0, "classify": classify})
    assert settings.classify.arms == ("real", "classical", "gan")
    # Paths and patterns are one word, whatever they hold.
    data = {"path": "a,b", "group": "(?P<group>a{1,2})"}
    assert read_settings({"seed": 0, "data": data}).data.path == "a,b"


def test_unset_fields_follow_the_preset_and_explicit_ones_win():
    spec = spec_with(objective__preset="wgan_gp")
    found = spec.objective
    assert (found.loss, found.gradient_penalty, found.critic_steps) == ("wasserstein", 10.0, 5)
    assert (spec.train.learning_rate, spec.train.beta1, spec.train.beta2) == (1e-4, 0.0, 0.9)
    assert (spec.discriminator.norm, spec.discriminator.spectral_norm) == ("none", False)
    spec = spec_with(
        objective__preset="wgan_gp", objective__loss="hinge", train__beta1=0.25,
        objective__critic_steps=2, objective__spectral_norm=True,
    )  # fmt: skip
    assert (spec.objective.loss, spec.objective.critic_steps) == ("hinge", 2)
    assert spec.train.beta1 == 0.25
    assert spec.discriminator.spectral_norm
    assert spec.train.beta2 == 0.9


def test_the_four_presets_are_those_of_the_design():
    found = {
        name: (s.objective.loss, s.discriminator.norm, s.discriminator.spectral_norm,
               s.objective.gradient_penalty, s.objective.critic_steps, s.train.learning_rate,
               s.train.beta1, s.train.beta2)
        for name in ("minimax", "spectral_norm", "spectral_norm_gp", "wgan_gp")
        for s in [spec_with(objective__preset=name)]
    }  # fmt: skip
    assert found == {
        "minimax": ("minimax", "batch", False, 0.0, 1, 2e-4, 0.5, 0.999),
        "spectral_norm": ("minimax", "none", True, 0.0, 1, 2e-4, 0.5, 0.999),
        "spectral_norm_gp": ("minimax", "none", True, 10.0, 1, 2e-4, 0.5, 0.999),
        "wgan_gp": ("wasserstein", "none", False, 10.0, 5, 1e-4, 0.0, 0.9),
    }


def test_a_work_folder_keeps_its_config():
    before, now = base.get_config().to_dict(), base.get_config().to_dict()
    check_same_run(read_settings(before), read_settings(now), "W")
    now["train"]["epochs"] = 7
    now["data"]["path"] = "elsewhere"
    check_same_run(read_settings(before), read_settings(now), "W")
    with pytest.raises(UserError, match="W was made with config.train.epochs=300, not 7"):
        check_same_run(read_settings(before), read_settings(now), "W", bound={"train.epochs"})
    now["model"]["width"] = 8
    with pytest.raises(UserError, match="W was made with config.model.width=64, not 8: .*workdir"):
        check_same_run(read_settings(before), read_settings(now), "W")


def test_a_work_folder_of_before_a_field_was_added_can_be_continued():
    before, now = base.get_config().to_dict(), base.get_config().to_dict()
    for section, field in (("objective", "lecam"), ("train", "patience"), ("augment", "adaptive")):
        del before[section][field]
    check_same_run(read_settings(before), read_settings(now), "W")
    now["objective"]["lecam"] = 0.1
    with pytest.raises(UserError, match="W was made with config.objective.lecam=0.0, not 0.1"):
        check_same_run(read_settings(before), read_settings(now), "W")


@pytest.mark.parametrize("field", ["seeds", "arms", "penalties", "candidates"])
def test_a_study_of_nothing_is_refused(field):
    with pytest.raises(UserError, match=f"config.classify.{field} is empty"):
        settings_with(**{f"classify__{field}": ()})
