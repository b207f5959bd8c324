// Puts the page together: who is looking, what is searched for, and what the parts tell one another.

import { listDatasets, logIn, logOut, readSession, readStats, restorePhoto } from "./api.js";
import { Grid } from "./photos.js";
import { Uploads } from "./upload.js";
import { Viewer } from "./viewer.js";
import { currentLanguage, say, sayBytes, sayPhotos, sayProblem, switchLanguage, writeWords } from "./words.js";

const TYPING_PAUSE_MS = 250;
const TOAST_MS = 15_000;
const CHANGERS = ["editor", "admin"];
const $ = (id) => document.getElementById(id);

const grid = new Grid({
  list: $("photos"), more: $("more"), onOpen: (id) => viewer.open(id), onShown: drawEmpty, onTrouble: showTrouble,
});
const viewer = new Viewer({ grid, onDeleted: offerUndo });
const uploads = new Uploads({ onFinished: refresh, onProblem: askWhenNeeded });
let totals = null;
let trashed = null;
let pause = 0;
let toastEnd = 0;

async function start() {
  drawWords();
  restoreSearch();
  try {
    const { mode, role } = await readSession();
    const isOpen = mode === "open";
    uploads.allowed = isOpen || (role !== null && role !== "viewer");
    viewer.mayChange = isOpen || CHANGERS.includes(role);
    $("upload").hidden = !uploads.allowed;
    $("leave").hidden = isOpen || role === null;
    if (!isOpen && role === null) return askForKey();
    await refresh();
  } catch (error) {
    showTrouble(error);
  }
}

async function refresh() {
  await Promise.all([search(), refreshCounts().catch(showTrouble)]);
}

async function refreshCounts() {
  const [{ datasets }, stats] = await Promise.all([listDatasets(), readStats()]);
  totals = stats;
  drawTotals();
  const chosen = $("dataset").value || wished().get("dataset") || "";
  const slugs = datasets.map(({ slug }) => slug);
  $("dataset").replaceChildren($("dataset").firstElementChild, ...slugs.map((slug) => new Option(slug, slug)));
  $("slugs").replaceChildren(...slugs.map((slug) => new Option(slug, slug)));
  $("dataset").value = slugs.includes(chosen) ? chosen : "";
}

const wished = () => new URLSearchParams(location.search);

function restoreSearch() {
  const dataset = wished().get("dataset");
  $("query").value = wished().get("name") ?? "";
  if (dataset) $("dataset").append(new Option(dataset, dataset, true, true));
}

// The address of the page keeps the search, so that it can be shared and reloaded.
async function search() {
  clearTimeout(pause);
  const wish = { dataset: $("dataset").value, name: $("query").value.trim() };
  const query = new URLSearchParams(Object.entries(wish).filter(([, value]) => value)).toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  $("trouble").hidden = true;
  await grid.show(wish);
}

function drawWords() {
  writeWords();
  $("language").textContent = currentLanguage() === "ru" ? "English" : "Русский";
  $("language").lang = currentLanguage() === "ru" ? "en" : "ru";
  drawTotals();
}

function drawTotals() {
  const words = totals?.photos ? { photos: sayPhotos(totals.photos), bytes: sayBytes(totals.bytes) } : null;
  $("totals").textContent = words ? say("totals", words) : "";
}

function drawEmpty() {
  const isSearch = Boolean($("query").value.trim() || $("dataset").value);
  $("empty").hidden = grid.photos.length > 0;
  $("empty-title").textContent = say(isSearch ? "nothingTitle" : "emptyTitle");
  $("empty-hint").textContent = say(isSearch ? "nothingHint" : uploads.allowed ? "emptyHint" : "emptyForViewer");
}

function showTrouble(error) {
  if (askWhenNeeded(error)) return;
  $("trouble").textContent = sayProblem(error.body ?? {});
  $("trouble").hidden = false;
  if (!error.body) throw error;
}

function askWhenNeeded(error) {
  const isNeeded = error.code === "key_required";
  if (isNeeded) askForKey();
  return isNeeded;
}

function askForKey() {
  if (!$("ask").open) $("ask").showModal();
}

async function enter(event) {
  event.preventDefault();
  try {
    await logIn($("key").value.trim());
  } catch (error) {
    $("key-trouble").textContent = sayProblem(error.body ?? {});
    return;
  }
  $("key").value = "";
  $("key-trouble").textContent = "";
  $("ask").close();
  await start();
}

function offerUndo(photo, index) {
  trashed = { photo, index };
  showToast(say("deleted", { name: photo.name }), { withUndo: true });
  refreshCounts().catch(showTrouble);
}

async function undo() {
  try {
    const photo = await restorePhoto(trashed.photo.id);
    grid.insert(photo, Math.min(trashed.index, grid.photos.length));
    showToast(say("restored", { name: photo.name }), { withUndo: false });
    grid.focus(photo.id);
    await refreshCounts();
  } catch (error) {
    showToast(sayProblem(error.body ?? {}), { withUndo: false });
  }
}

function showToast(text, { withUndo }) {
  clearTimeout(toastEnd);
  $("toast-text").textContent = text;
  $("undo").hidden = !withUndo;
  $("toast").hidden = false;
  toastEnd = setTimeout(() => { $("toast").hidden = true; }, TOAST_MS);
}

$("search").addEventListener("submit", (event) => { event.preventDefault(); search(); });
$("query").addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(search, TYPING_PAUSE_MS); });
$("dataset").addEventListener("change", () => { $("target").value = $("dataset").value || "main"; search(); });
$("language").addEventListener("click", () => { switchLanguage(); drawWords(); drawEmpty(); uploads.redraw(); });
$("leave").addEventListener("click", async () => { await logOut(); location.reload(); });
$("log-in").addEventListener("submit", enter);
$("ask").addEventListener("cancel", (event) => event.preventDefault());
$("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (event.key !== "/" || isTyping) return;
  event.preventDefault();
  $("query").focus();
});

start();
