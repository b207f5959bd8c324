// One photo at its full size: what it is, its link, and what can be done with it.

import { deletePhoto, photoBytes, renamePhoto } from "./api.js";
import { say, sayBytes, sayMoment, sayNumber, sayProblem } from "./words.js";

const $ = (id) => document.getElementById(id);

export class Viewer {
  mayChange = false;
  #photo = null;

  // onDeleted is called with the photo and the place in the grid that it had.
  constructor({ grid, onDeleted }) {
    Object.assign(this, { grid, onDeleted, dialog: $("viewer") });
    $("previous").addEventListener("click", () => this.#step(-1));
    $("following").addEventListener("click", () => this.#step(1));
    $("close-viewer").addEventListener("click", () => this.dialog.close());
    $("copy-link").addEventListener("click", (event) => copy(this.#photo.link, event.currentTarget));
    $("start-rename").addEventListener("click", () => this.#showRename({ shown: $("rename").hidden }));
    $("rename").addEventListener("submit", (event) => this.#try(event, () => this.#rename()));
    $("delete").addEventListener("click", (event) => this.#try(event, () => this.#delete()));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.dialog.addEventListener("close", () => this.#photo && this.grid.focus(this.#photo.id));
  }

  open(id) {
    this.#show(this.grid.photos[this.grid.find(id)]);
    if (!this.dialog.open) this.dialog.showModal();
  }

  #show(photo) {
    this.#photo = photo;
    const index = this.grid.find(photo.id);
    const pixels = `${sayNumber(photo.width)} × ${sayNumber(photo.height)}`;
    $("viewer-image").src = photoBytes(photo.id, "size=2048");
    $("viewer-image").alt = photo.name;
    $("viewer-name").textContent = photo.name;
    $("viewer-facts").textContent = [photo.dataset, pixels, sayBytes(photo.bytes), sayMoment(photo.uploaded_at)].join(" · ");
    $("viewer-link").textContent = photo.link;
    $("viewer-link").href = photoBytes(photo.id, "").replace("?", "");
    $("download").href = photoBytes(photo.id, "download");
    $("viewer-trouble").textContent = "";
    $("start-rename").hidden = $("delete").hidden = !this.mayChange;
    $("previous").disabled = index === 0;
    $("following").disabled = index === this.grid.photos.length - 1;
    this.#showRename({ shown: false });
  }

  async #step(by) {
    const next = this.grid.photos[this.grid.find(this.#photo.id) + by];
    if (!next) return;
    if (this.grid.photos.at(-2) === next) this.grid.loadMore();
    this.#show(next);
  }

  #onKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && event.target.tagName !== "INPUT") this.#step(by);
    if (event.key === "Delete" && event.target.tagName !== "INPUT" && this.mayChange) $("delete").click();
  }

  #showRename({ shown }) {
    $("rename").hidden = !shown;
    $("start-rename").setAttribute("aria-expanded", String(shown));
    $("new-name").value = this.#photo.name;
    if (shown) $("new-name").select();
  }

  async #try(event, action) {
    event.preventDefault();
    try {
      await action();
    } catch (error) {
      $("viewer-trouble").textContent = sayProblem(error.body ?? {});
    }
  }

  async #rename() {
    const renamed = await renamePhoto(this.#photo.id, $("new-name").value);
    this.grid.replace(renamed);
    this.#show(renamed);
    $("start-rename").focus();
  }

  async #delete() {
    const photo = this.#photo;
    await deletePhoto(photo.id);
    const index = this.grid.find(photo.id);
    this.#photo = this.grid.photos[index + 1] ?? this.grid.photos[index - 1] ?? null;
    this.grid.remove(photo.id);
    this.dialog.close();
    this.onDeleted(photo, index);
  }
}

// Copies and says so on the button. Pages over plain HTTP have no clipboard, so the old command stands in.
export async function copy(text, button) {
  const copied = navigator.clipboard ? await navigator.clipboard.writeText(text).then(() => true, () => false) : copyOldWay(text, button);
  button.textContent = say(copied ? "copied" : "copyByHand");
  setTimeout(() => { button.textContent = say(button.dataset.text); }, 2000);
}

function copyOldWay(text, button) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  button.after(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  button.focus();
  return copied;
}
