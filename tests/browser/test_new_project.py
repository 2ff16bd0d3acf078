"""The first minute: a wheel, `twelvefold new`, its next command, and an approval in a browser."""

import json
import re
import shlex
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.visits import Visits, faults, scrolls_sideways
from installed import Machine, machine


@pytest.fixture(scope="module")
def wheeled(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return machine(tmp_path_factory.mktemp("machine"))


def test_from_nothing_to_a_deploy_that_a_person_approved_on_a_phone(
    chromium: Browser, wheeled: Machine, tmp_path: Path
):
    made = wheeled.run(tmp_path, "twelvefold", "new", "bot", "--yes", "--json")
    _, dev, _ = (shlex.split(line) for line in json.loads(made.stdout)["next"])

    with wheeled.developing(tmp_path / "bot", *dev[2:]) as said:
        visits = Visits(chromium, said["url"])
        page = visits.of("", size="phone")
        page.goto(said["sign_in"])
        page.get_by_role("link", name=re.compile("deploy_frontend")).first.click()
        expect(page.get_by_text("v1.4.0").first).to_be_visible()
        assert not scrolls_sideways(page)
        assert faults(page) == []
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("heading", name="Approved by anna")).to_be_visible()
        page.get_by_role("link", name=re.compile("^Next")).click()
        expect(page.get_by_role("heading", name="deploy_backend")).to_be_visible()
        assert visits.end() == []

    shown = wheeled.run(tmp_path / "bot", "twelvefold", "threads", "show", "@last")
    assert re.search(r'deploy_frontend +-> "v1\.4\.0 is live"', shown.stdout), shown.stdout
