"""What a report says, in which order, and what it leaves out."""

import pytest

from gaug_jax.downstream.arms import ARMS
from gaug_jax.reporting import sections, terms
from gaug_jax.reporting.downstream_table import how_many, table
from gaug_jax.reporting.verdict import card_notes, unknown_groups, verdict

SOME = {"value": 0.5, "low": 0.4, "high": 0.6}
FIGURES = ("accuracy", "macro_f1", "auroc", "sensitivity_at_90_specificity",
           "expected_calibration_error")  # fmt: skip


def arm(ratio=0.0, **others):
    return {"ratio": ratio, "filter": "none", "figures": dict.fromkeys(FIGURES, SOME), **others}


def summary(**others):
    arms = {
        "real": arm(),
        "mixup": arm(difference_to_real=SOME),
        "gan": arm(1.0, difference_to_best={**SOME, "holm_p_value": 0.03}),
    }
    answer = {"arm": "gan", "against": "mixup", "verdict": "better", **SOME}
    defaults = {
        "endpoint": "auroc", "endpoint_size": 50, "endpoint_arm": "gan", "splits": [0, 1],
        "generator_seeds": [0, 1], "classifier_seeds": [0, 1], "paper": [],
        "fits": {"architectures": ["cnn"], "optimizer_steps": [10], "balanced": False,
                 "share_at_edge_of_grid": 0.0},
        "sizes": {"50": {"best_without_gan": "mixup", "num_groups": 3, "arms": arms}},
        "answer": answer,
    }  # fmt: skip
    return {**defaults, **others}


def manifest(unknown=0, per_class=False):
    """Returns the manifest of four images of one class; two of the test part are alike."""
    parts = ("train", "validation", "test", "test")
    counts = {"test": {"cat": 2}, "train": {"cat": 1}, "unused": {"cat": 0},
              "validation": {"cat": 1}}  # fmt: skip
    rows = [
        {"part": part, "group": min(number, 2), "licence": None}
        for number, part in enumerate(parts)
    ]
    return {
        "source": "folder", "licence": "CC0", "class_names": ["cat"], "num_images": 4,
        "num_groups": 3, "num_unknown_groups": unknown, "groups_known": not unknown,
        "counts": counts, "rows": rows,
        "options": {"train_size_per_class": per_class, "num_folds": 2},
    }  # fmt: skip


def downstream(**others):
    return sections.downstream_section(summary(**others), [], manifest())


def test_the_endpoint_and_what_decides_come_first_without_empty_columns():
    decisive, others = downstream().tables
    assert list(decisive.header) == [
        "arm", "AUROC", "minus best without GAN", "Holm p", "minus real", "ratio", "filter",
    ]  # fmt: skip
    assert list(decisive.rows[2]) == [
        "gan", "0.500 (0.400 to 0.600)", "+0.500 (+0.400 to +0.600)", "0.03", "", "1", "none",
    ]  # fmt: skip
    assert others.folded and not decisive.folded
    assert list(others.header) == [
        "arm", "accuracy", "macro F1", "sensitivity at 90% specificity", "calibration error",
    ]  # fmt: skip
    (with_paper, _) = downstream(paper=[["gan", "auroc", 0.9]]).tables
    assert with_paper.header[-1] == "paper" and with_paper.rows[2][-1] == "AUROC 0.9"


def test_every_arm_and_column_has_its_meaning():
    assert set(terms.ARMS) == set(ARMS)
    named = [term for term, _ in downstream().terms]
    assert named[:3] == ["real", "mixup", "gan"]
    assert "Holm p" in named and "paper" not in named and "cutmix" not in named


def test_the_text_says_what_the_classifiers_are():
    fits = summary()["fits"]

    def words(**others):
        return " ".join(downstream(fits={**fits, **others}).paragraphs)

    assert words().startswith("Every arm's classifiers are a plain convolutional network, of 10 ")
    assert "of 10 or 20 steps, tuned by the same rule" in words(optimizer_steps=[10, 20])
    linear = words(architectures=["pixels"], optimizer_steps=[])
    assert "50 principal components of the pixels, tuned by the same rule" in linear
    assert "weighed by the inverse of their number" not in words()
    assert "weighed by the inverse of their number" in words(balanced=True)
    assert "(25% of the fits at the edge of their grid)" in words(share_at_edge_of_grid=0.25)
    first, _ = downstream(architecture="cnn, the best with real images alone").paragraphs[:2]
    assert first == "The classifier: cnn, the best with real images alone."


