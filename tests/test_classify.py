"""`python -m gaug_jax.classify`: a small study from end to end, resumed, and without leaks."""

import json
import shutil

import numpy as np
import pytest
from support.commands import TINY, TINY_FITS, refused, run

from gaug_jax.downstream.arms import FLOOR
from gaug_jax.files import read_json_lines

STUDY = [
    *TINY, *TINY_FITS, "--config.train.steps=3", "--config.train.sample_every=100",
    "--config.data.num_folds=3", "--config.classify.train_sizes=(40,60)",
    "--config.classify.endpoint_size=40", "--config.classify.splits=(0,1)",
    "--config.classify.arms=('real','gan','gan+classical','pseudo_label','ec_gan')",
    "--config.objective.classifier_weight=0.1", "--config.model.classifier_width=4",
    "--config.classify.ratios=(1.0,)", "--config.classify.filters=('none','copies')",
    "--config.classify.seeds=(0,1)",
]  # fmt: skip
# The real arm and the floor, gan and gan+classical with two filters, pseudo_label without any.
RUNS_IN_A_CELL = 1 + len(FLOOR) + 2 * 2 + 1


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "W"
    result = run("classify", *STUDY, f"--workdir={folder}")
    assert result.returncode == 0, result.stderr
    assert "against" in result.stdout
    return folder


def rows_of(folder):
    return read_json_lines(folder / "downstream" / "runs.jsonl")


def test_every_run_has_its_row(study):
    rows = rows_of(study)
    # Two classifiers of each, but the one that was trained with the generator.
    assert len(rows) == 4 * (RUNS_IN_A_CELL * 2 + 1)
    assert {row["classifier_seed"] for row in rows} == {0, 1}
    for name in ("arm", "train_size", "ratio", "filter", "split", "gan_seed", "optimizer_steps",
                 "accuracy", "macro_f1", "auroc", "sensitivity_at_90_specificity",
                 "expected_calibration_error"):  # fmt: skip
        assert all(name in row for row in rows), name


def test_every_arm_makes_the_same_steps(study):
    for size in (40, 60):
        rows = [row for row in rows_of(study) if row["train_size"] == size]
        of_arms = [row for row in rows if row["arm"] not in ("ec_gan", *FLOOR)]
        assert {row["optimizer_steps"] for row in of_arms} == {4}
        # Its classifier makes a step with each of the generator's.
        assert {row["optimizer_steps"] for row in rows if row["arm"] == "ec_gan"} == {3}
        # They are no networks.
        assert {row["optimizer_steps"] for row in rows if row["arm"] in FLOOR} == {None}
    assert {row["num_train"] for row in rows_of(study) if row["train_size"] == 40} == {40}


def test_predictions_give_the_rows_figures(study):
    for row in rows_of(study)[::7]:
        with np.load(study / "downstream" / "predictions" / row["predictions"]) as file:
            said = file["probabilities"][row["classifier_seed"]]
            assert said.shape == (len(file["label"]), 10) and len(file["group"]) == len(said)
            accuracy = np.mean(said.argmax(axis=1) == file["label"])
        assert accuracy == pytest.approx(row["accuracy"])


def test_generators_saw_the_real_arms_images(study):
    folders = sorted(path.name for path in (study / "generators").iterdir())
    assert folders == ["0-40-0", "0-60-0", "1-40-0", "1-60-0"]
    for name in folders:
        manifest = json.loads((study / "generators" / name / "data_manifest.json").read_text())
        assert sum(manifest["counts"]["train"].values()) == int(name.split("-")[1])
        with np.load(study / "generators" / name / "synthetic" / "pool.npz") as pool:
            facts = json.loads(str(pool["facts"]))
        assert len(facts["agreement"]) == 10 and facts["made_with"]["step"] == 3


def test_what_is_written_for_people(study):
    folder = study / "downstream"
    table = (folder / "table.md").read_text()
    assert "gan+classical" in table and "## training size 40" in table
    assert (folder / "learning_curve.png").stat().st_size > 5000
    assert not (folder / "ratios.png").exists()  # There is a single ratio.
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["answer"]["arm"] == "gan+classical"
    assert set(FLOOR) < set(summary["sizes"]["40"]["arms"])
    # At chance after four steps, which the config says to go on from.
    assert "beats chance" in summary["cannot_answer"] or "below" in summary["cannot_answer"]
    json.dumps(summary, allow_nan=False)


