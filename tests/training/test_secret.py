"""The secret of a private run: its own for each folder, kept, and for its owner's eyes alone."""

import os
import stat

import jax
import numpy as np
import pytest

from gaug_jax.errors import UserError
from gaug_jax.training.secret import read_secret, secret_key, write_secret
from gaug_jax.workfolder import WorkFolder


@pytest.fixture
def folder(tmp_path):
    return WorkFolder(tmp_path / "W")


def test_a_folder_without_one_is_given_a_new_one_and_nothing_is_written(folder):
    secrets = {read_secret(folder) for _ in range(8)}
    assert len(secrets) == 8
    assert all(0 <= word < 2**32 for secret in secrets for word in secret)
    assert not folder.path.exists()


def test_two_folders_differ(tmp_path):
    folders = [WorkFolder(tmp_path / name) for name in ("one", "other")]
    for folder in folders:
        write_secret(folder, read_secret(folder))
    assert read_secret(folders[0]) != read_secret(folders[1])


@pytest.mark.parametrize("secret", [(0, 0), (1, 2**32 - 1), (0xDEADBEEF, 0x00000F00)])
def test_what_was_written_is_read_back(folder, secret):
    write_secret(folder, secret)
    assert read_secret(folder) == read_secret(folder) == secret


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_its_owner_alone_may_read_it(folder, mask):
    before = os.umask(mask)
    try:
        write_secret(folder, (1, 2))
        write_secret(folder, (3, 4))
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.secret.stat().st_mode) == 0o600
    assert read_secret(folder) == (3, 4)
    assert [path.name for path in folder.secret.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    "content", [b"", b"0000000a\n", b"0000000a 0000000b 0000000c\n", b"a secret\n", b"\xff\xfe 0\n"]
)
def test_a_damaged_one_is_not_replaced_in_silence(folder, content):
    folder.secret.parent.mkdir(parents=True)
    folder.secret.write_bytes(content)
    with pytest.raises(UserError, match="secret is damaged: restore it, or choose another") as told:
        read_secret(folder)
    assert str(folder.secret) in str(told.value)
    assert folder.secret.read_bytes() == content


@pytest.mark.parametrize("content", ["1ffffffff 00000000\n", "-1 00000000\n", "0123abcd 45"])
def test_one_of_other_than_two_words_of_32_bits_is_damaged(folder, content):
    folder.secret.parent.mkdir(parents=True)
    folder.secret.write_text(content)
    with pytest.raises(UserError, match="secret is damaged"):
        read_secret(folder)


def test_the_key_is_all_64_bits_of_it():
    secrets = [(1, 2), (2, 1), (1, 3), (2**32 - 1, 0)]
    keys = [secret_key(secret) for secret in secrets]
    assert [tuple(jax.random.key_data(key).tolist()) for key in keys] == secrets
    drawn = {float(jax.random.normal(key)) for key in keys}
    assert len(drawn) == len(secrets) and np.isfinite(list(drawn)).all()