def test_the_text_speaks_of_what_the_study_has():
    text = " ".join(downstream().paragraphs)
    assert "ec_gan" not in text and "spread of generator seeds and classifier seeds" in text
    text = " ".join(downstream(generator_seeds=[0]).paragraphs)
    assert "the spread of classifier seeds is added" in text
    single = downstream(generator_seeds=[0], classifier_seeds=[0])
    assert "spread" not in " ".join(single.paragraphs)
    arms = {**summary()["sizes"]["50"]["arms"], "ec_gan": arm(1.0)}
    sizes = {"50": {"best_without_gan": "mixup", "num_groups": 3, "arms": arms}}
    assert "ec_gan's is trained with its generator" in " ".join(downstream(sizes=sizes).paragraphs)


@pytest.mark.parametrize(
    ("generators", "classifiers", "words"),
    [
        ([0], [0], "about 1,234 of them"),
        ([0], [0, 1], "at least about 1,234 of them, and generators and classifiers of more seeds"),
        ([0, 1], [0], "at least about 1,234 of them, and generators and classifiers of more seeds"),
    ],
)
def test_patients_alone_are_asked_for_where_no_seeds_spread(generators, classifiers, words):
    seeds = {"generator_seeds": generators, "classifier_seeds": classifiers}
    assert how_many(summary(answer={"groups_needed": 1234}, **seeds), "of them") == words


def test_the_verdict_says_where_it_rests_on_one_seed():
    assert "rests on" not in verdict(summary(), manifest()).sentence
    single = verdict(summary(generator_seeds=[3]), manifest()).sentence
    assert "rests on one seed of the generators: another may say otherwise" in single
    both = verdict(summary(generator_seeds=[3], classifier_seeds=[0]), manifest()).sentence
    assert "rests on one seed of the generators and the classifiers:" in both


def test_a_study_below_its_floor_says_that_it_cannot_answer_before_anything_else():
    below = {"cannot_answer": "no classifier beats chance: so it is"}
    found = verdict(summary(answer=None, **below), manifest())
    assert found == ("Cannot answer", "No classifier beats chance: so it is.")
    lines = table(summary(answer=None, **below)).splitlines()
    assert lines[0] == "**Cannot answer: no classifier beats chance: so it is.**"
    assert lines[2].startswith("## ")


def test_an_answer_that_was_made_below_the_floor_stands_after_it():
    below = {"cannot_answer": "no classifier beats chance"}
    found = verdict(summary(**below), manifest())
    plain = verdict(summary(), manifest()).sentence
    assert found.word == "Cannot answer"
    assert found.sentence == f"No classifier beats chance. Made all the same: {plain}"
    lines = table(summary(**below)).splitlines()
    assert lines[0] == "**Cannot answer: no classifier beats chance.**"
    assert lines[2] == f"Made all the same: {table(summary()).splitlines()[0]}"
    assert verdict(summary(cannot_answer=None), manifest()).word == "Helps"


def test_a_question_about_the_best_arm_itself_says_that_there_is_no_other():
    found = verdict(summary(answer=None, endpoint_arm="mixup"), manifest())
    assert found.word == "Not asked"
    assert found.sentence.startswith("mixup is the best arm without generated images itself")
    found = verdict(summary(answer=None, endpoint_arm="gan"), manifest())
    assert found.sentence.startswith("gan cannot be compared: there is no arm without")


def test_the_card_explains_its_arms_and_says_what_one_split_means():
    (arms,) = card_notes(summary())
    assert arms.startswith("gan: training images and generated ones; mixup: ")
    assert "Another split may say otherwise" in card_notes(summary(splits=[0]))[1]
    assert card_notes(summary(answer=None)) == []


def with_external(figure=SOME, lacking=None, **others):
    """Returns a summary of a study with an external set."""
    content = summary()["sizes"]["50"]
    content["external"] = {"name": "other", "num_images": 40, "num_groups": 38,
                           "shared_training": 0.75, "without_predictions": lacking}  # fmt: skip
    said = {"figures": dict.fromkeys(FIGURES[:4], SOME) | {"auroc": figure}}
    for name, found in content["arms"].items():
        found["external_auroc"] = 0.625
        if lacking is None:
            to_real = {} if name == "real" or not figure else {"difference_to_real": SOME}
            found["external"] = said | to_real
    return summary(sizes={"50": content}, **others)


