"""The page's HTML: what is folded, explained and kept on one line."""

import re

from gaug_jax.reporting.page import Page, Section, Table, unbroken, write_page


def written(path, section):
    write_page(path, Page("title", "Helps", "0.1 (0.0 to 0.2)", [], [section]))
    return path.read_text()


def test_intervals_are_not_broken_and_other_text_is_as_it_was(tmp_path):
    assert unbroken("+0.1 (-0.2 to +0.3) to 4 of 5") == "+0.1 (-0.2\xa0to\xa0+0.3) to 4 of 5"
    table = Table("caption", ["arm", "figure"], [["gan", "0.5 (0.4 to 0.6)"]])
    text = written(tmp_path / "a.html", Section("a", "A", ["0.7 to 0.8"], [table]))
    for interval in ("0.0\xa0to\xa00.2", "0.4\xa0to\xa00.6", "0.7\xa0to\xa00.8"):
        assert interval in text


def test_a_folded_table_is_within_details_and_says_what_it_is_once(tmp_path):
    tables = [Table("open", ["arm"], [["gan"]]), Table("shut", ["arm"], [["mixup"]], folded=True)]
    text = written(tmp_path / "a.html", Section("a", "A", (), tables))
    (details,) = re.findall(r"<details>.*?</details>", text, re.DOTALL)
    assert "<summary>shut</summary>" in details and "mixup" in details and "gan" not in details
    assert text.count(">open<") == text.count(">shut<") == 1


def test_terms_are_a_list_of_definitions(tmp_path):
    text = written(tmp_path / "a.html", Section("a", "A", terms=[("KID", "a <distance>")]))
    assert "<dt>KID</dt><dd>a &lt;distance&gt;</dd>" in text
    assert "<dl>" not in written(tmp_path / "b.html", Section("a", "A"))
