"""Names of files in `Content-Disposition`: as servers and browsers write them, and as they go on."""

from __future__ import annotations

import base64
import encodings

import pytest

from bff.http.stream.file_names import disposition, name_in, plain_name


def on_the_wire(text: str) -> str:
    """A header in UTF-8, as HTTP libraries give it: in Latin-1."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('attachment; filename="a.pdf"', "a.pdf"),
        ("attachment; filename=a.pdf", "a.pdf"),
        ("filename=a.pdf", "a.pdf"),
        ("ATTACHMENT ;FileName = a.pdf ; size=3", "a.pdf"),
        ("attachment; filename=my report 1.pdf", "my report 1.pdf"),
        ('attachment; filename="a; filename=b.pdf"', "a; filename=b.pdf"),
        (r'attachment; filename="say \"hi\".pdf"', "say hi.pdf"),
        (r'attachment; filename="C:\temp\a.pdf"', "a.pdf"),
        ('attachment; filename="broken.pdf', "broken.pdf"),
        # raw UTF-8, and Latin-1 that is none
        (on_the_wire('attachment; filename="报告.pdf"'), "报告.pdf"),
        (on_the_wire("attachment; filename=été 1.pdf"), "été 1.pdf"),
        ('attachment; filename="\xe9t\xe9.pdf"', "été.pdf"),
        # filename* counts, wherever it stands, where it can be read
        ("attachment; filename*=UTF-8''%E6%8A%A5.pdf; filename=\"a.pdf\"", "报.pdf"),
        ("attachment; filename=\"a.pdf\"; filename*=utf-8'zh'%E6%8A%A5.pdf", "报.pdf"),
        ("attachment; filename*=\"UTF-8''%E6%8A%A5.pdf\"; filename=a.pdf", "报.pdf"),
        ("attachment; filename*=iso-8859-1''%E9.pdf; filename=a.pdf", "é.pdf"),
        ("attachment; filename*=UTF-8''%E6%8A; filename=a.pdf", "a.pdf"),
        ("attachment; filename*=koi8-r''%C1.pdf; filename=a.pdf", "a.pdf"),
        ("attachment; filename*=a.pdf; filename=b.pdf", "b.pdf"),
        ("attachment; filename*=UTF-8''..%2F..%2F.bashrc", "bashrc"),
        ("attachment; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b.pdf", "aSet-Cookie b.pdf"),
        # encoded words
        ('attachment; filename="=?UTF-8?B?5oql5ZGKLnBkZg==?="', "报告.pdf"),
        ("attachment; filename==?utf-8?Q?a=20=E6=8A=A5.pdf?=", "a 报.pdf"),
        ('attachment; filename="=?UTF-8?B?5oql?= =?UTF-8?B?5ZGKLnBkZg==?="', "报告.pdf"),
        ('attachment; filename="=?UTF-8?B?Li4vYQBi?="', "ab"),
        ('attachment; filename="=?no-such?B?5oql?="', ""),
        # what no name may be
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename=".."', ""),
        ('attachment; filename="a\x00\x1f\x7f\x85b.pdf"', "ab.pdf"),
        (on_the_wire('attachment; filename="a\u202efdp.exe"'), "afdp.exe"),
        ("attachment; filename=" + "a" * 2_000, ""),
        ("attachment", ""),
        ("", ""),
        ("=;=;filename", ""),
    ],
)
def test_a_name_is_read_as_it_is_written_in_the_wild(written: str, name: str) -> None:
    assert name_in(written) == name


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", "attachment"),
        ("a b.pdf", 'attachment; filename="a b.pdf"'),
        ("报告 1.pdf", "attachment; filename=\"1.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%201.pdf"),
        ("报告", "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A"),
        ("a%41.pdf", "attachment; filename=\"a%41.pdf\"; filename*=UTF-8''a%2541.pdf"),
    ],
)
def test_a_name_is_written_in_ascii_and_in_utf_8_where_that_says_more(name: str, header: str) -> None:
    assert disposition("attachment", name) == header
    assert name_in(header) == name


def test_charsets_that_nobody_knows_are_not_remembered() -> None:
    known = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(50):
        assert name_in(f'attachment; filename="=?x-{number}?B?YQ==?="') == ""
        assert name_in(f'attachment; filename="=?utf-8?B?YQ==?= =?y{number}*en?q?a?="') == ""
        assert name_in(f'attachment; filename="=?x=?z{number}?b?YQ==?="') == ""
    assert len(encodings._cache) == known  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("charset", "name"), [("koi8-r", "ю.pdf"), ("GB2312", "报.pdf"), ("Latin1", "é.pdf")]
)
def test_encoded_words_of_known_charsets_are_read(charset: str, name: str) -> None:
    packed = base64.b64encode(name.encode(charset)).decode()
    assert name_in(f'attachment; filename="=?{charset}?B?{packed}?="') == name


def test_a_long_name_keeps_its_ending() -> None:
    assert plain_name("a" * 200 + ".csv") == "a" * 116 + ".csv"
    assert plain_name("a" * 115 + " . " + "b" * 100 + ".tar") == "a" * 115 + ".tar"
    assert plain_name("a." + "b" * 200) == "a." + "b" * 118