def test_the_external_set_has_a_table_a_note_and_a_meaning():
    section = sections.downstream_section(with_external(), [], manifest())
    (shown,) = [each for each in section.tables if "External" in each.caption]
    assert shown.caption == (
        "External test set other, 40 images of 38 groups; 50 training images"
    )  # fmt: skip
    assert list(shown.header) == [
        "arm", "external AUROC", "minus real", "external accuracy", "external macro F1",
        "external sensitivity at 90% specificity",
    ]  # fmt: skip
    assert "external ..." in [term for term, _ in section.terms]
    text = " ".join(section.paragraphs)
    assert "have 75% of their groups in common" in text
    single = sections.downstream_section(with_external(splits=[0]), [], manifest())
    assert "other training images may say otherwise" in " ".join(single.paragraphs)
    without = downstream()
    words = [*without.paragraphs, *(each.caption for each in without.tables), str(without.terms)]
    assert "external" not in " ".join(words).lower()


def test_the_card_says_what_the_external_set_says():
    assert card_notes(with_external())[1] == (
        "On the external test set other, 40 images of 38 groups: gan against real: AUROC +0.500 "
        "(+0.400 to +0.600) (AUROC of gan 0.500 (0.400 to 0.600), real 0.500 (0.400 to 0.600))."
    )
    assert card_notes(with_external(figure=None))[1].endswith(
        "AUROC of gan not defined, real not defined."
    )
    of_real = card_notes(with_external(endpoint_arm="real", endpoint="auroc_mean_over_splits"))[1]
    assert of_real.endswith("groups: AUROC of real 0.500 (0.400 to 0.600).")
    assert card_notes(with_external(lacking="a.npz"))[1] == (
        "On the external test set other: AUROC of gan 0.625, real 0.625, without intervals."
    )


@pytest.mark.parametrize(
    ("unknown", "words"),
    [
        (0, "tested on 3 patients or groups."),
        (4, "tested on 3 images (near duplicates counted as one)."),
        (1, "tested on 3 patients, groups, or images of unknown ones."),
    ],
)
def test_what_was_tested_on_has_its_name(unknown, words):
    assert verdict(summary(), manifest(unknown)).sentence.endswith(words)


def test_partitions_are_counted_where_there_are_several():
    assert " Splits: 2; " in downstream().paragraphs[0]
    assert " Splits: 3 of 2 partitions; " in downstream(splits=[0, 1, 2]).paragraphs[0]


def test_groups_that_are_known_in_part_are_not_called_unknown():
    assert "were not known, so images were split" in unknown_groups(manifest(4))
    assert "were not known of 1 of 4 images, so these were split" in unknown_groups(manifest(1))


def test_training_sizes_of_each_class_are_told():
    assert "50 training images of each class" in verdict(summary(), manifest(0, True)).sentence


def fidelity(**others):
    row = {
        "step": 4, "num_fake": 100, "num_real": 61, "reference_split": "test",
        "features": "classifier", "fid": 0.8, "fid_floor": 1.4, "fid_at_floor_size": 1.6,
        "official_lpips_weights": None, "notes": {},
    }  # fmt: skip
    return sections.fidelity_section({**row, **others}, "my runs/a")


def test_the_floor_is_beside_the_figure_of_its_size():
    section = fidelity()
    rows = {row[0]: list(row[1:]) for row in section.tables[0].rows}
    assert rows["FID"] == ["0.8", "", "lower"]
    assert rows["FID at the floor's size"] == ["1.6", "1.4", "lower"]
    meaning = dict(section.terms)["floor"]
    assert "30 real images against 30 other real ones" in meaning
    assert "floor" not in dict(fidelity(fid_floor=None, fid_at_floor_size=None).terms)


def test_the_command_that_fetches_lpips_is_whole():
    command = "python -m gaug_jax.evaluate --workdir='my runs/a' --features=classifier --lpips"
    assert fidelity().paragraphs[-1].endswith(command)
    assert command not in " ".join(fidelity(official_lpips_weights=True).paragraphs)


def test_the_audits_words_are_explained_where_they_stand():
    named = [term for term, _ in sections.privacy_section(["C_T 0.1; 5% are authentic."], []).terms]
    assert named == ["C_T", "authentic"]
    assert not sections.privacy_section(["Not audited."], []).terms
