"""The datasheet of generated images: what stands in it, for made configs and manifests."""

import re

import pytest

from configs import base
from gaug_jax.synthesis.datasheet import datasheet
from gaug_jax.synthesis.training_data import training_data

LATENTS = {"truncation": None, "rejection": 1}
MADE = {"step": 12_345, "seed": 7, "latents": LATENTS, "filter": "none", "keep": 1.0}


def row(name, licence=None, part="train"):
    return {"name": name, "part": part, "licence": licence}


def manifest(*rows, **more):
    """Returns a manifest of two classes, with 30 and 12 training images."""
    counts = {"train": {"a": 30, "b": 12}, "test": {"a": 500, "b": 600}}
    return {
        "rows": list(rows), "counts": counts, "source": "made", "source_version": None,
        "licence": None, "manifest_sha256": "0123abcd", **more,
    }  # fmt: skip


def written(data=None, counts=None, made=MADE, **privacy):
    """Returns the datasheet of a config with fields that are not the defaults."""
    config = base.get_config().to_dict() | {"seed": 3}
    config["data"]["image_size"] = 16
    config["model"] |= {"width": 24, "labels": "conditional"}
    config["train"]["batch_size"] = 40
    config["augment"]["policy"] = "cutout"
    data = data or manifest(row("one.png"))
    return datasheet(config, training_data(data), counts or {"a": 5, "b": 0}, made, **privacy)


def section(text, title):
    """Returns the lines below a title, as one."""
    return " ".join(re.search(rf"## {title}\n(.*?)(\n## |$)", text, re.S)[1].split())


def test_every_section_stands_there_once_and_in_order():
    titles = re.findall(r"^#+ (.*)$", written(), re.M)
    assert titles == [
        "Datasheet of these generated images", "What they are", "How they were made",
        "What the generator learnt from", "Privacy", "What they are for",
    ]  # fmt: skip


def test_images_are_counted_by_class_and_in_all():
    text = section(written(counts={"a": 5, "b": 0, "c": 12}), "What they are")
    assert text.startswith("17 images of 16x16 pixels, every one drawn by")
    assert text.endswith("| class | images | | --- | --- | | a | 5 | | b | 0 | | c | 12 |")


def test_how_they_were_made_is_told_from_the_config():
    text = section(written(), "How they were made")
    assert (
        "DCGAN of width 24, labels `conditional`, preset `minimax`, augmentation `cutout`" in text
    )
    assert "Checkpoint of step 12,345, batches of 40" in text
    assert "seed of the training 3, of the latents 7" in text
    assert "SHA-256 of the training data: `0123abcd`" in text


@pytest.mark.parametrize(
    ("truncation", "rejection", "words"),
    [
        (None, 1, "standard normal"),
        (0.5, 1, "standard normal, every number within 0.5 of 0"),
        (None, 4, "standard normal, the best of 4 by the discriminator's score"),
        (2.0, 3, "standard normal, every number within 2 of 0, the best of 3 by the "
                 "discriminator's score"),
    ],
)  # fmt: skip
def test_how_latents_were_chosen(truncation, rejection, words):
    latents = {"truncation": truncation, "rejection": rejection}
    text = written(made={**MADE, "latents": latents})
    assert f"\n- Latents: {words}.\n" in text


@pytest.mark.parametrize(
    ("name", "keep", "words"),
    [
        ("none", 0.5, "none"),
        ("density", 0.5, "the best 50% of each class by `density`"),
        ("copies", 0.125, "the best 12% of each class by `copies`"),
    ],
)
def test_what_was_filtered(name, keep, words):
    assert f"\n- Filter: {words}.\n" in written(made={**MADE, "filter": name, "keep": keep})


def test_the_training_part_alone_is_counted_and_its_source_is_named():
    text = section(written(), "What the generator learnt from")
    assert text.startswith("42 images of made, its training part alone.")
    text = section(written(manifest(source_version="2.0")), "What the generator learnt from")
    assert text.startswith("42 images of made (2.0), its training part alone.")


def test_licences_are_counted_with_that_of_the_whole_for_images_without_their_own():
    rows = [row(str(index)) for index in range(3)]
    rows += [row(str(index), "CC BY 4.0", "test") for index in range(4)]
    text = written(manifest(*rows, licence="CC0"))
    assert "\n- CC BY 4.0: 4 images\n- CC0: 3 images\n" in text
    assert "\n- CC BY 4.0: 4 images\n- none named: 3 images\n" in written(manifest(*rows))


def test_training_images_whose_licences_forbid_derivatives_are_listed():
    rows = [
        row("one.png", "CC BY-NC-ND 4.0"), row("two.png", "CC BY-NC-SA"), row("three.png"),
        row("four.png", "cc-by-nd"), row("five.png", "CC BY-ND", part="test"),
    ]  # fmt: skip
    text = section(written(manifest(*rows)), "What the generator learnt from")
    assert (
        "The licences of 2 of the training images forbid derivatives (one.png, four.png). Train "
        "without them by --config.data.licenses=derivatives." in text
    )
    assert "forbid" not in written(manifest(*rows[1:3], rows[4]))


def test_images_without_their_own_licence_have_that_of_the_whole():
    # As `config.data.licenses=derivatives` takes it, which leaves such images out.
    text = written(manifest(row("one.png"), row("two.png", "CC0"), licence="CC BY-ND 4.0"))
    assert "The licences of 1 of the training images forbid derivatives (one.png)" in text


def test_without_an_audit_they_are_to_be_treated_as_the_originals():
    text = section(written(), "Privacy")
    assert "may reproduce them" in text and "were not audited (gaug_jax.audit does)" in text
    assert "found" not in text


def test_what_an_audit_found_is_quoted():
    text = written(privacy=(["Copies were found.", "Members were not."], ""))
    assert (
        "\nAn audit of images of the same generator found:\n\n- Copies were found.\n"
        "- Members were not.\n" in text
    )
    assert "were not audited" not in text


@pytest.mark.parametrize("audit", [[], ["Nothing was found."]])
def test_a_guarantee_stands_before_what_an_audit_found_or_that_there_was_none(audit):
    guarantee = "Training was differentially private: epsilon 3."
    text = section(written(privacy=(audit, guarantee)), "Privacy")
    assert text.startswith(guarantee)
    assert ("- Nothing was found." in text) == bool(audit)
    assert ("were not audited" in text) != bool(audit)
