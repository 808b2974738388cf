"""Work folders that an earlier state of the code made (commit 721ae3f) are gone on with.

`tests/data/work_folders_721ae3f.tar.xz` holds, of scikit-learn's digits at 8x8: `run`, stopped by
its number of steps after 6 of them, with pictures drawn from it; `study`, a finished study; and
`expected`, what that state made of `run` when it went on to step 12. What can be made again
without the old code (report, plots, events) was left out of it.
"""

import json
import tarfile

import pytest
from support.commands import ROOT, TINY, run

from gaug_jax.downstream.arms import FLOOR
from gaug_jax.files import read_json, read_json_lines
from gaug_jax.settings import read_settings
from gaug_jax.training.checkpoints import Checkpoints

ARCHIVE = ROOT / "tests" / "data" / "work_folders_721ae3f.tar.xz"
RUN = [
    *TINY, "--config.train.checkpoint_every=2", "--config.train.log_every=2",
    "--config.train.keep_last=1", "--config.train.sample_every=6",
]  # fmt: skip
STUDY = [
    *TINY, "--config.classify.architecture=cnn", "--config.classify.balanced=False",
    "--config.classify.widenings=0", "--config.classify.step_widenings=0",
    "--config.classify.ignore_floor=True", "--config.data.train_size=60",
    "--config.train.steps=4", "--config.train.sample_every=2", "--config.train.checkpoint_every=2",
    "--config.train.keep_last=1", "--config.classify.ratios=(1.0,)",
    "--config.classify.arms=('real','gan','gan+classical')",
    "--config.classify.train_sizes=(60,)", "--config.classify.endpoint_size=60",
    "--config.classify.steps=4", "--config.classify.width=4", "--config.classify.batch_size=8",
    "--config.classify.seeds=(0,)", "--config.classify.learning_rates=(0.01,)",
    "--config.embed.num_images=60", "--num=60", "--features=classifier",
]  # fmt: skip


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


def test_a_config_says_what_it_said(old):
    for place in ("run", "study", "study/generators/0-60-0"):
        values = read_json(old / place / "config.json")
        now = json.loads(json.dumps(read_settings(values).to_dict()))
        assert now["seed"] == values.pop("seed")
        for section, fields in values.items():
            assert {name: now[section][name] for name in fields} == fields


def test_drawn_pictures_are_known(old):
    result = run("synthesize", f"--workdir={old / 'run'}", "--num=20", "--format=png")
    assert result.returncode == 0, result.stderr
    assert "holds these images already: nothing to do" in result.stdout


def test_a_run_goes_on_where_the_old_code_would_have_gone_on(old):
    result = run("main", *RUN, "--config.train.steps=12", f"--workdir={old / 'run'}")
    assert result.returncode == 0, result.stderr
    rows = read_json_lines(old / "run" / "metrics.jsonl")
    wanted = read_json_lines(old / "expected" / "resumed_metrics.jsonl")
    assert [row["step"] for row in rows] == [row["step"] for row in wanted] == [2, 4, 6, 8, 10, 12]
    for row, other in zip(rows, wanted, strict=True):
        # Made on one device, resumed on four: sums come in another order.
        for name in ("d_loss", "g_loss", "d_real", "d_fake", "epoch"):
            assert row[name] == pytest.approx(other[name], abs=2e-3), (row["step"], name)
    assert Checkpoints(old / "run" / "checkpoints").steps() == [12]
    result = run("evaluate", f"--workdir={old / 'run'}", "--features=pixels", "--num=200")
    assert result.returncode == 0, result.stderr
    (row,) = read_json_lines(old / "run" / "evaluation" / "metrics.jsonl")
    (other,) = read_json_lines(old / "expected" / "resumed_fidelity.jsonl")
    assert row.keys() == other.keys()
    for name in ("fid", "fid_floor", "kid_mean", "precision_k5", "recall_k5", "density_k5"):
        assert row[name] == pytest.approx(other[name], rel=0.01, abs=0.01), name


def test_a_finished_study_is_known_and_reported(old):
    """Its floor is fitted, which every study has now, and nothing else is made again."""
    folder = old / "study"
    runs, summary = (folder / "downstream" / name for name in ("runs.jsonl", "summary.json"))
    kept = [folder / name for name in ("embedding/overlap.json", "evaluation/metrics.jsonl",
                                       "audit/audit.json", "metrics.jsonl")]  # fmt: skip
    kept += sorted((folder / "downstream" / "predictions").iterdir())
    before = [path.read_bytes() for path in kept]
    rows, said = runs.read_bytes(), read_json(summary)

    result = run("study", *STUDY, f"--workdir={folder}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("nothing to do") == 6, result.stdout
    assert not list(folder.glob("downstream_before_*"))
    assert [path.read_bytes() for path in kept] == before
    assert runs.read_bytes().startswith(rows)
    assert [row["arm"] for row in read_json_lines(runs)[3:]] == list(FLOOR)
    now = read_json(summary)
    assert not list((folder / "downstream").glob("steps_*"))  # There is no network to fit.
    assert now["answer"] == said["answer"]
    for name, found in said["sizes"]["60"]["arms"].items():
        again = now["sizes"]["60"]["arms"][name]
        assert {key: again[key] for key in found} == found
        assert again.keys() - found.keys() == {"difference_to_majority"}
    assert now["sizes"]["60"].keys() == said["sizes"]["60"].keys()
    assert now["fits"]["architectures"] == ["cnn"] and now["fits"]["optimizer_steps"] == [4]
    assert "60 generated images of step 4 against" in (folder / "report.html").read_text()

    kept += [runs, summary, folder / "downstream" / "table.md"]
    before = [path.read_bytes() for path in kept]
    again = run("study", *STUDY, f"--workdir={folder}")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("nothing to do") == 6, again.stdout
    assert [path.read_bytes() for path in kept] == before


def test_another_arm_of_an_old_study_uses_its_generators(old):
    folder = old / "study"
    arms = "--config.classify.arms=('real','gan','gan+classical','synthetic_only')"
    generator = folder / "generators" / "0-60-0" / "metrics.jsonl"
    before = generator.read_bytes()
    flags = [flag for flag in STUDY if not flag.startswith(("--num", "--features"))]
    result = run("classify", *flags, arms, f"--workdir={folder}")
    assert result.returncode == 0, result.stderr
    rows = read_json_lines(folder / "downstream" / "runs.jsonl")
    of_arms = [row for row in rows if row["arm"] not in FLOOR]
    assert [row["arm"] for row in of_arms] == ["real", "gan", "gan+classical", "synthetic_only"]
    assert {row["learning_rate"] for row in of_arms} == {0.01}  # All of the old budget.
    assert generator.read_bytes() == before
