"""Every recipe fits every config that takes one."""

import pytest
from support.commands import ROOT

from configs import base, recipes
from gaug_jax.config_file import read_config
from gaug_jax.gan.spec import make_spec
from gaug_jax.models.projected import ProjectedDiscriminator
from gaug_jax.models.style import StyleGenerator
from gaug_jax.models.unet import UNet
from gaug_jax.settings import read_settings

CONFIGS = ["folder", "folder_study", "xray", "xray_study", "bangla_numerals",
           "bangla_numerals_study", "digits_study"]  # fmt: skip


def spec_of(config):
    return make_spec(read_settings(config.to_dict()), num_classes=3, axis_name=None)


@pytest.mark.parametrize("recipe", sorted(recipes.RECIPES))
@pytest.mark.parametrize("config", CONFIGS)
def test_a_recipe_stands_after_a_colon(config, recipe):
    found = read_config(f"{config}:{recipe}")
    by_path = read_config(f"{ROOT / 'configs' / config}.py:{recipe}")
    assert found.to_dict() == by_path.to_dict()
    for name, value in recipes.RECIPES[recipe].items():
        section, field = name.split(".")
        # How long a run is, and what its average forgets, a study may say itself.
        assert section == "train" or found[section][field] == value
    spec = spec_of(found)
    assert isinstance(spec.generator, StyleGenerator) == (recipe == "style")
    assert isinstance(spec.discriminator, ProjectedDiscriminator) == (recipe == "projected")
    assert (
        isinstance(spec.generator, UNet) == (spec.discriminator is None) == (recipe == "diffusion")
    )


def test_without_a_name_it_is_the_one_for_few_images():
    assert read_config("folder").to_dict() == read_config("folder:few_images").to_dict()


def test_a_style_generator_stands_beside_any_configs_discriminator():
    config = read_config("folder_study")
    config.model.family = "style"
    spec = spec_of(config)
    assert isinstance(spec.generator, StyleGenerator) and spec.discriminator.spectral_norm


def test_all_recipes_are_in_the_guide():
    guide = (ROOT / "docs" / "guide.md").read_text()
    assert all(f"| `{name}` |" in guide for name in recipes.RECIPES)


def test_an_unknown_recipe_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="no recipe 'stile': give dcgan, few_images, "):
        recipes.use(base.get_config(), "stile")
