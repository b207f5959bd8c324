// The grid: pages of photos, newest first, more of them as one scrolls, arrow keys from tile to tile.

import { listPhotos, photoBytes, readPhoto } from "./api.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NARROWEST = 0.5;
const WIDEST = 2.5;

export class Grid {
  photos = [];
  #cursor = null;
  #wish = {};
  #loading = null;

  // onShown is called after each page; onTrouble with what went wrong; onOpen with the photo that was chosen.
  constructor({ list, more, onOpen, onShown, onTrouble }) {
    Object.assign(this, { list, more, onOpen, onShown, onTrouble });
    list.addEventListener("click", (event) => this.#open(event.target.closest("button")));
    list.addEventListener("keydown", (event) => this.#walk(event));
    more.addEventListener("click", () => this.loadMore());
    this.nearEnd = new IntersectionObserver(([entry]) => entry.isIntersecting && this.loadMore(), { rootMargin: "800px" });
  }

  // Shows the newest photos of that dataset and name; what was shown stays until they are here.
  async show({ dataset, name }) {
    this.#wish = { dataset, name };
    await this.#load({ cursor: null });
  }

  async loadMore() {
    if (this.#cursor && !this.#loading) await this.#load({ cursor: this.#cursor });
  }

  find(id) {
    return this.photos.findIndex((photo) => photo.id === id);
  }

  focus(id) {
    this.#tile(id)?.firstElementChild.focus();
  }

  replace(photo) {
    this.photos[this.find(photo.id)] = photo;
    this.#tile(photo.id).replaceWith(tileFor(photo));
  }

  remove(id) {
    this.photos.splice(this.find(id), 1);
    this.#tile(id).remove();
    this.onShown();
  }

  insert(photo, index) {
    this.list.insertBefore(tileFor(photo), this.list.children[index] ?? null);
    this.photos.splice(index, 0, photo);
    this.onShown();
  }

  async #load({ cursor }) {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    try {
      const page = await this.#fetch({ cursor, signal: loading.signal });
      if (loading.signal.aborted) return;
      this.#loading = null;
      this.#draw(page, { afresh: !cursor });
    } catch (error) {
      if (loading.signal.aborted) return;
      this.#loading = null;
      this.onTrouble(error);
    }
  }

  async #fetch({ cursor, signal }) {
    const { dataset, name } = this.#wish;
    if (!ID.test(name.toLowerCase())) return listPhotos({ dataset, name, cursor, signal });
    try {
      return { photos: [await readPhoto(name.toLowerCase())], next: null };
    } catch (error) {
      if (error.code === "photo_not_found") return { photos: [], next: null };
      throw error;
    }
  }

  #draw({ photos, next }, { afresh }) {
    const tiles = photos.map(tileFor);
    if (afresh) this.list.replaceChildren(...tiles);
    else this.list.append(...tiles);
    this.photos = afresh ? photos : [...this.photos, ...photos];
    this.#cursor = next;
    this.more.hidden = !next;
    this.nearEnd.unobserve(this.more);
    if (next) this.nearEnd.observe(this.more);
    this.onShown();
  }

  #tile(id) {
    return this.list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }

  #open(button) {
    if (button) this.onOpen(button.parentElement.dataset.id);
  }

  #walk(event) {
    const tile = event.target.closest("li");
    const next = { ArrowLeft: previousOf, ArrowRight: followingOf, ArrowUp: aboveOf, ArrowDown: belowOf }[event.key];
    const goal = tile && next?.(tile);
    if (!goal) return;
    event.preventDefault();
    goal.firstElementChild.focus();
  }
}

function tileFor(photo) {
  const [tile, button, image, name] = ["li", "button", "img", "span"].map((tag) => document.createElement(tag));
  tile.dataset.id = photo.id;
  tile.style.setProperty("--ratio", Math.min(WIDEST, Math.max(NARROWEST, photo.width / photo.height)));
  button.type = "button";
  button.setAttribute("aria-label", photo.name);
  image.alt = "";
  image.loading = "lazy";
  image.decoding = "async";
  image.addEventListener("error", () => tile.classList.add("without-preview"));
  image.src = photoBytes(photo.id, "size=256");
  name.textContent = photo.name;
  button.append(image, name);
  tile.append(button);
  return tile;
}

const previousOf = (tile) => tile.previousElementSibling;
const followingOf = (tile) => tile.nextElementSibling;
const aboveOf = (tile) => nearestInRow(tile, previousOf);
const belowOf = (tile) => nearestInRow(tile, followingOf);
const middleOf = (tile) => tile.offsetLeft + tile.offsetWidth / 2;

// Goes on by `step` into the next row and returns the tile there whose middle is nearest.
function nearestInRow(tile, step) {
  let other = step(tile);
  while (other && other.offsetTop === tile.offsetTop) other = step(other);
  let nearest = other;
  for (const row = other?.offsetTop; other && other.offsetTop === row; other = step(other)) {
    if (Math.abs(middleOf(other) - middleOf(tile)) < Math.abs(middleOf(nearest) - middleOf(tile))) nearest = other;
  }
  return nearest;
}
