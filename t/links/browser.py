# Copyright (C) The Tailgate authors

"""A real browser on the tailnet: Debian's chromium, whose requests come from
the address of whoever sits at it, and what its pages have to be for everybody
to read them."""

import os
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from golink import OWN
from tailgate_test import BUILD, Client, Echo, Incomplete, Reader, Server

SECONDS = 30

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
    "--disable-gpu", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update",
    "--disable-extensions", "--disable-sync", "--metrics-recording-only",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "OptimizationHints,MediaRouter,Translate",
    "--force-device-scale-factor=1", "--lang=en", "--window-size=1100,900",
    "--proxy-bypass-list=<-loopback>"]

SCREENSHOTS = os.path.join(BUILD, "screenshots")

# name, colours, width, height
LOOKS = [("light", "light", 1100, 900), ("dark", "dark", 1100, 900),
         ("phone", "light", 360, 740), (None, "dark", 360, 740)]

HOP = {"connection", "proxy-connection", "keep-alive", "content-length",
       "transfer-encoding", "host"}

APP = b"<!DOCTYPE html><html lang=en><title>An app</title><h1>An app</h1>"

with open(os.path.join(os.path.dirname(__file__), "audit.js"),
          encoding="utf-8") as f:
    AUDIT = f.read()


class Seat(Server):
    """A forward proxy. Where a request is for "go" it connects from source,
    which is who sits at the browser; *.example.com are apps."""

    def __init__(self):
        self.source = None
        self.port_of_go = None
        super().__init__()

    def serve(self, connection):
        try:
            request = Echo.request(Reader(connection))
        except Incomplete:
            return
        host, _, path = request["uri"].partition("://")[2].partition("/")
        code, headers, body = 404, [], b""
        if host == "go" and request["method"] != "CONNECT":
            code, headers, body = self.forward(request, host, "/" + path)
        elif host.endswith(".example.com"):
            code, headers, body = 200, [("Content-Type", "text/html")], APP
        headers = [h for h in headers if h[0].lower() not in HOP]
        headers += [("Content-Length", len(body)), ("Connection", "close")]
        lines = [f"HTTP/1.1 {code} X", *(f"{n}: {v}" for n, v in headers)]
        connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
                           + body)

    def forward(self, request, host, target):
        headers = [h for h in request["raw_headers"]
                   if h[0].lower() not in HOP]
        with Client((OWN, self.port_of_go), self.source) as client:
            return client.request(
                request["method"], target, headers,
                request["body"].encode("latin-1"), host=host)[:3]


class Browser:
    """One chromium. sit() says who is at it."""

    def __init__(self):
        # of the browser and its driver, not of a proxy on the way to them
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
        self.seat = Seat()
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in ARGUMENTS:
            options.add_argument(argument)
        options.add_argument(f"--user-data-dir={self.profile}")
        options.add_argument(f"--proxy-server=127.0.0.1:{self.seat.port}")
        try:
            self.driver = webdriver.Chrome(
                service=Service("/usr/bin/chromedriver"), options=options)
        except BaseException:
            self.tidy()
            raise

    def close(self):
        try:
            self.driver.quit()
        finally:
            self.tidy()

    def tidy(self):
        self.seat.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def sit(self, links, who):
        self.seat.port_of_go = links.port
        self.seat.source = who

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def wait(self, ready, what):
        """A page that is on its way out makes any question fail."""

        return WebDriverWait(
            self.driver, SECONDS, 0.05, [WebDriverException]).until(
                lambda _: ready(), what)

    def arrive(self, leave):
        """Does what leads to another page, and waits for it."""

        self.script("window.before = true")
        leave()
        self.wait(lambda: self.script(
            "return window.before === undefined"
            " && document.readyState === 'complete'"), "another page")

    def go(self, target, fault=False):
        """A page of ours; fault: it is one with a status of 4xx or 5xx."""

        self.driver.get("http://go" + target)
        self.check_log(fault)

    def find(self, selector):
        return self.wait(lambda: self.driver.find_element(
            By.CSS_SELECTOR, selector), selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def has(self, selector):
        return bool(self.all(selector))

    def text(self, selector="main"):
        return self.find(selector).text

    def type(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def submit(self, selector, fault=False):
        button = self.find(selector)
        self.arrive(button.click)
        self.check_log(fault)

    def follow(self, selector):
        link = self.find(selector)
        self.arrive(link.click)
        self.check_log()

    def url(self):
        return self.driver.current_url

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def press_control(self, key):
        webdriver.ActionChains(self.driver).key_down(Keys.CONTROL) \
            .send_keys(key).key_up(Keys.CONTROL).perform()

    def check_log(self, fault=False):
        """What the browser complains of: a script that failed, what the
        policy of the page forbids, what could not be loaded."""

        url = self.url()
        complaints = [
            entry["message"] for entry in self.driver.get_log("browser")
            if entry["message"].startswith("http://go/")
            and not (fault and entry["source"] == "network"
                     and entry["message"].startswith(url + " "))]
        assert not complaints, complaints

    def without_script(self, disabled):
        self.cdp("Emulation.setScriptExecutionDisabled", value=disabled)

    def look(self, page):
        """The page in each look: judged, and kept as pictures."""

        for name, colours, width, height in LOOKS:
            self.cdp("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": colours}])
            self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                     height=height, deviceScaleFactor=1, mobile=width < 500)
            self.wait(lambda w=width, c=colours: self.script(
                "return innerWidth <= arguments[0] && matchMedia("
                "`(prefers-color-scheme: ${arguments[1]})`).matches", w, c),
                f"{page} is {width} wide and {colours}")
            faults = self.script(AUDIT)
            assert not faults, (page, colours, width, faults)
            if name:
                self.picture(f"{page}-{name}.png")
        self.cdp("Emulation.clearDeviceMetricsOverride")
        self.cdp("Emulation.setEmulatedMedia", features=[])
        self.check_log()

    def picture(self, name):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        with open(os.path.join(SCREENSHOTS, name), "wb") as picture:
            picture.write(self.driver.get_screenshot_as_png())
