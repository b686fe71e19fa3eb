"""The slot of size one, and when a frame is rendered coarser or given up."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.clock import Clock
from viewer.model.frames.frame import FrameBuffers
from viewer.model.frames.frame_slot import FrameRequest, Slot
from viewer.model.frames.pacing import Pacing
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState

SCENE = Scene((1000, 1000))
VIEW = ViewState.opening((1000, 1000), (500, 500)).set_scale(4.0)


def request(view=VIEW, moving=True, scene=SCENE):
    return FrameRequest(scene, view, moving, 0.0)


def test_the_newest_item_replaces_the_one_that_waits():
    slot: Slot[int] = Slot()
    for item in range(30):
        slot.put(item)
    assert slot.take(0) == 29
    assert slot.take(0) is None


def test_the_slot_is_idle_only_when_the_work_is_done():
    slot: Slot[int] = Slot()
    assert slot.idle
    slot.put(1)
    assert not slot.idle
    slot.take(0)
    assert not slot.idle, "the worker is still at it"
    slot.take(0)
    assert slot.idle


def test_closing_wakes_the_worker_and_drops_what_waits():
    slot: Slot[int] = Slot()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take()))
    thread.start()
    slot.close()
    thread.join(5.0)
    assert taken == [None]
    slot.put(3)
    assert slot.take(0) is None


def test_a_view_that_is_too_slow_goes_coarser_only_while_it_moves():
    pacing = Pacing(budget=0.033, near_budget=0.033)
    assert pacing.level(request()) == 1, "nothing is known yet"
    pacing.learn(VIEW, 0.1)
    assert pacing.level(request()) == 2
    assert pacing.level(request(moving=False)) == 1
    pacing.learn(VIEW, 1.0)
    assert pacing.level(request()) == 4
    pacing.learn(VIEW, 0.02)
    assert pacing.level(request()) == 1
    pacing.learn(VIEW, 0.1)
    pacing.coarse_first = False
    assert pacing.level(request()) == 1


def test_a_field_that_was_never_drawn_is_previewed_by_its_picture():
    pacing = Pacing()
    photo = replace(SCENE, pyramid=object(), tiles={"a": object()})  # type: ignore[dict-item]
    near = VIEW.set_scale(1.5)
    assert pacing.level(request(near, scene=photo)) == 2
    assert pacing.level(request(near)) == 1, "without a picture there is no preview of that kind"
    assert pacing.level(request(VIEW, scene=photo)) == 1
    pacing.learn(near, 0.01)
    assert pacing.level(request(near, scene=photo)) == 1


def test_a_view_at_rest_waits_for_no_coarse_frame_where_the_full_one_is_quick():
    pacing = Pacing(rest=0.02)
    pacing.learn(VIEW, 0.05)
    assert pacing.level(request(), waited=0.01) > 1
    assert pacing.level(request(), waited=0.03) == 1
    pacing.learn(VIEW, 0.2)
    assert pacing.level(request(), waited=0.03) > 1


def test_the_quicker_the_full_frame_the_sooner_it_follows_a_coarse_one():
    pacing = Pacing(rest=0.02)
    assert pacing.pause(request()) == 0.02, "nothing is known"
    pacing.learn(VIEW, 0.02)
    assert pacing.pause(request()) == pytest.approx(0.005)
    pacing.learn(VIEW, 0.3)
    assert pacing.pause(request()) == 0.02


def test_only_a_very_slow_frame_is_shown_in_bands_and_in_few():
    pacing = Pacing()
    assert pacing.bands(request()) == 1, "nothing is known"
    pacing.learn(VIEW, 0.3)
    assert pacing.bands(request()) == 1
    pacing.learn(VIEW, 0.9)
    assert pacing.bands(request()) == 5


def test_close_views_have_less_time_than_far_ones():
    pacing = Pacing(budget=0.03, near_budget=0.015)
    far = VIEW.set_scale(2.0)
    for view in (VIEW, far):
        pacing.learn(view, 0.025)
    assert pacing.level(request(VIEW)) == 2
    assert pacing.level(request(far)) == 1


def test_from_16x_a_frame_that_takes_a_sixtieth_of_a_second_is_a_full_one():
    pacing = Pacing()
    for scale, level in ((10.0, 2), (16.0, 1), (500.0, 1)):
        view = VIEW.set_scale(scale)
        pacing.learn(view, 0.0155)
        assert pacing.level(request(view)) == level
        pacing.learn(view, 0.03)
        assert pacing.level(request(view)) == 2


def test_quick_coarse_frames_lift_the_verdict_of_one_slow_full_frame():
    pacing = Pacing(budget=0.033, near_budget=0.033)
    pacing.learn(VIEW, 0.5)  # held up by something else
    assert pacing.level(request()) == 4
    pacing.learn(VIEW, 0.001, level=4)
    assert pacing.level(request()) == 1, "a full frame takes at most 16 times as long"
    pacing.learn(VIEW, 0.05)
    pacing.learn(VIEW, 0.04, level=2)
    pacing.learn(VIEW, 0.0001, level=2, complete=False)
    assert pacing.level(request()) == 2, (
        "neither a slow coarse frame nor a stopped one says that it is quick"
    )
    for _ in range(10):
        pacing.learn(VIEW, 0.04, level=2)
    assert pacing.level(request()) == 1, "after many coarse frames a full one is tried again"


def test_two_full_frames_that_agree_are_believed_for_longer():
    """On a large screen a third one would be a stutter of a quarter of a second."""

    def coarse_frames(*full: float) -> int:
        pacing = Pacing(budget=0.033, near_budget=0.033)
        for seconds in full:
            pacing.learn(VIEW, seconds)
        count = 0
        while pacing.level(request()) > 1:
            pacing.learn(VIEW, 0.2, level=4)
            count += 1
        return count

    once = coarse_frames(0.2)
    assert 5 < once < 30
    assert coarse_frames(0.19, 0.2) > 3 * once
    assert coarse_frames(0.2, 0.19, 0.5) < 2 * once, "the last one was held up"
    assert coarse_frames(0.2, 0.5, 0.2) == once
    assert coarse_frames(0.05, 0.05) == coarse_frames(0.05), "no stutter: sharper at little cost"


def test_the_next_octave_is_judged_by_this_one_and_a_far_one_by_nothing():
    pacing = Pacing(budget=0.033, near_budget=0.033)
    pacing.learn(VIEW, 0.1)
    assert pacing.level(request(VIEW.zoom_at(2.0, (0, 0)))) == 2
    assert pacing.level(request(VIEW.zoom_at(5.0, (0, 0)))) == 1
    pacing.learn(VIEW, 0.05)
    assert pacing.level(request(VIEW.zoom_at(2.0, (0, 0)))) == 1, "closer, a field costs less"
    assert pacing.level(request(VIEW.zoom_at(0.5, (0, 0)))) == 2, "from afar it costs more"
    assert pacing.level(request(VIEW.set_scale(0.6))) == 1, "the picture is not the field"
    pacing.learn(VIEW.zoom_at(2.0, (0, 0)), 0.01)
    assert pacing.level(request(VIEW.zoom_at(2.0, (0, 0)))) == 1


def test_a_newer_request_stops_a_frame_before_its_half_but_not_after():
    clock, slot = Clock(), Slot[FrameRequest]()
    pacing = Pacing()
    pacing.learn(VIEW, 0.06)
    stop = pacing.stopper(request(), 1, slot, clock.now, clock)
    assert not stop()
    slot.put(request(VIEW.pan_by(5, 0)))
    assert stop()
    clock.now += 0.04
    assert not stop(), "past half: finishing shows something sooner"


def test_frames_finish_once_nothing_was_shown_for_a_while():
    clock, slot = Clock(), Slot[FrameRequest]()
    pacing = Pacing(patience=0.1)
    pacing.learn(VIEW, 5.0)
    slot.put(request(VIEW.pan_by(5, 0)))
    assert pacing.stopper(request(), 1, slot, clock.now - 0.05, clock)()
    assert not pacing.stopper(request(), 1, slot, clock.now - 0.2, clock)()


def test_another_picture_or_a_refinement_is_stopped_at_once():
    clock, slot = Clock(), Slot[FrameRequest]()
    pacing = Pacing()
    slot.put(request(scene=Scene((10, 10))))
    assert pacing.stopper(request(), 1, slot, 0.0, clock)()
    slot.put(request(VIEW.pan_by(5, 0)))
    assert pacing.stopper(request(), 1, slot, 0.0, clock, refining=True)()
    assert not pacing.stopper(request(), 1, slot, 0.0, clock)()


def test_a_network_that_is_left_for_another_method_is_stopped_at_once():
    clock, slot = Clock(), Slot[FrameRequest]()
    network = replace(SCENE, drawing=object(), revision=1)
    slot.put(request(scene=replace(SCENE, revision=2)))
    assert Pacing().stopper(request(scene=network), 1, slot, clock.now - 9.0, clock)()
    slot.put(request(VIEW.pan_by(5, 0), scene=network))
    assert not Pacing().stopper(request(scene=network), 1, slot, clock.now - 9.0, clock)()


def test_what_nobody_wants_any_more_is_stopped_at_once():
    clock, slot = Clock(), Slot[FrameRequest]()
    slot.put(request())
    stop = Pacing().stopper(slot.take(0), 1, slot, clock.now, clock)
    assert not stop()
    slot.clear()
    assert stop()
    slot.put(request())
    assert not Pacing().stopper(slot.take(0), 1, slot, clock.now, clock)()


def test_more_tiles_of_the_same_view_stop_nothing():
    """A full frame took up to three starts while a view was being filled."""
    clock, slot = Clock(), Slot[FrameRequest]()
    pacing = Pacing()
    pacing.learn(VIEW, 0.2)
    asked = request()
    stop = pacing.stopper(asked, 1, slot, clock.now, clock, refining=True)
    more = asked.scene.with_only(asked.scene.tiles)
    slot.put(request(scene=more))
    assert not stop()
    slot.put(request(VIEW.pan_by(5, 0), scene=more))
    assert stop(), "another view"
    slot.put(request(scene=more.seen_by(0.5)))
    assert stop(), "the same view of something else"


def test_a_first_frame_that_turns_out_slow_makes_room_for_a_coarse_one():
    clock, slot = Clock(), Slot[FrameRequest]()
    pacing = Pacing(budget=0.033, near_budget=0.033)
    stop = pacing.stopper(request(), 1, slot, clock.now, clock)
    still = pacing.stopper(request(moving=False), 1, slot, clock.now, clock)
    assert not stop()
    clock.now += 0.2
    assert stop()
    assert not still()
    pacing.learn(VIEW, 0.2, complete=False)
    assert pacing.level(request()) > 1


def test_one_that_was_held_to_be_quick_and_is_slow_does_so_too():
    clock, slot = Clock(), Slot[FrameRequest]()
    pacing = Pacing()
    pacing.learn(VIEW, 0.01)
    stop = pacing.stopper(request(), 1, slot, clock.now, clock)
    refining = pacing.stopper(request(), 1, slot, clock.now, clock, refining=True)
    clock.now += 0.05
    assert not stop()
    clock.now += 0.05
    assert stop()
    assert not refining(), "the view rests"
    pacing.learn(VIEW, 0.2)
    slow = pacing.stopper(request(), 1, slot, clock.now, clock)
    clock.now += 0.2
    assert not slow(), "it is known to take that long"


def test_buffers_are_used_again_but_never_shared():
    buffers = FrameBuffers()
    a, b, c = (buffers.take(64, 48) for _ in range(3))
    assert not np.shares_memory(a, b)
    assert not np.shares_memory(b, c)
    buffers.give_back(a)
    again = buffers.take(60, 48)
    assert np.shares_memory(again, a)
    assert again.shape == (48, 60, 4)
    assert again.flags.c_contiguous
    buffers.give_back(again)
    buffers.give_back(again)
    assert not np.shares_memory(buffers.take(64, 48), buffers.take(64, 48))
    large = buffers.take(2000, 1000)
    assert large.shape == (1000, 2000, 4)
    buffers.give_back(large)
    assert not np.shares_memory(buffers.take(64, 48), large), "a little frame would hold on to it"


def test_buffers_from_before_the_device_drew_are_not_used_again(monkeypatch):
    """It writes to pinned memory itself; to other memory a frame would be copied once more."""
    torch = pytest.importorskip("torch")
    from gaussian_core.rasterizer import frame_memory

    buffers = FrameBuffers()
    early = buffers.take(64, 48)
    monkeypatch.setattr(frame_memory.cuda, "chosen", lambda: True)
    monkeypatch.setattr(frame_memory, "_refused", False)
    pinned = set()

    def pin(nbytes, dtype, pin_memory):
        tensor = torch.zeros(nbytes, dtype=dtype)
        pinned.add(tensor.data_ptr())
        return tensor

    monkeypatch.setattr(torch, "empty", pin)
    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda self: self.data_ptr() in pinned)
    buffers.give_back(early)
    late = buffers.take(64, 48)
    assert not np.shares_memory(late, early) and len(pinned) == 1
    buffers.give_back(late)
    assert np.shares_memory(buffers.take(60, 48), late) and len(pinned) == 1

    def refuse(*_, **__):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch, "empty", refuse)
    plain = buffers.take(64, 48)
    assert plain.shape == (48, 64, 4)
    buffers.give_back(plain)
    again = buffers.take(64, 48)
    assert any(np.shares_memory(again, there) for there in (plain, early)), "what there is serves"


def test_a_scene_is_a_snapshot():
    tiles: dict[object, object] = {}
    scene = replace(SCENE, tiles=tiles)  # type: ignore[arg-type]
    tiles["later"] = object()
    assert not scene.tiles
    with pytest.raises(TypeError):
        scene.tiles["x"] = object()  # type: ignore[index]
    grown = scene.with_only({**scene.tiles, "a": object()})  # type: ignore[dict-item]
    assert grown.generation == scene.generation
    assert grown.revision > scene.revision
    assert grown != scene
