"""The label page in low windows, at two tabs, for those who hear it, and where the server fails."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_in_a_low_window_the_image_is_seen_and_no_key_labels_what_is_not(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(6, 96, 72)
    page = opened(site)
    image = page.locator("#stage img")
    expect(image).to_have_js_property("complete", value=True)
    for width, height in ((427, 267), (720, 450), (960, 400)):
        page.set_viewport_size({"width": width, "height": height})
        for place in (0, 9999):
            page.evaluate(f"scrollTo(0, {place})")
            box = image.bounding_box()
            assert box is not None
            assert box["height"] >= 120, (width, height)
            assert -1 <= box["y"] <= height - 100, (width, height)
    page.evaluate("scrollTo(0, 0)")
    page.set_viewport_size({"width": 427, "height": 90})
    page.keyboard.press("1")
    expect(page.locator("#toast")).to_contain_text("The image is out of view")
    page.set_viewport_size({"width": 427, "height": 267})
    page.keyboard.press("2")
    tools.settled(page)
    assert site.told() == [(0, "flower")]


def test_undo_at_one_tab_leaves_what_was_said_at_another(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(24, 96, 72)
    one = opened(site)
    two = one.context.new_page()
    two.goto(site.url)
    for page, key in ((one, "1"), (two, "2"), (one, "3")):
        expect(page.locator("#stage img")).to_have_js_property("complete", value=True)
        page.keyboard.press(key)
        tools.settled(page)
    two.keyboard.press("Backspace")
    tools.settled(two)
    with site.store() as store:
        assert store.labels().values == ["boat", "house"]
    one.reload()
    expect(one.locator("#strip li")).to_have_count(2)
    for _ in range(2):  # what was said before the page was opened is taken back too
        one.keyboard.press("Backspace")
    tools.settled(one)
    with site.store() as store:
        assert store.labels().values == []


def test_the_queue_passes_over_what_the_server_fails_at(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(6, 96, 72)
    page = opened(site, offline=True)
    expect(page.locator("#stage img")).to_have_js_property("complete", value=True)

    def fail_at_boats(route: Any) -> None:
        boat = json.loads(route.request.post_data)["label"] == "boat"
        route.fulfill(status=500, body="{}") if boat else route.continue_()

    page.route("**/api/answer", fail_at_boats)
    tools.press(page, "12", 0.3)
    expect(page.locator("#toast")).to_contain_text("it was not saved")
    tools.settled(page)
    assert site.told() == [(1, "flower")]


def test_an_image_has_its_name_for_those_who_see_and_those_who_hear(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(4, 96, 72)
    page = opened(site)
    expect(page.locator("#name")).to_have_text("0000.jpg")
    expect(page.get_by_role("img", name="0000.jpg")).to_be_visible()
    expect(page.locator("#stage img")).to_have_js_property("complete", value=True)
    page.keyboard.press("1")
    expect(page.locator("#announced")).to_have_text("0000.jpg: boat. Next: 0001.jpg")
    tools.settled(page)
    page.goto(f"{site.url}/grid")
    expect(page.locator("#tiles .name").first).to_be_visible()
    assert page.locator("#tiles .name").first.get_attribute("dir") == "auto"
