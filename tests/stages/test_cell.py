"""A cell of the study: its names, its counts, what is done, and generators that it may use."""

import numpy as np
import pytest
from support.made_cells import COUNTS, REAL, MadeStudy, made_data

from gaug_jax.classifiers.linear import LinearSpec
from gaug_jax.downstream.cross_validation import Judged
from gaug_jax.downstream.regions import in_region
from gaug_jax.errors import UserError
from gaug_jax.files import read_json, read_json_lines, write_json, write_json_lines
from gaug_jax.stages import cell as module
from gaug_jax.workfolder import WorkFolder


@pytest.fixture
def study(tmp_path, monkeypatch):
    return MadeStudy(tmp_path, monkeypatch)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_predictions_and_generators_are_named_by_what_they_are_of(study):
    options = {"filters": ("none", "density"), "generator_seeds": (0, 3)}
    study.complete(split=2, size=10, **options)
    study.complete(**options)
    assert names(study.folder.predictions) == sorted(
        f"{cell}-{arm}.npz"
        for cell in ("2-10", "0-all")
        for arm in (
            *REAL,
            *(f"gan-{name}-{ratio}-{seed}" for name in ("none", "density")
              for ratio in ("0.5", "1") for seed in (0, 3)),
        )
    )  # fmt: skip
    assert names(study.folder.generators) == ["0-all-0", "0-all-3", "2-10-0", "2-10-3"]
    config = read_json(study.folder.generators / "2-10-3" / "config.json")
    assert (config["seed"], config["data"]["fold"], config["data"]["train_size"]) == (3, 2, 10)
    config = read_json(study.folder.generators / "0-all-0" / "config.json")
    assert (config["seed"], config["data"]["fold"], config["data"]["train_size"]) == (0, 0, None)


def test_a_split_beyond_the_folds_has_names_and_a_seed_of_its_own(study):
    study.complete(split=7)
    assert names(study.folder.generators) == ["7-all-0"]
    assert "7-all-gan-none-1-0.npz" in names(study.folder.predictions)
    config = read_json(study.folder.generators / "7-all-0" / "config.json")
    assert (config["data"]["fold"], config["data"]["split_seed"]) == (2, 1)
    assert {row["split"] for row in read_json_lines(study.folder.runs)} == {7}


def test_generated_images_are_as_many_of_each_class_as_the_ratio_says(study):
    study.complete(ratios=(0.5, 1.0, 2.0))
    counts = [np.bincount(synthetic.labels, minlength=3).tolist() if synthetic else None
              for _, _, synthetic, _, _ in study.fits]  # fmt: skip
    # Of 10 images in 7:2:1; of 5 the halves of the first and the last class are one image.
    assert counts == [*[None] * len(REAL), [4, 1, 0], [7, 2, 1], [14, 4, 2]]
    # One more of each than is needed: smaller ratios may round up.
    ((folder, train, drawn, spec, seed),) = study.pools
    assert (folder, seed, drawn.tolist()) == ("0-all-0", 0, [15, 5, 3])
    assert np.bincount(train.labels).tolist() == [7, 2, 1]
    assert (spec.class_names, spec.image_shape) == (("a", "b", "c"), (8, 8, 1))


def test_a_linear_study_scores_generated_images_by_its_own_kind_of_model(study, monkeypatch):
    asked = []

    def best_penalty(policy, kind, parts, budget):
        asked.append((policy, kind, len(parts.train.labels)))
        return Judged(0.3, False, 0.9)

    monkeypatch.setattr(module, "best_penalty", best_penalty)
    study.complete(architecture="pixels")
    ((*_, spec, seed),) = study.pools
    assert asked == [("none", "pixels", 10)] and seed == 0
    # 7, 2 and 1 images are unequal.
    assert spec == LinearSpec(("a", "b", "c"), "pixels", 0.3, balanced=True)


def test_generated_images_fill_up_the_rarest_classes_where_an_arm_is_balanced(study):
    study.complete(arms=("gan", "gan_balanced"), ratios=(0.5, 1.0, 2.0))
    counts = {name: [] for name in ("gan", "gan_balanced")}
    for name, synthetic in study.generated():
        counts[name].append(np.bincount(synthetic.labels, minlength=3).tolist())
    # Beside 7, 2 and 1 real ones: 7, 4, 4; 7, 7, 6; and 10 of each.
    assert counts["gan_balanced"] == [[0, 2, 3], [0, 5, 5], [3, 8, 9]]
    assert counts["gan"] == [[4, 1, 0], [7, 2, 1], [14, 4, 2]]
    # As many of each class as either kind needs, and one more.
    ((_, _, drawn, _, _),) = study.pools
    assert drawn.tolist() == [15, 9, 10]


def test_a_filter_chooses_the_same_images_whatever_other_arms_need(study):
    options = {"ratios": (1.0,), "filters": ("none", "density"), "filter_keep": 0.5}

    def filtered(*arms):
        study.complete(arms=arms, endpoint_arm="gan", split=len(study.pools), **options)
        taken = [synthetic for name, synthetic in study.generated() if name == "gan"]
        return [each.images[each.labels == 2, 0, 0, 0].tolist() for each in taken]

    alone, beside = filtered("gan"), filtered("gan", "gan_balanced")
    assert alone == beside
    assert study.pools[1][2].tolist() == [15, 11, 11] != study.pools[0][2].tolist()


