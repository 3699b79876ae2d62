"""What holds for all frames, beside their bytes."""

from __future__ import annotations

import msgspec
import pytest

from protocol import errors, frames, limits


def tag(kind: type[frames.Frame]) -> object:
    return kind.__struct_config__.tag


def test_the_tag_tells_the_direction() -> None:
    assert all(tag(kind) in range(1, 32) for kind in frames.FROM_CLIENT)
    assert all(tag(kind) in range(32, 64) for kind in frames.FROM_BROKER)
    assert len({tag(kind) for kind in frames.FRAMES}) == len(frames.FRAMES)


@pytest.mark.parametrize("kind", frames.FRAMES)
def test_fields_with_a_default_stand_last(kind: type[frames.Frame]) -> None:
    required = [field.required for field in msgspec.structs.fields(kind)]
    assert required == sorted(required, reverse=True)


def test_a_credential_is_never_printed() -> None:
    hello = frames.Hello(1, 0, "alice", "a" * 16, True, {}, "a2split1", b"the secret of alice")
    assert "secret" not in repr(hello)
    assert "secret" not in f"{[hello]}"
    change = frames.ChangePassword(1, "a2split1", b"the secret of alice", b"her next secret")
    assert "secret" not in f"{[change]}"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ([1, 2, 3], (2, 3)),
        ([1, 2, 3, {"no": "field"}, "that we know", None], (2, 3)),
        ([1, 0, 9, "alice", "a" * 16, True, []], (0, 9)),
    ],
)
def test_a_hello_of_another_major_version_is_recognised(said: list[object], version: tuple[int, int]) -> None:
    with pytest.raises(frames.ProtocolError) as refusal:
        frames.decode(msgspec.msgpack.encode(said))
    assert refusal.value.version == version


@pytest.mark.parametrize(
    "said", [[1, limits.MAJOR_VERSION, 0], [2, 2, 0], [1], [1, 2], [1, "2", 3], [1, 2, None], 7, {"1": 2}]
)
def test_nothing_else_is_taken_for_another_version(said: object) -> None:
    with pytest.raises(frames.ProtocolError) as refusal:
        frames.decode(msgspec.msgpack.encode(said))
    assert refusal.value.version is None


@pytest.mark.parametrize("code", errors.SENTENCES)
def test_a_code_fits_its_field_and_its_sentence_leaves_room_for_its_places(code: str) -> None:
    assert code == code.lower().strip("-")
    assert code.replace("-", "").isalpha()
    refused = frames.Refused(code, errors.SENTENCES[code][: limits.TEXT_CHARS])
    assert frames.decode(frames.encode(refused)) == refused
    assert len(errors.SENTENCES[code]) <= limits.TEXT_CHARS // 2


def test_a_sentence_names_its_places() -> None:
    assert errors.sentence("unknown-account", name="zoe") == "there is no account zoe; check the spelling"


def test_a_sentence_without_its_places_is_our_own_bug() -> None:
    with pytest.raises(KeyError):
        errors.sentence("unknown-account")
    with pytest.raises(KeyError):
        errors.sentence("no-such-code")