def test_a_second_call_has_nothing_to_do_and_a_lost_row_is_made_again(study):
    runs = study / "downstream" / "runs.jsonl"
    before = rows_of(study)
    again = run("classify", *STUDY, f"--workdir={study}")
    assert again.returncode == 0 and again.stdout.count("nothing to do") == 4
    assert rows_of(study) == before
    lines = runs.read_text().splitlines(keepends=True)
    # One of other images, and one that was killed while it wrote.
    other = lines[0].replace(before[0]["data_sha256"], "0" * 64)
    runs.write_text(other + "".join(lines[1:-1]) + lines[-1][:20])
    assert run("classify", *STUDY, f"--workdir={study}").returncode == 0
    last = before[-1]["accuracy"]
    made = [row for row in rows_of(study) if row["predictions"] == before[-1]["predictions"]]
    assert made[-1]["accuracy"] == pytest.approx(last)
    made = [row for row in rows_of(study) if row["predictions"] == before[0]["predictions"]]
    assert before[0] in made[1:]


def test_other_classifier_seeds_and_back_again(study, tmp_path):
    folder = tmp_path / "W"
    shutil.copytree(study, folder)
    fewer = {"train_sizes=(40,60)": "train_sizes=(40,)", "splits=(0,1)": "splits=(0,)",
             "'gan+classical','pseudo_label','ec_gan'": "'gan+classical'",
             "('none','copies')": "('none',)"}  # fmt: skip
    flags = " ".join(STUDY)
    for before, after in fewer.items():
        assert before in flags
        flags = flags.replace(before, after)
    for seeds in ([2, 3], [0, 1]):  # The predictions on disk are of the last call's seeds.
        asked = flags.replace("seeds=(0,1)", "seeds=({},{})".format(*seeds)).split()
        result = run("classify", *asked, f"--workdir={folder}")
        assert result.returncode == 0, result.stderr
        summary = json.loads((folder / "downstream" / "summary.json").read_text())
        assert summary["classifier_seeds"] == seeds
    first, *_, last = (
        row
        for row in rows_of(folder)
        if row["predictions"] == "0-40-real.npz" and row["classifier_seed"] == 0
    )
    # The test before this one may have given the first row another hash.
    assert last | {"data_sha256": None} == first | {"data_sha256": None}


def test_a_generator_of_another_split_is_refused(study, tmp_path):
    folder = tmp_path / "W"
    shutil.copytree(study, folder)
    (folder / "downstream" / "runs.jsonl").unlink()
    shutil.rmtree(folder / "generators" / "0-40-0")
    shutil.copytree(folder / "generators" / "1-40-0", folder / "generators" / "0-40-0")
    line = refused("classify", *STUDY, f"--workdir={folder}")
    assert "leak: the generator in" in line and "other images" in line


def test_a_generator_that_saw_more_images_is_refused(study, tmp_path):
    folder = tmp_path / "W"
    shutil.copytree(study, folder)
    (folder / "downstream" / "runs.jsonl").unlink()
    shutil.rmtree(folder / "generators" / "0-40-0")
    shutil.copytree(folder / "generators" / "0-60-0", folder / "generators" / "0-40-0")
    line = refused("classify", *STUDY, f"--workdir={folder}")
    assert "(60 of them, not these 40)" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config.classify.arms=('real','gna')", "--config.classify.endpoint_arm=real"], "'gna'"),
        (["--config.classify.endpoint=precision"], "classify.endpoint='precision'"),
        (
            [
                "--config.classify.endpoint=auroc_mean_over_splits",
                "--config.data.validation_fraction=0.0042",
            ],
            "auroc_mean_over_splits is not defined",
        ),
        (["--config.classify.endpoint=expected_calibration_error"], "choose one of 'accuracy'"),
        (
            ["--config.classify.endpoint=auroc", "--config.data.validation_fraction=0.0042"],
            "the validation part has no image of class",
        ),
        (["--config.classify.endpoint_size=7"], "classify.endpoint_size=7"),
        (["--config.classify.filters=('best',)"], "'best'"),
        (["--config.model.labels=none"], "config.model.labels='none'"),
        (["--config.classify.filter_keep=0.0"], "filter_keep"),
        (["--config.objective.classifier_weight=0.0"], "'ec_gan'"),
        (["--config.classify.positive_class=3"], "two classes"),
        (["--config.classify.shortcut=shoe_size"], "shoe_size"),
        (["--config.classify.train_sizes=(40,5000)"], "train_size=5000"),
        (["--config.classify.splits=(0,-1)"], "classify.splits=-1"),
        (["--config.classify.generator_seeds=(-1,)"], "generator_seeds=-1"),
        (["--config.classify.paper=(('real','precision',0.9),)"], "'precision'"),
        (["--config.classify.external=/no/such/place"], "/no/such/place"),
    ],
)
def test_mistakes_end_with_one_line(tmp_path, arguments, message):
    line = refused("classify", *STUDY, *arguments, f"--workdir={tmp_path / 'W'}")
    assert message in line
    assert not (tmp_path / "W").exists()