def test_the_reference_ratio_may_be_the_largest(study):
    study.complete(arms=("gan", "pretrain"), ratios=(0.5,), reference_ratio=3.0)
    assert [len(synthetic.labels) for _, synthetic in study.generated()] == [5, 30]
    assert study.pools[0][2].tolist() == [22, 7, 4]


def test_a_filter_has_enough_to_choose_from_and_takes_the_best(study):
    study.complete(ratios=(1.0,), filters=("none", "density"), filter_keep=0.25)
    ((_, _, drawn, _, _),) = study.pools
    assert drawn.tolist() == [29, 9, 5]
    plain, filtered = (synthetic for _, synthetic in study.generated())
    values = [each.images[each.labels == 0, 0, 0, 0].tolist() for each in (plain, filtered)]
    assert values[0] == list(range(7))
    # A quarter of the first class, 7 of 29, in its order.
    assert values[1] == list(range(22, 29))


def test_every_arm_has_the_parts_and_the_budget_alike(study):
    study.complete()
    prepared = made_data()
    for _, parts, _, budget, _ in study.fits:
        for name in COUNTS:
            part = getattr(parts, name)
            np.testing.assert_array_equal(part.images, prepared.part(name).images)
            np.testing.assert_array_equal(part.labels, prepared.part(name).labels)
        assert parts.external is None
        # Ten real images, and as many generated ones.
        assert budget.most_images == 20 and budget.spec.class_names == ("a", "b", "c")


def test_classifiers_of_the_borders_see_no_middle_in_any_part(study):
    study.complete(arms=("real", "borders_only", "gan"))
    parts = {name: parts for name, parts, *_ in study.fits}
    for name in COUNTS:
        images = getattr(parts["real"], name).images
        seen = getattr(parts["borders_only"], name).images
        np.testing.assert_array_equal(seen, in_region(images, "border"))
        assert not seen[:, 1:-1, 1:-1].any() and seen.any()


def test_what_needs_no_generator_can_be_made_before_any_is_trained(study):
    study.cell().complete(without_generators=True)
    assert [name for name, *_ in study.fits] == REAL and study.together == []
    assert study.complete() == ["gan", "gan"]


def test_one_split_is_tuned_by_its_own_figure_where_the_study_is_judged_by_a_mean_of_splits(study):
    study.complete(endpoint="auroc_mean_over_splits")
    assert {budget.endpoint for *_, budget, _ in study.fits} == {"auroc"}


def test_the_positive_class_is_the_second_whatever_the_order_of_the_data(tmp_path, monkeypatch):
    two = {"train": (6, 2), "validation": (3, 3), "test": (2, 4)}
    study = MadeStudy(tmp_path, monkeypatch, ratios=(1.0,), positive_class="a")
    study.complete(made_data(two))
    for _, parts, synthetic, budget, _ in study.fits:
        assert budget.spec.class_names == ("b", "a")
        assert np.bincount(parts.train.labels).tolist() == [2, 6]
        assert np.bincount(parts.test.labels).tolist() == [4, 2]
        if synthetic:
            assert np.bincount(synthetic.labels).tolist() == [2, 6]
    # The generator knows the classes as the data has them.
    ((_, train, drawn, spec, _),) = study.pools
    assert drawn.tolist() == [7, 3] and spec.class_names == ("a", "b")
    assert np.bincount(train.labels).tolist() == [6, 2]


def test_rows_name_their_predictions_which_are_of_the_test_part(study):
    study.complete()
    rows = read_json_lines(study.folder.runs)
    # Five runs of two classifiers.
    assert [row["classifier_seed"] for row in rows] == [0, 1] * 5
    assert [row["arm"] for row in rows[::2]] == [*REAL, "gan", "gan"]
    prepared = made_data()
    for row in rows:
        with np.load(study.folder.predictions / row["predictions"]) as file:
            assert file["probabilities"].shape == (2, 6, 3)
            assert file["name"].tolist() == list(prepared.names)[-6:]
            assert file["label"].tolist() == [0, 0, 0, 1, 1, 2]
            assert file["group"].tolist() == list(range(16, 22))
            assert file["validation_label"].tolist() == [0, 0, 1, 1, 2, 2]
            assert file["classifier_seeds"].tolist() == [0, 1]
            assert file["class_names"].tolist() == ["a", "b", "c"]
        # The mean over the classes; of real images there is none.
        assert row.get("label_agreement") == (0.75 if row["arm"] == "gan" else None)
        assert (row["split"], row["train_size"], row["num_train"]) == (0, 0, 10)
        assert (row["optimizer_steps"], row["learning_rate"], row["region"]) == (3, 0.01, "whole")
        assert row["architecture"] == ("pixels" if row["arm"] == "pixels" else "cnn")
    assert len({row["data_sha256"] for row in rows}) == 1


