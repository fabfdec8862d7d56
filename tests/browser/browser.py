"""A headless Chromium, driven through its DevTools protocol over a pair of pipes."""
import base64
import json
import os
import shutil
import subprocess
import tempfile


class Browser:
    """Opens pages one at a time. `problems` are console messages, exceptions and broken rules."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            raise SystemExit("check-browser: no chromium; scripts/setup.sh browser installs it")
        self.profile = tempfile.mkdtemp(prefix="burl-browser-")
        to_read, self.to = os.pipe()
        self.answers, to_write = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--remote-debugging-pipe", f"--user-data-dir={self.profile}"]

        def place_pipes():
            # Above 4 first, so that neither is overwritten by the other.
            reading, writing = os.dup(to_read), os.dup(to_write)
            while reading < 5:
                reading = os.dup(reading)
            while writing < 5:
                writing = os.dup(writing)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen([program, *options], close_fds=False,
                                        preexec_fn=place_pipes, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.rest, self.number, self.problems, self.loaded = b"", 0, [], False
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.to)
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _message(self):
        while b"\0" not in self.rest:
            more = os.read(self.answers, 1 << 16)
            if not more:
                raise SystemExit("check-browser: chromium has ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        method = message.get("method", "")
        if method == "Page.loadEventFired":
            self.loaded = True
        if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.problems.append(json.dumps(message["params"])[:400])
        return message

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"check-browser: {method}: {message['error']}")
                return message["result"]

    def look(self, colours="light", media="screen", scripts=True):
        feature = {"name": "prefers-color-scheme", "value": colours}
        self.call("Emulation.setEmulatedMedia", media=media, features=[feature])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, path, width=1200, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.loaded = False
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while not self.loaded:
            self._message()

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"check-browser: {expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, path):
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(taken["data"]))
