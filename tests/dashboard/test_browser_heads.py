"""Heads and their pictures by keys in a real browser, and own labels after the page was loaded again."""

import re

import pytest

from tests.dashboard.test_browser import address, browser, settle

__all__ = ["address", "browser"]


@pytest.mark.slow
def test_a_picture_opens_large_is_stepped_by_arrow_keys_and_closed_by_escape(browser, address):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/head?head=L2.H0&k=3")
    settle(page)

    page.locator(".gallery a").nth(0).focus()
    page.keyboard.press("Enter")
    page.locator("[role=dialog] img").wait_for(timeout=60_000)
    assert f"picture={page_images(page)[0]}" in page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**picture={page_images(page)[1]}**", timeout=60_000)
    settle(page)
    page.keyboard.press("Escape")
    page.wait_for_url("**picture=&**", timeout=60_000)
    page.locator("[role=dialog]").wait_for(state="detached")
    page.close()


def page_images(page) -> list[str]:
    """Returns the ids of the images of the galleries, in order."""
    links = page.locator(".gallery a").evaluate_all("all => all.map(link => link.href)")
    return [re.search("picture=([0-9a-f]+)", link)[1] for link in links]


@pytest.mark.slow
def test_own_labels_outlive_a_reload_of_the_tab(browser, address):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/head?head=L2.H0")
    settle(page)
    page.get_by_label("Label", exact=True).fill("stripes")
    page.keyboard.press("Enter")
    page.get_by_text("Remove the chosen rows").wait_for(timeout=60_000)

    page.reload()
    page.get_by_text("Remove the chosen rows").wait_for(timeout=60_000)

    assert page.get_by_label("Label", exact=True).input_value() == "stripes"
    page.close()


@pytest.mark.slow
def test_the_grid_of_heads_is_walked_and_opened_by_keys(browser, address):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/heads?head=L1.H0")
    settle(page)

    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_url("**head=L2.H0**", timeout=60_000)
    settle(page)
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_url("**head=L2.H1**", timeout=60_000)
    settle(page)
    page.keyboard.press("Shift+Enter")
    page.locator("h1", has_text=re.compile("^Head$")).wait_for(timeout=60_000)
    page.wait_for_url("**head=L2.H1**", timeout=60_000)
    settle(page)
    page.keyboard.press("p")
    page.wait_for_url("**head=L2.H0**", timeout=60_000)
    page.close()
