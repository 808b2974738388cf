"""Progress where there is no terminal: lines on standard output."""

import re

from gaug_jax import progress as module
from gaug_jax.progress import Progress


def test_what_compiled_is_said_and_left_out_of_the_rate(capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(module.time, "time", lambda: clock[0])
    progress = Progress("training", 10)
    monkeypatch.setattr(progress._bar, "_time", lambda: clock[0])
    progress.wait_for("compiling")
    assert capsys.readouterr().out == "training: compiling\n"
    clock[0] += 50.0
    progress.advance_untimed(1)
    clock[0] += 3.0
    progress.advance(9, d_loss=1.5)
    progress.close()
    line = capsys.readouterr().out
    assert line.startswith("training: 100%") and "d_loss=1.5" in line
    # Nine pieces in three seconds; ten in fifty-three would be 0.2.
    assert float(re.search(r"([\d.]+)step/s", line)[1]) == 3.0