def test_what_is_done_is_not_made_again(study, capsys):
    assert study.complete() == [*REAL, "gan", "gan"]
    capsys.readouterr()
    assert study.complete() == []
    assert capsys.readouterr().out == "split 0, size all: nothing to do\n"
    assert study.together == [["0-all-0"]]


def test_a_run_without_its_predictions_is_made_again(study):
    study.complete()
    (study.folder.predictions / "0-all-gan-none-0.5-0.npz").unlink()
    assert study.complete() == ["gan"]
    assert len(study.fits[0][2].labels) == 5
    assert study.complete() == []


def test_a_run_without_one_of_its_rows_is_made_again(study):
    study.complete()
    rows = read_json_lines(study.folder.runs)
    write_json_lines(study.folder.runs, rows[1:])
    assert study.complete() == ["real"]
    assert study.complete() == []


def test_runs_of_other_data_are_made_again(study):
    study.complete()
    # The generator saw the same, and the test part is another.
    other = made_data(COUNTS | {"test": (1, 1, 4)})
    assert study.complete(other) == [*REAL, "gan", "gan"]
    assert study.complete(other) == []


def test_more_classifier_seeds_make_runs_again_and_fewer_do_not(study):
    study.complete()
    assert study.complete(seeds=(1,)) == []
    assert study.complete(seeds=(0, 1, 2)) == [*REAL, "gan", "gan"]


def test_runs_of_another_split_or_size_do_not_count(study):
    study.complete()
    assert len(study.complete(split=1)) == len(study.complete(size=10)) == len(REAL) + 2
    assert study.complete() == study.complete(split=1) == study.complete(size=10) == []
    rows = read_json_lines(study.folder.runs)
    others = [row for row in rows if (row["train_size"], row["split"]) != (0, 0)]
    assert len(others) == 2 * 2 * (len(REAL) + 2)
    write_json_lines(study.folder.runs, others)
    assert study.complete() == [*REAL, "gan", "gan"]


def test_two_generators_are_trained_at_a_time_and_none_without_an_arm_of_them(study):
    study.complete(generator_seeds=(5, 6, 7))
    assert study.together == [["0-all-5", "0-all-6"], ["0-all-7"]]
    assert [seed for *_, seed in study.pools] == [5, 6, 7]
    study.together.clear()
    study.complete(arms=("real", "mixup"), endpoint_arm="real", split=1)
    assert study.together == []


@pytest.mark.parametrize("when", ["before", "now"])
def test_a_generator_that_saw_other_images_is_refused(study, when):
    folder = WorkFolder(study.folder.generators / "0-all-0")
    other = made_data(COUNTS | {"train": (3, 3, 3)}, seed=1).manifest
    if when == "before":
        write_json(folder.data_manifest, other)
    else:
        study.seen = other
    message = r"leak: the generator in .*0-all-0 was trained on .*\(9 of them, not these 10\)"
    with pytest.raises(UserError, match=message):
        study.complete()
    assert not study.pools and study.together == ([] if when == "before" else [["0-all-0"]])


def test_a_generator_that_was_trained_already_goes_on_with_its_own_folder(study):
    write_json(WorkFolder(study.folder.generators / "0-all-0").data_manifest, study.seen)
    study.complete()
    assert study.together == [["0-all-0"]]


def test_the_work_folders_own_generator_is_copied_where_it_is_the_same(study, capsys):
    study.folder.metrics.write_text('{"step": 1}\n')
    write_json(study.folder.data_manifest, study.seen)
    write_json(study.folder.training_finished, {"step": 1})
    study.complete(generator_seeds=(0, 1))
    said = capsys.readouterr().out
    assert "generator 0-all-0: the work folder's own, which is trained already" in said
    assert "generator 0-all-1: the work" not in said
    copies = [(study.folder.generators / f"0-all-{seed}" / "metrics.jsonl").exists()
              for seed in (0, 1)]  # fmt: skip
    assert copies == [True, False]
    study.complete(split=1)
    assert "generator 1-all-0: the work" not in capsys.readouterr().out


def test_a_shortcut_that_the_data_has_not_is_refused(study):
    with pytest.raises(UserError, match="config.classify.shortcut='room' is no field of the data"):
        study.cell(shortcut="room")
    assert not study.folder.downstream.exists()


def test_what_a_shortcut_tells_is_written_beside_the_arms(study):
    data = made_data(view=lambda label, index: None if index == 0 else "ABC"[label])
    study.complete(data, shortcut="view")
    found = read_json(study.folder.downstream / "shortcut_0-all.json")
    assert list(found) == ["view"] and found["view"]["accuracy"] == 1.0
    study.complete(made_data(), shortcut="view", size=10)
    # The same view everywhere: all are of the commonest class, as half of the test part is.
    found = read_json(study.folder.downstream / "shortcut_0-10.json")
    assert found["view"]["accuracy"] == 0.5


def test_without_a_shortcut_no_figure_of_it_is_written(study):
    study.complete()
    assert not list(study.folder.downstream.glob("shortcut*"))
