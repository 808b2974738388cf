"""Progress where there is no terminal: lines on standard output."""

import re
import time

from gaug_jax.progress import Progress


def test_what_compiled_is_said_and_left_out_of_the_rate(capsys):
    progress = Progress("training", 10)
    progress.wait_for("compiling")
    assert capsys.readouterr().out == "training: compiling\n"
    time.sleep(0.5)
    progress.advance_untimed(1)
    time.sleep(0.1)
    progress.advance(9, d_loss=1.5)
    progress.close()
    line = capsys.readouterr().out
    assert line.startswith("training: 100%") and "d_loss=1.5" in line
    # Nine pieces in a tenth of a second; ten in six tenths would be 17.
    assert float(re.search(r"([\d.]+)step/s", line)[1]) > 17
