/* Starts Flutter and Python side by side, and hands chosen files to Python.
 *
 * Flutter calls the three functions `js*` below to talk to the Python worker. The worker begins to load at once, while
 * Flutter is still on its way; whatever Python sends before Flutter listens is kept.
 */

"use strict";

const folder = new URL(".", document.currentScript.src).href;
const path = new URL(folder).pathname;
const filesChannel = `albumen-files-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;

const WORDS = {
  en: { loading: "Loading…", failed: "The app could not start. Reload the page." },
  ru: { loading: "Загрузка…", failed: "Приложение не запустилось. Перезагрузите страницу." },
};
const words = WORDS[navigator.language.slice(0, 2)] ?? WORDS.en;

function tell(text) {
  const progress = document.getElementById("progress");
  if (progress) progress.textContent = text;
}

// Flutter and Flet read these names.
globalThis.flet = {
  pyodide: true,
  multiView: false,
  noCdn: true,
  webRenderer: "canvaskit",
  routeUrlStrategy: "hash",
  entrypointBaseUrl: path,
  assetBase: path,
  canvasKitBaseUrl: `${path}canvaskit/`,
  fontFallbackBaseUrl: `${path}assets/fonts/`,
  pyodideUrl: `${folder}pyodide/pyodide.mjs`,
  appPackageUrl: `${folder}app.tar.gz`,
  pythonModuleName: "main",
  micropipIncludePre: false,
};

const python = (() => {
  const worker = new Worker(`${folder}python-worker.js`, { type: "module", name: filesChannel });
  const early = [];
  let listener = (packet) => early.push(packet);
  const ready = new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "the Python worker did not load"));
    worker.onmessage = ({ data }) => {
      if (typeof data !== "string") listener(data);
      else if (data === "initialized") resolve();
      else reject(new Error(data));
    };
  });
  ready.catch((error) => {
    console.error(error);
    tell(words.failed);
  });
  worker.postMessage({
    pyodideUrl: flet.pyodideUrl,
    args: {},
    documentUrl: document.URL,
    appPackageUrl: flet.appPackageUrl,
    micropipIncludePre: false,
    pythonModuleName: flet.pythonModuleName,
  });
  return {
    ready,
    send: (packet) => worker.postMessage(packet, [packet.buffer]),
    stop: () => worker.terminate(),
    listen(next) {
      listener = next;
      early.splice(0).forEach(next);
    },
  };
})();

globalThis.jsConnect = async (_app, _args, onMessage) => {
  await python.ready;
  python.listen(onMessage);
};
globalThis.jsSend = async (_app, packet) => python.send(packet);
globalThis.jsDisconnect = async () => python.stop();

/* Flutter's file picker clicks an <input type="file"> that is never put into the page. Its files go to Python as they
 * are, references into the disk of the device: so a photo is streamed from there when its turn comes, and again when it
 * has to be sent again. */
const files = new BroadcastChannel(filesChannel);
const click = HTMLElement.prototype.click;
HTMLInputElement.prototype.click = function () {
  if (this.type === "file") {
    this.addEventListener("change", () => files.postMessage([...this.files]), { capture: true, once: true });
  }
  click.call(this);
};

/* For signs that Roboto has not Flutter asks for one of hundreds of Noto fonts, again and again when it is not there. One
 * font answers for all of them: emoji are drawn, and what it has not becomes an empty box. */
const plainFetch = globalThis.fetch;
globalThis.fetch = (address, options) => {
  const isFallback = typeof address === "string" && address.startsWith(flet.fontFallbackBaseUrl);
  return plainFetch(isFallback && address.includes("/noto") ? `${path}assets/fonts/fallback.woff2` : address, options);
};

// WebKit brings a page back from its cache with a Flutter that no longer draws.
addEventListener("pageshow", (event) => {
  if (event.persisted && navigator.vendor.startsWith("Apple")) location.reload();
});
addEventListener("flutter-first-frame", () => document.getElementById("loading")?.remove(), { once: true });

tell(words.loading);
_flutter.buildConfig = {
  engineRevision: "",
  builds: [{ compileTarget: "dart2js", renderer: "canvaskit", mainJsPath: "main.dart.js" }],
};
const config = {
  entrypointBaseUrl: path,
  assetBase: path,
  canvasKitBaseUrl: flet.canvasKitBaseUrl,
  fontFallbackBaseUrl: flet.fontFallbackBaseUrl,
};
_flutter.loader
  .load({
    config,
    onEntrypointLoaded: async (engine) => (await engine.initializeEngine(config)).runApp(),
  })
  .catch((error) => {
    console.error(error);
    tell(words.failed);
  });
