"""Whether a work folder may be continued: every field of the config, one after another."""

import dataclasses
import re
from collections.abc import Sequence
from typing import get_origin

import pytest

from gaug_jax.errors import UserError
from gaug_jax.settings import SECTIONS, ClassifySettings, EvaluateSettings, Settings, check_same_run
from gaug_jax.settings.fields import fields_of

# With it every field can have another value while the others keep theirs.
BEFORE = Settings(
    evaluate=EvaluateSettings(every=10), classify=ClassifySettings(train_sizes=(0, 50))
)
# Another value of those fields that take some values alone.
OTHER = {
    "data.uncertain": "positive", "data.unmentioned": "negative", "data.window": "full",
    "data.pages": "all",
    "data.image_size": 32, "data.channels": 3, "data.resize": "pad", "data.small_classes": "merge",
    "model.labels": "per_class", "model.discriminator": "projected", "model.family": "style",
    "model.upsampling": "nearest",
    "objective.discriminator_norm": "group", "train.precision": "bfloat16",
    "train.on_divergence": "rollback", "evaluate.resize": "clean",
    "evaluate.training_features": "pixels", "classify.architecture": "resnet",
    "classify.arms": ("real", "gan+classical"), "classify.train_sizes": (0, 60),
    "classify.endpoint_size": 50, "classify.endpoint_arm": "gan",
    "classify.learning_rates": (0.5,), "classify.region": "middle",
    "classify.regions": ("border",), "classify.paper": (("gan", "accuracy", 0.9),),
}  # fmt: skip
FIELDS = {
    f"{name}.{each.name}": each for name, section in SECTIONS.items() for each in fields_of(section)
} | {each.name: each for each in fields_of(Settings)}
FREE = sorted(name for name, each in FIELDS.items() if each.may_change)
FIXED = sorted(set(FIELDS) - set(FREE))


def value_of(settings, name):
    section, _, field = name.rpartition(".")
    return getattr(getattr(settings, section) if section else settings, field)


def with_value(settings, name, value):
    """Returns the settings with another value of one field."""
    section, _, field = name.rpartition(".")
    if not section:
        return dataclasses.replace(settings, **{field: value})
    changed = dataclasses.replace(getattr(settings, section), **{field: value})
    return dataclasses.replace(settings, **{section: changed})


def other_value(name):
    """Returns a value of a field that is not the one before."""
    if name in OTHER:
        return OTHER[name]
    before, kind = value_of(BEFORE, name), FIELDS[name].kind
    if get_origin(kind) is Sequence:
        return before + before[:1]
    if kind is bool:
        return not before
    if kind is float:
        return before / 2 if before else 0.5
    return (before or 0) + 1 if kind is int else f"{before} or so"


def changed(name):
    now = with_value(BEFORE, name, other_value(name))
    assert value_of(now, name) != value_of(BEFORE, name)
    return now


def message(name):
    """Returns the pattern of what is said of a field, with sequences as lists."""
    old, new = (
        repr(list(value) if isinstance(value, tuple) else value)
        for value in (value_of(BEFORE, name), other_value(name))
    )
    return re.escape(f"W was made with config.{name}={old}, not {new}: set it so, or choose") + ".*"


def test_there_are_fields_of_both_kinds():
    assert {"train.epochs", "data.path", "classify.seeds", "objective.epsilon"} <= set(FREE)
    assert {"seed", "data.fold", "model.width", "train.batch_size", "augment.policy"} <= set(FIXED)


@pytest.mark.parametrize("name", FREE)
def test_a_field_that_says_where_or_how_long_may_change_unless_it_is_bound(name):
    check_same_run(BEFORE, changed(name), "W")
    check_same_run(BEFORE, changed(name), "W", bound=set(FREE) - {name})
    with pytest.raises(UserError, match=message(name)):
        check_same_run(BEFORE, changed(name), "W", bound={name})


@pytest.mark.parametrize("name", FIXED)
def test_a_field_that_decides_what_is_computed_is_refused_and_named(name):
    for before, now in ((BEFORE, changed(name)), (changed(name), BEFORE)):
        with pytest.raises(UserError, match=f"^W was made with config.{re.escape(name)}="):
            check_same_run(before, now, "W")
    with pytest.raises(UserError, match=message(name)):
        check_same_run(BEFORE, changed(name), "W")


@pytest.mark.parametrize("name", sorted(set(FIXED) - {"seed"}))
def test_a_section_that_takes_no_part_is_passed_over_and_no_other(name):
    section = name.partition(".")[0]
    check_same_run(BEFORE, changed(name), "W", section)
    another = next(other for other in SECTIONS if other != section)
    with pytest.raises(UserError, match=re.escape(name)):
        check_same_run(BEFORE, changed(name), "W", another)


def test_bound_fields_of_a_section_that_takes_no_part_do_not_matter():
    check_same_run(BEFORE, changed("classify.seeds"), "W", "classify", bound={"classify.seeds"})


def test_the_same_config_is_the_same_run_whatever_is_bound():
    check_same_run(BEFORE, dataclasses.replace(BEFORE), "W", bound=FIELDS)


def test_of_two_fields_the_first_by_name_is_named():
    now = with_value(changed("model.width"), "augment.policy", "cutout")
    with pytest.raises(UserError, match="config.augment.policy="):
        check_same_run(BEFORE, now, "W")
