// Photos on their way in: picked or dropped, sent in batches, counted, and sent again when the connection failed.

import { upload } from "./api.js";
import { say, sayNumber, sayProblem, saySeconds } from "./words.js";
import { copy } from "./viewer.js";

const BATCH_FILES = 50;
const BATCH_BYTES = 16_000_000;
const SENDERS = 2;
const REJECTS_SHOWN = 200;
const $ = (id) => document.getElementById(id);

const nothingYet = () => ({
  queue: [], failed: [], links: [], rejects: [], created: 0, duplicate: 0, taken: 0, total: 0,
  batchFiles: BATCH_FILES, seconds: 0, reason: null,
});

export class Uploads {
  allowed = false;
  #work = nothingYet();
  #abort = null;
  #drawnRejects = 0;

  // onFinished is called when the queue is empty; onProblem with each problem of the server.
  constructor({ onFinished, onProblem }) {
    Object.assign(this, { onFinished, onProblem });
    $("files").addEventListener("change", (event) => this.#onPicked(event.target));
    $("copy-links").addEventListener("click", (event) => copy(this.#work.links.join("\n"), event.currentTarget));
    $("links-box").addEventListener("toggle", () => this.#drawLinks());
    $("retry").addEventListener("click", () => this.#retry());
    $("stop").addEventListener("click", () => this.#abort?.abort());
    $("close-report").addEventListener("click", () => this.#reset());
    window.addEventListener("beforeunload", (event) => this.#abort && event.preventDefault());
    this.#acceptDrops();
  }

  // Writes everything anew, as after a change of language.
  redraw() {
    this.#drawnRejects = -1;
    this.#draw();
  }

  #draw() {
    const work = this.#work;
    const isRunning = this.#abort !== null;
    $("report").hidden = work.total === 0;
    $("progress").value = work.total ? work.taken / work.total : 0;
    $("state").textContent = this.#state();
    $("created").textContent = sayNumber(work.created);
    $("duplicate").textContent = sayNumber(work.duplicate);
    $("rejected").textContent = sayNumber(work.rejects.length);
    $("time").textContent = saySeconds(work.seconds);
    $("stop").hidden = !isRunning;
    $("close-report").hidden = isRunning;
    $("retry").hidden = isRunning || work.failed.length === 0;
    $("copy-links").hidden = $("links-box").hidden = work.links.length === 0;
    this.#drawRejects();
  }

  #state() {
    const { failed, reason, taken, total } = this.#work;
    if (this.#abort) return say("sending", { done: sayNumber(taken), count: sayNumber(total) });
    if (reason === "stopped") return say("stopped");
    if (failed.length) return say("failed", { count: sayNumber(failed.length), reason: sayProblem(reason) });
    return say("finished", { count: sayNumber(total) });
  }

  #drawRejects() {
    const { rejects } = this.#work;
    $("rejects-box").hidden = rejects.length === 0;
    if (rejects.length === this.#drawnRejects) return;
    this.#drawnRejects = rejects.length;
    const rows = rejects.slice(0, REJECTS_SHOWN).map(({ name, problem }) => `${name}: ${sayProblem(problem)}`);
    if (rejects.length > REJECTS_SHOWN) rows.push(say("moreRejects", { count: sayNumber(rejects.length - REJECTS_SHOWN) }));
    $("rejects").replaceChildren(...rows.map((row) => Object.assign(document.createElement("li"), { textContent: row })));
  }

  #drawLinks() {
    if ($("links-box").open) $("links").value = this.#work.links.join("\n");
  }

  #onPicked(input) {
    this.#add({ files: [...input.files], unreadable: [] });
    input.value = "";
  }

  #acceptDrops() {
    const mark = (isOver) => $("drop").classList.toggle("over", isOver && this.allowed);
    window.addEventListener("dragover", (event) => { event.preventDefault(); mark(true); });
    window.addEventListener("dragleave", (event) => event.relatedTarget ?? mark(false));
    window.addEventListener("drop", async (event) => {
      event.preventDefault();
      mark(false);
      if (this.allowed) this.#add(await filesOf(event.dataTransfer, (count) => this.#sayReading(count)));
    });
  }

  #sayReading(count) {
    $("report").hidden = false;
    $("state").textContent = say("reading", { count: sayNumber(count) });
  }

  #add({ files, unreadable }) {
    const target = $("target");
    if (files.length + unreadable.length === 0 || !target.reportValidity()) return;
    if (!this.#abort && this.#work.failed.length === 0) this.#reset();
    const dataset = target.value;
    for (const file of files) this.#work.queue.push({ file, dataset });
    for (const name of unreadable) this.#work.rejects.push({ name, problem: { detail: say("unreadable") } });
    this.#work.total += files.length + unreadable.length;
    this.#work.taken += unreadable.length;
    if (!this.#abort) this.#run();
  }

  // Sends what failed in smaller batches, so that one file that cannot be read does not hold back the others.
  #retry() {
    const { failed } = this.#work;
    this.#work.batchFiles = Math.max(1, Math.floor(this.#work.batchFiles / 8));
    Object.assign(this.#work, { queue: failed, failed: [], reason: null });
    this.#run();
  }

  async #run() {
    const started = performance.now() - this.#work.seconds * 1000;
    const tick = () => { this.#work.seconds = (performance.now() - started) / 1000; this.#draw(); };
    this.#abort = new AbortController();
    tick();
    const clock = setInterval(tick, 200);
    await Promise.all(Array.from({ length: SENDERS }, () => this.#sendAll(this.#abort.signal)));
    clearInterval(clock);
    this.#abort = null;
    tick();
    this.#drawLinks();
    this.onFinished();
  }

  async #sendAll(signal) {
    while (this.#work.queue.length && !signal.aborted) await this.#send(this.#takeBatch(), signal);
    if (!signal.aborted) return;
    this.#work.reason = "stopped";
    this.#work.failed = this.#work.failed.concat(this.#work.queue.splice(0));
  }

  // Sizes are read here and not before: browsers ask the disk for each, which would freeze the page for thousands.
  #takeBatch() {
    const { queue, batchFiles } = this.#work;
    let count = 0;
    for (let bytes = 0; count < Math.min(queue.length, batchFiles); count += 1) {
      bytes += queue[count].file.size;
      if (count && (bytes > BATCH_BYTES || queue[count].dataset !== queue[0].dataset)) break;
    }
    return queue.splice(0, count);
  }

  async #send(batch, signal) {
    try {
      const files = batch.map(({ file }) => file);
      this.#count(batch, await upload(files, { dataset: batch[0].dataset, signal }));
    } catch (error) {
      this.#work.failed.push(...batch);
      if (!signal.aborted) this.#note(error);
    }
  }

  #count(batch, { photos, problem }) {
    const work = this.#work;
    for (const { status, link, name, problem: refusal } of photos) {
      if (status === "rejected") work.rejects.push({ name, problem: refusal });
      else { work[status] += 1; work.links.push(link); }
    }
    work.taken += photos.length;
    work.failed.push(...batch.slice(photos.length));
    if (problem) this.#note(problem);
  }

  #note(error) {
    this.#work.reason = error.body ?? {};
    this.onProblem(error);
  }

  #reset() {
    this.#work = nothingYet();
    $("links-box").open = false;
    this.redraw();
  }
}

// All files of a drop, those inside folders too, and the names of what the device would not let us read.
async function filesOf(transfer, onFound) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return { files: [...transfer.files], unreadable: [] };
  const found = { files: [], unreadable: [] };
  while (entries.length) {
    const entry = entries.pop();
    try {
      if (entry.isDirectory) for (const inner of await entriesOf(entry)) entries.push(inner);
      else found.files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    } catch {
      found.unreadable.push(entry.name);
    }
    if (found.files.length % 100 === 0) onFound(found.files.length);
  }
  return found;
}

// Browsers hand out the entries of a folder in portions of 100.
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return all;
    all.push(...portion);
  }
}
