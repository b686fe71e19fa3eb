"""What is pasted or dropped: files by their URLs, paths written as text, images."""

from __future__ import annotations

import socket
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QMimeData, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage, QImageReader

from gaussian_core import open_picture
from gaussian_core.machine.memory import physical_memory
from tests.window_helpers import (
    LONG,
    keep_what_is_told,
    open_and_wait,
    save_picture,
    wait_until_idle,
)
from viewer.ui.files.incoming import incoming
from viewer.ui.image_arrays import array_from_image


@pytest.fixture
def picture(tmp_path):
    folder = tmp_path / "R&D ünï 写真"
    folder.mkdir()
    return save_picture(folder / "a & b — 图 100%.png")


def text(written):
    data = QMimeData()
    data.setText(written)
    return data


@pytest.mark.parametrize(
    "wrapped", ["{}", '"{}"', "'{}'\n", "  {}\r\n", "file://{}", "FILE://{}", "\n\n{}\n\n"]
)
def test_a_path_is_found_in_text(picture, wrapped):
    path = str(picture).replace("%", "%25") if "://" in wrapped else str(picture)
    assert incoming(text(wrapped.format(path))) == [picture]


@pytest.mark.parametrize("host", ["", "localhost", socket.gethostname()])
def test_a_url_may_name_this_machine(picture, host):
    url = QUrl.fromLocalFile(str(picture))
    url.setHost(host)
    data = QMimeData()
    data.setUrls([url])
    assert incoming(data) == incoming(text(bytes(url.toEncoded()).decode())) == [picture]


def test_several_paths_stand_one_a_line(picture):
    other = picture.with_name("b.png")
    assert incoming(text(f'"{picture}"\r\n"{other}"')) == [picture, other]
    assert incoming(text(f"{picture}\n\nfile://{other}\n")) == [picture, other]
    assert incoming(text("~/a.png\n~/b.png")) == [Path.home() / "a.png", Path.home() / "b.png"]


@pytest.mark.parametrize(
    "written",
    ["", "\n", "hello", "a.png", "https://example.org/a.png", "/a.png\nand more", "/" + "a" * 5000],
)
def test_text_that_is_no_path_is_nothing(written):
    assert incoming(text(written)) is None


@pytest.mark.parametrize("form", [QImage.Format.Format_ARGB32, QImage.Format.Format_RGBA64])
@pytest.mark.parametrize("opacity", [255, 128])
def test_of_a_pasted_image_only_an_alpha_that_hides_something_is_kept(
    make_window, qtbot, form, opacity
):
    window = make_window()
    image = QImage(40, 30, form)
    image.fill(QColor(200, 100, 50))
    image.setPixelColor(3, 4, QColor(200, 100, 50, opacity))
    QGuiApplication.clipboard().setImage(image)
    window.menus.actions["edit.paste"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    pasted = window.session.document.picture
    assert pasted.has_alpha == (opacity < 255)
    assert pasted.dtype == (np.uint8 if form == QImage.Format.Format_ARGB32 else np.uint16)
    colours = np.round(pasted.as_float()[..., :3] * 255)
    colours = colours[np.arange(30) != 4]
    assert np.array_equal(colours, np.broadcast_to((200, 100, 50), colours.shape))


def paste_png(window, coded):
    data = QMimeData()
    data.setData("image/png", coded)
    QGuiApplication.clipboard().setMimeData(data)
    window.menus.actions["edit.paste"].trigger()


def test_what_others_copy_as_a_png_file_is_read_as_one(make_window, qtbot, tmp_path):
    """Off the window's thread, in its depth and with its profile, of both of which Qt knows nothing here."""
    deep = (np.random.default_rng(4).random((30, 40, 3)) * 65535).astype(np.uint16)
    coded = imagecodecs.png_encode(deep)
    chunk = b"gAMA" + struct.pack(">I", 100_000)
    coded = (
        coded[:33]
        + struct.pack(">I", 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + coded[33:]
    )
    window = make_window()
    paste_png(window, coded)
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    document = window.session.document
    assert document.name == "Pasted picture" and document.source is None
    (tmp_path / "a.png").write_bytes(coded)
    wanted = open_picture(tmp_path / "a.png")
    assert document.picture.dtype == np.uint16
    assert np.array_equal(document.picture.pixels, wanted.pixels)
    assert document.picture.note == wanted.note != ""


def test_of_a_cut_pasted_picture_there_is_what_there_is_and_of_a_header_alone_nothing(
    make_window, qtbot, picture, monkeypatch
):
    window = make_window()
    told = keep_what_is_told(window, monkeypatch)
    open_and_wait(qtbot, window, picture)
    paste_png(window, picture.read_bytes()[:18])
    qtbot.waitUntil(lambda: bool(told), timeout=LONG)
    title, text = told[0]
    assert title == "Pasted picture was not opened" and text.startswith("Pasted picture is ")
    assert window.session.document.name == picture.name
    paste_png(window, picture.read_bytes()[:5000])
    wait_until_idle(qtbot, window, lambda: window.session.document.name == "Pasted picture")
    assert "missing" in window.session.document.picture.damage and len(told) == 1


@pytest.mark.qt_log_ignore("exceeds the current allocation limit")
def test_an_image_may_take_a_share_of_the_memory(monkeypatch):
    """Qt's own limit is less than a camera's picture."""
    picture = QImage(1200, 1000, QImage.Format.Format_RGB32)
    picture.fill(0x336699)
    buffer = QBuffer()
    picture.save(buffer, "PNG")
    data = QMimeData()  # of this process, which needs no decoding
    data.setImageData(picture)
    limit = QImageReader.allocationLimit()
    try:
        assert incoming(data) == picture
        assert QImageReader.allocationLimit() << 20 == pytest.approx(physical_memory() / 4, rel=0.1)
        for memory, read in ((16 << 20, False), (24 << 20, True)):
            monkeypatch.setattr("viewer.ui.files.incoming.physical_memory", lambda m=memory: m)
            assert incoming(data) == picture
            assert QImage.fromData(buffer.data()).isNull() != read
    finally:
        QImageReader.setAllocationLimit(limit)


@pytest.mark.parametrize("form", [QImage.Format.Format_RGBA8888, QImage.Format.Format_RGBA64])
def test_an_array_of_an_image_outlives_it(form):
    image = QImage(64, 48, form)
    image.fill(QColor(200, 100, 50, 128))
    array = array_from_image(image)
    before = array.copy()
    image.fill(QColor(0, 0, 0, 0))  # its own memory, where nobody shares it
    assert np.array_equal(array, before)


def test_pictures_whose_paths_are_pasted_are_stepped_through(make_window, qtbot, picture, tmp_path):
    window = make_window()
    other = save_picture(tmp_path / "b.png")
    QGuiApplication.clipboard().setText(f"{other}\n{picture}")
    window.menus.actions["edit.paste"].trigger()
    wait_until_idle(qtbot, window, lambda: window.session.document is not None)
    assert window.session.document.name == picture.name
    assert "1 of 2" in window.status.message
