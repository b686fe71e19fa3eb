"""The document and the order its tiles are built in, without a window."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gaussian_core.builder import TileGrid
from gaussian_core.errors import Cancelled, FieldError, ImageError
from gaussian_core.field import GaussianField
from tests.window_helpers import save_picture
from viewer.model.documents import tile_plan
from viewer.model.documents.document import Document
from viewer.model.documents.tile_plan import TilePlan, memory_budget


class Tile:
    nbytes = 100


def plan_of(width: int, height: int, budget: int | None = None) -> tuple[TileGrid, TilePlan]:
    grid = TileGrid((height, width))
    return grid, TilePlan({key: grid.rect(key) for key in grid.keys()}, budget)


def build_all(plan: TilePlan) -> list:
    order = []
    while (key := plan.next_key()) is not None:
        plan.put(key, Tile())
        order.append(key)
        assert len(order) < 1000
    return order


def test_tiles_in_view_come_first_and_all_come_once():
    grid, plan = plan_of(5120, 5120)
    view = (4200.0, 300.0, 4700.0, 800.0)
    plan.set_view(view)
    order = build_all(plan)
    assert sorted(order) == sorted(grid.keys())
    in_view = set(grid.keys_in(view))
    assert set(order[: len(in_view)]) == in_view
    ring = {k for key in in_view for k in grid.neighbours(key)} | in_view
    assert set(order[: len(ring)]) == ring
    assert plan.next_key() is None


def test_what_the_view_waits_for_is_counted():
    grid, plan = plan_of(5120, 5120)
    assert plan.in_view == (0, 100)
    plan.set_view((600.0, 600.0, 1500.0, 1000.0))
    assert plan.in_view == (0, 2)
    plan.put((9, 9), Tile())
    plan.put((1, 1), Tile())
    assert plan.in_view == (1, 2)


def test_a_new_view_changes_what_comes_next():
    grid, plan = plan_of(5120, 5120)
    plan.set_view((0.0, 0.0, 100.0, 100.0))
    first = plan.next_key()
    plan.set_view((5000.0, 5000.0, 5100.0, 5100.0))
    assert plan.next_key() != first
    assert plan.next_key() == grid.keys_in((5050.0, 5050.0, 5060.0, 5060.0))[0]


def test_the_budget_is_kept_and_far_tiles_make_room():
    grid, plan = plan_of(5120, 5120, budget=2000)
    plan.set_view((0.0, 0.0, 500.0, 500.0))
    first = build_all(plan)
    assert len(first) <= 20
    assert plan.built == len(plan.tiles) <= 20
    far = (4700.0, 4700.0, 5100.0, 5100.0)
    plan.set_view(far)
    second = build_all(plan)
    assert plan.built <= 20
    wanted = set(grid.keys_in(far))
    assert wanted <= set(second)
    assert wanted <= set(plan.tiles)
    plan.set_view(far)
    assert plan.next_key() is None  # it comes to rest


def test_a_tile_larger_than_the_budget_is_still_built():
    _, plan = plan_of(600, 300, budget=10)
    assert build_all(plan)


@pytest.mark.parametrize("view", [(0.0, 0.0, 4000.0, 3000.0), (1000.0, 900.0, 1240.0, 1035.0)])
def test_blocks_are_rectangles_that_cover_the_view_first_and_build_nothing_twice(view):
    grid = TileGrid((3000, 4000), 128)
    plan = TilePlan({key: grid.rect(key) for key in grid.keys()}, 1 << 40)
    plan.set_view(view)
    in_view, built, blocks = set(grid.keys_in(view)), [], 0
    while block := plan.next_block(3):
        columns, rows = {i for i, _ in block}, {j for _, j in block}
        assert len(block) == len(columns) * len(rows) == len(set(block))
        assert max(columns) - min(columns) < 3
        assert max(rows) - min(rows) < 3
        if len(in_view) < 20 and not in_view <= set(built):
            assert set(block) <= in_view
        for key in block:
            plan.put(key, Tile())
        built += block
        blocks += 1
    assert set(built) == set(grid.keys())
    # A view between the blocks leaves some that are cut, and few tiles twice.
    assert len(built) < 1.05 * plan.total
    assert blocks < plan.total / 9 * 1.25


def test_a_smaller_budget_drops_what_is_out_of_view_at_once():
    grid, plan = plan_of(5120, 5120, budget=1 << 40)
    plan.set_view((4000.0, 4000.0, 5000.0, 5000.0))
    plan.set_view((0.0, 0.0, 1000.0, 1000.0))
    build_all(plan)
    assert plan.built == plan.total
    size = next(iter(plan.tiles.values())).nbytes
    in_view = set(grid.keys_in((0.0, 0.0, 1000.0, 1000.0)))
    plan.set_budget(12 * size)
    assert plan.built == 12 and in_view <= set(plan.tiles)
    # The view itself stays whole, and the rest comes back when there is room again.
    plan.set_budget(size)
    assert set(plan.tiles) == in_view
    assert plan.next_key() is None
    plan.set_budget(None)
    assert plan.budget == memory_budget() and plan.next_key() is not None


def test_by_default_only_so_much_is_kept_out_of_view(monkeypatch):
    grid = TileGrid((512, 51200), 512)
    rects = {key: grid.rect(key) for key in grid.keys()}
    size = Tile().nbytes
    monkeypatch.setattr(tile_plan, "KEPT", 10 * size)
    plan, unbounded = TilePlan(rects, ahead=0), TilePlan(rects, 1 << 40, ahead=0)
    for column in range(0, 100, 2):
        for each in (plan, unbounded):
            each.set_view((512.0 * column + 9, 0.0, 512.0 * column + 999, 500.0))
            build_all(each)
    assert unbounded.built == 100 and plan.built == 12
    assert {key for key, _ in plan.tiles} == set(range(88, 100))  # the newest ones


@pytest.mark.parametrize("budget", [None, 5 << 30])
def test_another_method_keeps_the_budget_as_it_was_asked_for(tmp_path, budget):
    path = save_picture(tmp_path / "a.png", 30, 20)
    first = Document.open(path, "kernel", budget)
    other = first.made_by("continuoussr")
    assert (other.plan.budget, other.plan.kept) == (first.plan.budget, first.plan.kept)
    assert other.plan.kept == (min(tile_plan.KEPT, memory_budget()) if budget is None else budget)


def test_the_default_budget_is_a_share_of_the_memory():
    assert memory_budget() > 100 << 20


def test_a_picture_becomes_a_scene_and_then_a_field(tmp_path):
    document = Document.open(save_picture(tmp_path / "a.png", 700, 530), "kernel")
    assert document.name == "a.png"
    assert document.extent == (530, 700)
    assert document.total == 4
    assert not document.complete
    assert not document.take_tiles()
    seen = [document.scene]
    while document.build_next():
        assert document.take_tiles()
        seen.append(document.scene)
    assert document.complete
    assert [len(s.tiles) for s in seen] == [0, 1, 2, 3, 4]
    assert len({s.generation for s in seen}) == 1
    assert all(document.scene.drawable(key) for key in document.plan.tiles)


def test_building_stops_when_asked(tmp_path):
    document = Document.open(save_picture(tmp_path / "a.png"), "kernel")
    with pytest.raises(Cancelled):
        document.build_next(lambda: True)
    assert document.built == 0
    assert document.build_next()


def test_a_tile_that_the_view_has_left_gives_way(tmp_path):
    """Building a tile takes a while: a jump to another place does not wait for it."""
    document = Document.open(save_picture(tmp_path / "a.png", 1600, 1600), "kernel")
    document.look_at((0.0, 0.0, 90.0, 90.0))
    assert document.build_next() == [(0, 0)]
    build, begun = document.builder.build_tiles, []

    def slow(keys, stop):
        begun.append(keys)
        document.look_at((1400.0, 1400.0, 1590.0, 1590.0))
        if stop():
            raise Cancelled
        return build(keys, stop)

    document.builder.build_tiles = slow
    far = document.build_next()
    assert len(begun) == 2
    assert begun[0] != far == begun[1]
    x0, y0, x1, y1 = document.scene.grid.rect(far[0])
    assert x1 > 1400 and y1 > 1400


def test_what_is_built_first_is_chosen_once_the_method_is_loaded(tmp_path, monkeypatch):
    """Loading torch takes a second or two, in which one may zoom in somewhere."""
    from gaussian_core import builder

    document = Document.open(save_picture(tmp_path / "a.png", 1600, 1600), "kernel")
    grid = document.scene.grid
    left, top, right, bottom = grid.rect(grid.keys_in((700.0, 700.0, 701.0, 701.0))[0])
    document.look_at((left + 20, top + 20, right - 20, bottom - 20))
    # Its neighbour, and a little of it.
    nearer = (right - 5, top + 20, right + 200, bottom - 20)

    def slow(*given, make=builder.FieldBuilder, **named):
        document.look_at(nearer)
        return make(*given, **named)

    monkeypatch.setattr(builder, "FieldBuilder", slow)
    assert grid.rect(document.build_next()[0])[0] == right


def test_two_threads_may_look_and_build(tmp_path):
    document = Document.open(save_picture(tmp_path / "a.png", 1100, 1100), "kernel")
    done = threading.Event()

    def look():
        place = 0.0
        while not done.is_set():
            place = (place + 37.0) % 1000
            document.look_at((place, place, place + 50, place + 50))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        while document.build_next():
            pass
    finally:
        done.set()
        thread.join()
    assert document.built == document.total == 9


def field(channels: int = 3) -> GaussianField:
    return GaussianField(
        np.array([[2.0, 3.0]]),
        np.array([[1.0, 0.0, 1.0]]),
        np.ones((1, channels)),
        (8, 6),
        {"method": "kernel"},
    )


def test_a_field_file_opens_without_its_picture(tmp_path):
    path = tmp_path / "f.safetensors"
    field().save(path)
    document = Document.open(path)
    assert document.extent == (8, 6)
    assert document.complete
    assert document.picture is None
    assert len(document.scene.tiles) == 1
    assert not document.build_next()


def test_a_field_that_no_screen_can_show_is_refused(tmp_path):
    path = tmp_path / "f.safetensors"
    field(5).save(path)
    with pytest.raises(FieldError, match="5 channels"):
        Document.open(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n123"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ImageError):
        Document.open(path)
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(FieldError):
        Document.open(path)


def test_beyond_what_is_wanted_only_a_little_is_built_ahead():
    grid = TileGrid((5120, 5120), 512)
    plan = TilePlan({key: grid.rect(key) for key in grid.keys()}, ahead=1000)
    view, wanted = (0.0, 0.0, 600.0, 600.0), (0.0, 0.0, 1100.0, 1100.0)
    plan.set_view(view, wanted)
    built = build_all(plan)
    assert set(grid.keys_in(wanted)) <= set(built)
    assert len(built) < 15
    plan.set_view((3000.0, 3000.0, 3600.0, 3600.0))
    more = build_all(plan)
    assert set(more) == set(grid.keys_in((3000.0, 3000.0, 3600.0, 3600.0)))
    assert set(plan.tiles) == set(built) | set(more), "there is room for both"
    plan.set_budget(1 << 40)  # by who has so much memory for it
    assert len(plan.tiles) + len(build_all(plan)) == plan.total


def test_what_was_wanted_the_longest_ago_is_dropped_first():
    grid, plan = plan_of(5120, 5120, budget=1050)  # ten tiles
    places = [(i * 512 + 10.0, 10.0, i * 512 + 500.0, 500.0) for i in range(10)]
    for place in places:
        plan.set_view(place)
        plan.put(plan.next_key(), Tile())
    plan.set_view(places[0])  # again: now the second is the oldest
    new = (10.0, 4000.0, 500.0, 4090.0)
    plan.set_view(new)
    dropped = plan.put(plan.next_key(), Tile())
    assert dropped == [(1, 0)]
    assert (0, 0) in plan.tiles


def test_far_out_the_middle_is_wanted_and_close_up_the_view_with_a_margin(tmp_path):
    document = Document.open(save_picture(tmp_path / "a.png", 3000, 2000), "kernel")
    wanted = []
    document.plan.set_view = lambda view, part: wanted.append(part)
    document.look_at((0.0, 0.0, 3000.0, 2000.0), 0.25)
    document.look_at((1000.0, 900.0, 1200.0, 1000.0), 8.0)
    document.look_at((0.0, 0.0, 3000.0, 2000.0), 0.25, marked=True)
    far, near, marked = wanted
    assert marked[0] < 0 and marked[1] < 0 and marked[2] > 3000 and marked[3] > 2000
    assert far == pytest.approx(
        (1500 - 375 * 1.17, 1000 - 250 - 64, 1500 + 375 * 1.17, 1314), abs=1
    )
    assert near == (1000 - 64, 900 - 64, 1200 + 64, 1000 + 64)


@pytest.mark.parametrize("seed", range(4))
def test_a_grid_is_planned_as_its_tiles_one_by_one(seed):
    """Of a grid only columns and rows are looked at; in another order it is no grid, and comes to the same."""
    rng = np.random.default_rng(seed)
    grid = TileGrid((900, 1300), 128)
    rects = {key: grid.rect(key) for key in grid.keys()}
    shuffled = [list(rects)[n] for n in rng.permutation(len(rects))]
    budget = 40 * Tile.nbytes
    plans = [
        TilePlan(r, budget, 20 * Tile.nbytes) for r in (rects, {k: rects[k] for k in shuffled})
    ]
    for _ in range(60):
        x, y = (rng.random(2) * (1300, 900)).tolist()
        view = (x - 150.3, y - 100.7, x + 150.1, y + 90.9)
        blocks = []
        for plan in plans:
            plan.set_view(view)
            assert plan.has_next == (plan.next_key() is not None)
            blocks.append(sorted(plan.next_block(3)))
            for key in blocks[-1]:
                plan.put(key, Tile())
        assert blocks[0] == blocks[1]
        assert plans[0].tiles.keys() == plans[1].tiles.keys()
        assert plans[0].in_view == plans[1].in_view
